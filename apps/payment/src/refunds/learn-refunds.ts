/*
 * Learning what the provider knows of a charge's refunds: those that were made there by hand, and how ours have ended,
 * however late. Whoever has a reason to believe that something has changed calls it: the periodic look below, a webhook, a
 * refund that the provider refuses. Its state there is all that counts, so that calling it twice, late or in vain changes
 * nothing.
 *
 * M1  Written under the charge's lock, and a refund's state only goes forward. That of a turned-back order has no saga any more
 *     that could make it again: when it has failed after all, a person is told.
 * K7  The provider is asked before the transaction begins.
 */
import type { OrderId } from '@holdfast/participant';
import { type Pool, type Query, statement, transaction } from '@holdfast/postgres';
import type { Log, Metrics } from '@holdfast/service';
import type { CardRefunds, ListedRefund } from './provider-refunds.ts';
import { learned, type Refund } from './refund-book.ts';
import { lockChargesOf, readRefundsOf, writeRefunds } from './refund-store.ts';

const findIntent = statement(
  'payment.intent-of-charge',
  `select intent_id as "intentId" from charges where tenant_id = $1::text and order_id = $2::text
      and state in ('captured', 'undoing', 'refunded')`,
);

export type Learned =
  /** How many of the charge's refunds are new or have changed. */
  | { kind: 'learned'; changes: number }
  /** No charge of ours, or none at the provider. */
  | { kind: 'nothing_there' }
  /** The provider could not be asked: look again later. */
  | { kind: 'unknown' };

export interface Learner {
  pool: Pool;
  refunds: CardRefunds;
  /** Called when less than before is given back by the undo of this order, which was done. */
  onUndoFailed: (order: OrderId) => void;
}

/** Counts it, and tells the operator. */
export function undoFailedTeller({ log, metrics }: { log: Log; metrics: Metrics }): Learner['onUndoFailed'] {
  const failed = metrics.counter(
    'payment_undo_refunds_failed_total',
    'Refunds of turned-back orders that failed later',
    [],
  );
  return ({ tenantId, orderId }) => {
    failed.inc();
    log.error(
      { tenantId, orderId },
      'the refund of an order that was turned back has failed at the card provider after it had succeeded: give it back there',
    );
  };
}

/** Looks at the refunds of an order's charge at the provider, and records what is new. @throws pg errors */
export async function learnRefunds({ pool, refunds, onUndoFailed }: Learner, charge: OrderId): Promise<Learned> {
  const { rows } = await pool.query<{ intentId: string | null }>({
    ...findIntent,
    values: [charge.tenantId, charge.orderId],
  });
  const intentId = rows[0]?.intentId ?? null;
  if (intentId === null) return { kind: 'nothing_there' };
  const told = await refunds.list(intentId);
  if (told === undefined) return { kind: 'unknown' };
  const { changes, hasUndoFailed } = await transaction(pool, async (tx) => {
    await lockChargesOf(tx, [charge]);
    const known = await readRefundsOf(tx, charge);
    const changed = learned(known, told);
    const { tenantId, orderId } = charge;
    await writeRefunds(
      tx,
      changed.map((refund) => ({ ...refund, tenantId, orderId })),
    );
    return { changes: changed.length, hasUndoFailed: givenByUndo(changed, known) < givenByUndo(known, []) };
  });
  // crash here: it is recorded and nobody is told; the auditor names the order.
  if (hasUndoFailed) onUndoFailed(charge);
  return { kind: 'learned', changes };
}

/** @param otherwise where these have no row of an undo */
function givenByUndo(refunds: readonly Refund[], otherwise: readonly Refund[]): number {
  const undo = [...refunds, ...otherwise].find(({ origin }) => origin === 'undo');
  return undo?.state === 'succeeded' ? undo.amount : 0;
}

const findPending = statement(
  'payment.pending-refunds',
  `select distinct tenant_id as "tenantId", order_id as "orderId"
     from (select tenant_id, order_id from refunds where state = 'pending' order by changed_at limit $1::int) f`,
);

/** Ours that the provider has not ended, those first that have waited longest. */
async function withPending(db: Query): Promise<OrderId[]> {
  return (await db.query<OrderId>({ ...findPending, values: [PENDING_PER_LOOK] })).rows;
}

export interface RefundLook extends Learner {
  log: Log;
  /** How far back the provider's list is read, before it is begun anew. */
  lookBackMs?: number;
  now?: () => number;
}

const PENDING_PER_LOOK = 20;
const LOOK_BACK_MS = 35 * 24 * 60 * 60_000;

/**
 * Looks at the provider's list of refunds, whoever made them, and at ours that have not ended: reads the newest page and one
 * further back, and asks about the charges of which it shows something new.
 * @param after where the last look had come to; null begins anew. @returns where the next goes on. @throws pg errors
 */
export async function lookOnce(look: RefundLook, after: string | null): Promise<string | null> {
  const { pool, refunds, log, now = Date.now, lookBackMs = LOOK_BACK_MS } = look;
  const newest = await refunds.newest(null);
  const older = after === null ? newest : await refunds.newest(after);
  const seen = [...(newest?.refunds ?? []), ...(older === newest ? [] : (older?.refunds ?? []))];
  const orders = [...(await withNews(pool, seen)), ...(await withPending(pool))];
  for (const order of new Map(orders.map((one) => [`${one.tenantId} ${one.orderId}`, one])).values()) {
    const found = await learnRefunds(look, order);
    if (found.kind === 'learned' && found.changes > 0) {
      log.info({ orderId: order.orderId, changes: found.changes }, 'refunds were learned from the card provider');
    }
  }
  const last = older?.refunds.at(-1);
  return older?.next != null && last !== undefined && last.createdAtMs > now() - lookBackMs ? older.next : null;
}

async function withNews(db: Query, seen: ListedRefund[]): Promise<OrderId[]> {
  const byOrder = Map.groupBy(seen, ({ tenantId, orderId }) => `${tenantId} ${orderId}`);
  const changed: OrderId[] = [];
  for (const told of byOrder.values()) {
    const [order] = told;
    if (order === undefined) continue;
    if (learned(await readRefundsOf(db, order), told).length > 0) changed.push(order);
  }
  return changed;
}
