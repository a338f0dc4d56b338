/*
 * Giving back what an order was charged, as this database knows it: what an undo reads and writes.
 *
 * K3  Begins in the transaction that seals the act. From then on no attempt of the act can store an intent or an
 *     outcome; and the charge is `undoing`, so that no call under another key can go on with it either.
 * A1  A charge is given back at most once: its state says so, under its lock. At the provider, a payment can't be
 *     refunded beyond what was captured.
 * S3  Never refuses: nothing taken, nothing to give back.
 * Locks: charges, then accounts, each in order of its key.
 */
import { byOrder, type OrderId, orderColumns } from '@holdfast/participant';
import { statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { lockAccounts, postEntry } from './account.ts';
import { closeAuthorization } from './captures/authorization-store.ts';
import type { GivenBack } from './card/card-payment.ts';
import type { ChargeState } from './charge.ts';
import { UNDO_REFUND } from './refunds/refund-book.ts';

export interface Refund {
  /** Empty when nothing had been taken. */
  paymentId: string;
  /** Minor units given back. */
  amount: number;
}

export interface RefundPlan {
  intentId: string;
  /** Counts up with every attempt at the provider for this order. */
  attempt: number;
}

interface ChargeRow {
  tenant_id: string;
  order_id: string;
  customer_id: string;
  amount: number;
  state: ChargeState;
  payment_id: string | null;
  intent_id: string | null;
  refunded_amount: number;
}

const AUTHORIZED: ReadonlySet<ChargeState> = new Set(['authorized', 'capturing', 'expired']);
const NOTHING_TAKEN: Refund = { paymentId: '', amount: 0 };

const lockCharges = statement(
  'payment.lock-charges-to-undo',
  `select c.tenant_id, c.order_id, c.customer_id, c.amount, c.state, c.payment_id, c.intent_id, c.refunded_amount
     from (select * from unnest($1::text[], $2::text[]) as r (tenant_id, order_id) order by tenant_id, order_id) r,
          lateral (select * from charges c
                    where c.tenant_id = r.tenant_id and c.order_id = r.order_id for update) c`,
);

const markUndoing = statement(
  'payment.mark-undoing',
  `update charges set state = 'undoing', provider_attempts = provider_attempts + 1
    where tenant_id = $1::text and order_id = $2::text
    returning provider_attempts as attempt`,
);

const markUndone = statement(
  'payment.mark-undone',
  // What refunds of the order have given back before, or are about to, is not given back again; those that nobody has asked
  // for yet never will be. The undo's own share is a refund like the others.
  `with locked as materialized (
     select refunded_amount, refunding_amount from charges
      where tenant_id = $1::text and order_id = $2::text and state = any($5::text[]) for update
   ), released as (
     update refunds f set state = 'released', revision = f.revision + 1, changed_at = clock_timestamp() from locked
      where f.tenant_id = $1::text and f.order_id = $2::text and f.state = 'reserved' and f.attempts = 0
     returning f.amount
   ), sums as (
     select refunding_amount - r.amount as refunding,
            greatest($4::bigint - refunded_amount - (refunding_amount - r.amount), 0) as given
       from locked, (select coalesce(sum(amount), 0)::bigint as amount from released) r
   ), undone as (
     update charges
        set state = $3::text, refunded_amount = refunded_amount + sums.given, refunding_amount = sums.refunding,
            settled_at = clock_timestamp(),
            -- Of an authorised charge that was captured in part all the same.
            captured_amount = case when $4::bigint between 1 and amount - 1 then $4::bigint else captured_amount end,
            payment_id = case when $4::bigint > 0 then coalesce(payment_id, intent_id) else payment_id end
       from sums
      where tenant_id = $1::text and order_id = $2::text
     returning payment_id, sums.given
   ), entered as (
     insert into refunds (tenant_id, order_id, refund_id, origin, amount, state)
     select $1::text, $2::text, '${UNDO_REFUND}', 'undo', given, 'succeeded' from undone where given > 0
     on conflict (tenant_id, order_id, refund_id) do nothing
   )
   select payment_id from undone`,
);

export type BegunRefund = { kind: 'perform'; plan: RefundPlan } | { kind: 'completed'; result: Refund };

/**
 * Gives back at once what lives here, or plans what must be undone at the provider.
 * @param undos `undoKey`: the credit's entry is known by it
 */
export async function beginRefunds(tx: Transaction, undos: (OrderId & { undoKey: string })[]): Promise<BegunRefund[]> {
  const { rows } = await tx.query<ChargeRow>({ ...lockCharges, values: orderColumns(undos) });
  const chargeOf = byOrder(rows);
  // All at once and in order: one by one, two batches could wait for each other's accounts in a circle.
  await lockAccounts(tx, rows.filter(isFromAccount).map(accountOf));
  const begun: BegunRefund[] = [];
  // Most orders turn back because nothing could be taken: then there is nothing to write.
  for (const undo of undos) begun.push(await beginRefund(tx, undo, chargeOf(undo)));
  return begun;
}

/** What beginRefund gives back to an account: captured, and no intent at the provider. */
function isFromAccount(charge: ChargeRow): boolean {
  return charge.state === 'captured' && charge.intent_id === null && charge.amount > 0;
}

function accountOf(charge: ChargeRow): { tenantId: string; customerId: string } {
  return { tenantId: charge.tenant_id, customerId: charge.customer_id };
}

async function beginRefund(
  tx: Transaction,
  { tenantId, orderId, undoKey }: OrderId & { undoKey: string },
  charge: ChargeRow | undefined,
): Promise<BegunRefund> {
  const completed = (result: Refund) => ({ kind: 'completed' as const, result });
  if (charge === undefined || charge.state === 'refused' || charge.state === 'cancelled')
    return completed(NOTHING_TAKEN);
  if (charge.state === 'refunded') {
    return completed({ paymentId: charge.payment_id ?? '', amount: charge.refunded_amount });
  }
  if (charge.intent_id !== null) {
    // Set aside, and not captured: from now on nobody is told that it runs out.
    if (AUTHORIZED.has(charge.state)) await closeAuthorization(tx, { tenantId, orderId });
    const marked = await tx.query<{ attempt: number }>({ ...markUndoing, values: [tenantId, orderId] });
    return { kind: 'perform', plan: { intentId: charge.intent_id, attempt: marked.rows[0]?.attempt ?? 1 } };
  }
  if (charge.state !== 'captured') {
    // No intent is stored, and none can be any more. One that a slow attempt is creating at this moment stays
    // unconfirmed at the provider for ever, and an unconfirmed intent takes nothing: there is nothing to call out for.
    await tx.query({ ...markUndone, values: [tenantId, orderId, 'cancelled', 0, [charge.state]] });
    return completed(NOTHING_TAKEN);
  }
  if (charge.amount > 0) {
    const { customer_id: customerId } = charge;
    const delta = charge.amount - charge.refunded_amount;
    if (delta > 0) await postEntry(tx, { tenantId, customerId, entryKey: undoKey, kind: 'refund', delta });
  }
  await tx.query({ ...markUndone, values: [tenantId, orderId, 'refunded', charge.amount, ['captured']] });
  return completed({ paymentId: charge.payment_id ?? '', amount: charge.amount });
}

/**
 * Writes what the provider gave back, in the transaction that stores the answer; the undo's claim is locked.
 * @throws InvalidRequest TRY_AGAIN when an undo under another key has finished meanwhile
 */
export async function endRefund(
  tx: Transaction,
  { tenantId, orderId }: OrderId,
  { amount }: GivenBack,
): Promise<Refund> {
  const state = amount > 0 ? 'refunded' : 'cancelled';
  const { rows } = await tx.query<{ payment_id: string | null }>({
    ...markUndone,
    values: [tenantId, orderId, state, amount, ['undoing']],
  });
  if (rows[0] !== undefined) return amount > 0 ? { paymentId: rows[0].payment_id ?? '', amount } : NOTHING_TAKEN;
  throw new InvalidRequest(
    'order_id',
    'an undo under another key has finished meanwhile: ask again with the same key',
    'TRY_AGAIN',
  );
}
