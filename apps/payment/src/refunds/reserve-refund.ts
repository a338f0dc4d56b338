/*
 * Setting an amount aside for a refund, and putting it back: the act and the undo of a refund's pivot. From the reservation
 * on the refund is going to be made; until then nothing has left.
 *
 * M1  Refunds of one order that come in one batch see each other's amounts, and those of other batches and processes wait
 *     for the lock of the charge.
 * K3  The undo seals the act in its own transaction; what it finds has never been asked for.
 */
import type { EffectOutcome } from '@holdfast/participant';
import { statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';
import { type RefundRefusal, refusalOf } from './refund-book.ts';
import { lockChargesOf, type RefundId, readRefunds, refundColumns, writeRefunds } from './refund-store.ts';

export interface ReserveRefund extends RefundId {
  /** Minor units, 0 or more. */
  amount: number;
  currency: string;
}

export interface ReservedRefund {
  amount: number;
  currency: string;
}

export type ReserveOutcome = EffectOutcome<ReservedRefund, RefundRefusal>;

/** @throws InvalidRequest CONFLICT for a refund that was another one before */
export async function reserveRefunds(tx: Transaction, requests: ReserveRefund[]): Promise<ReserveOutcome[]> {
  const chargeOf = await lockChargesOf(tx, requests);
  const rowOf = await readRefunds(tx, requests);
  const made: ReserveRefund[] = [];
  const outcomes = requests.map((request): ReserveOutcome => {
    const charge = chargeOf(request);
    const row = rowOf(request);
    if (row !== undefined) {
      // Its claim is gone, the row is not (K5).
      if (row.amount !== request.amount || row.state === 'released') conflict();
      return reserved(request);
    }
    const refusal = refusalOf(charge, request.amount);
    if (refusal !== undefined || charge === undefined) return refusal as ReserveOutcome;
    if (charge.currency !== request.currency) conflict();
    // @guard M1 the amounts of the same batch: "charge.refunding += request.amount;" -> ""
    charge.refunding += request.amount;
    made.push(request);
    return reserved(request);
  });
  await writeRefunds(
    tx,
    made.map((request) => ({
      ...request,
      origin: 'api',
      state: 'reserved',
      providerRefundId: null,
      reason: null,
    })),
  );
  return outcomes;
}

function reserved({ amount, currency }: ReserveRefund): ReserveOutcome {
  return { kind: 'completed', result: { amount, currency } };
}

function conflict(): never {
  throw new InvalidRequest('refund_id', 'this refund was made before, and was another one', 'CONFLICT');
}

const releaseRows = statement(
  'payment.releasable-refunds',
  `select f.refund_id from unnest($1::text[], $2::text[], $3::text[]) as r (tenant_id, order_id, refund_id),
          lateral (select refund_id from refunds f
                    where f.tenant_id = r.tenant_id and f.order_id = r.order_id and f.refund_id = r.refund_id
                      and (f.state not in ('reserved', 'released') or f.attempts > 0) offset 0) f`,
);

/** Puts back what these refunds have set aside. @throws InvalidRequest CONFLICT when one of them is being made */
export async function releaseRefunds(tx: Transaction, refunds: RefundId[]): Promise<void> {
  await lockChargesOf(tx, refunds);
  const { rowCount } = await tx.query({ ...releaseRows, values: refundColumns(refunds) });
  if (rowCount !== 0)
    throw new InvalidRequest('refund_id', 'this refund is being made: it can’t be undone', 'CONFLICT');
  const rowOf = await readRefunds(tx, refunds);
  const held = refunds.flatMap((refund) => {
    const row = rowOf(refund);
    return row?.state === 'reserved' ? [{ ...row, state: 'released' as const }] : [];
  });
  await writeRefunds(tx, held);
}
