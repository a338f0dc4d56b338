/*
 * Making a refund that has its amount set aside: in the customer's account at once, by card at the provider.
 *
 * K1  From an account: credit, row and stored answer are one transaction. By card: the attempt is counted before anything
 *     goes out, what the provider has said is stored before anybody hears of it.
 * K5  An account's entry carries the step's key; a row that is final gives its answer again.
 * S4  Behind the pivot nothing refuses: a refund that the provider won't make is an outcome, `failed`, with its reason.
 */
import { type Claim, lockHeldClaim } from '@holdfast/idempotency';
import type { Begun, Performed } from '@holdfast/participant';
import { type Pool, statement, type Transaction, transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { lockAccounts, postEntry } from '../account.ts';
import type { CardRefund, GaveBack, RefundNote } from './provider-refunds.ts';
import { isNews } from './refund-book.ts';
import {
  lockChargesOf,
  type RefundId,
  readRefunds,
  refundColumns,
  type StoredCharge,
  type StoredRefund,
  writeRefunds,
} from './refund-store.ts';

export interface Given {
  status: 'REFUND_STATUS_SUCCEEDED' | 'REFUND_STATUS_FAILED';
  /** Minor units; those of one that has failed were not given back. */
  amount: number;
  /** Empty where the money is here. */
  providerRefundId: string;
  /** Why it has failed. */
  reason: string;
}

export type GivePlan = Omit<CardRefund, keyof RefundId | 'key'>;
export type BegunGiving = { kind: 'completed'; result: Given } | { kind: 'perform'; plan: GivePlan };

const startAttempts = statement(
  'payment.start-refund-attempts',
  `update refunds f set attempts = f.attempts + 1
     from unnest($1::text[], $2::text[], $3::text[]) as r (tenant_id, order_id, refund_id)
    where f.tenant_id = r.tenant_id and f.order_id = r.order_id and f.refund_id = r.refund_id`,
);

/** Gives back at once what lives here, and plans what is to be done at the provider. */
export async function beginGiving(tx: Transaction, calls: Begun<RefundId>[]): Promise<BegunGiving[]> {
  const requests = calls.map(({ request }) => request);
  const chargeOf = await lockChargesOf(tx, requests);
  const rowOf = await readRefunds(tx, requests);
  const open = calls.flatMap((call) => {
    const [charge, row] = [chargeOf(call.request), rowOf(call.request)];
    if (charge === undefined || row === undefined) return [];
    return row.state === 'reserved' || row.state === 'pending' ? [{ call, charge, row }] : [];
  });
  const here = open.filter(({ charge, row }) => charge.intentId === null || row.amount === 0);
  await credit(tx, here);
  const outside = open.filter((one) => !here.includes(one));
  if (outside.length > 0) {
    await tx.query({ ...startAttempts, values: refundColumns(outside.map(({ row }) => row)) });
  }
  const credited = new Set(here.map(({ call }) => call));
  return calls.map((call): BegunGiving => {
    const row = rowOf(call.request);
    if (row === undefined) throw new InvalidRequest('refund_id', 'nothing is set aside for this refund', 'CONFLICT');
    if (credited.has(call)) return { kind: 'completed', result: given({ ...row, state: 'succeeded' }) };
    const planned = outside.find((one) => one.call === call);
    return planned === undefined
      ? { kind: 'completed', result: given(row) }
      : { kind: 'perform', plan: planOf(planned) };
  });
}

interface Open {
  call: Begun<RefundId>;
  charge: StoredCharge;
  row: StoredRefund;
}

async function credit(tx: Transaction, refunds: Open[]): Promise<void> {
  const paid = refunds.filter(({ row }) => row.amount > 0);
  // All at once and in order: one by one, two batches could wait for each other's accounts in a circle.
  await lockAccounts(
    tx,
    paid.map(({ charge }) => charge),
  );
  for (const { call, charge, row } of paid) {
    const { tenantId, customerId } = charge;
    await postEntry(tx, { tenantId, customerId, entryKey: call.call.key, kind: 'refund', delta: row.amount });
  }
  await writeRefunds(
    tx,
    refunds.map(({ row }) => ({ ...row, state: 'succeeded' })),
  );
}

function planOf({ charge, row }: Open): GivePlan {
  const { amount, providerRefundId, keyNumber, attempts } = row;
  return { intentId: charge.intentId ?? '', amount, providerRefundId, keyNumber, attempt: attempts + 1 };
}

function given({ state, amount, providerRefundId, reason }: Omit<StoredRefund, keyof RefundId>): Given {
  if (state === 'succeeded') {
    return { status: 'REFUND_STATUS_SUCCEEDED', amount, providerRefundId: providerRefundId ?? '', reason: '' };
  }
  // Released: the order was turned back meanwhile, and everything of it is given back by its undo.
  const why = state === 'released' ? 'order_turned_back' : (reason ?? 'failed');
  return { status: 'REFUND_STATUS_FAILED', amount, providerRefundId: providerRefundId ?? '', reason: why };
}

/** Writes what the provider has said for good, in the transaction that stores the answers; the claims are locked. */
export async function endGiving(tx: Transaction, ended: Performed<RefundId, GaveBack>[]): Promise<Given[]> {
  const requests = ended.map(({ request }) => request);
  await lockChargesOf(tx, requests);
  const rowOf = await readRefunds(tx, requests);
  const rows = ended.map(({ request, result }): StoredRefund => {
    const row = rowOf(request);
    if (row === undefined) throw new Error('a refund vanished between two statements: is something deleting refunds?');
    // What was learned of it meanwhile stands: the provider's word goes forward only.
    if (!isNews(row.state, result.state)) return row;
    return { ...row, state: result.state, providerRefundId: result.id || row.providerRefundId, reason: result.reason };
  });
  await writeRefunds(
    tx,
    rows.filter((row) => row !== rowOf(row)),
  );
  return rows.map(given);
}

const spendKey = statement(
  'payment.spend-refund-key',
  `update refunds set key_number = key_number + 1
    where tenant_id = $1::text and order_id = $2::text and refund_id = $3::text and key_number = $4::int`,
);

/** Stores what an attempt has learned, in a transaction of its own between two calls (K7); nothing where it is not ours any more. */
export async function noteRefund(
  pool: Pool,
  held: Claim,
  refund: RefundId & { keyNumber: number },
  learned: RefundNote,
): Promise<void> {
  await transaction(pool, async (tx) => {
    if (!(await lockHeldClaim(tx, held))) return;
    const { tenantId, orderId, refundId, keyNumber } = refund;
    if (learned.kind === 'key_spent') {
      await tx.query({ ...spendKey, values: [tenantId, orderId, refundId, keyNumber] });
      return;
    }
    await lockChargesOf(tx, [refund]);
    const row = (await readRefunds(tx, [refund]))(refund);
    if (row === undefined || !isNews(row.state, 'pending')) return;
    await writeRefunds(tx, [{ ...row, state: 'pending', providerRefundId: learned.refund.id }]);
  });
}
