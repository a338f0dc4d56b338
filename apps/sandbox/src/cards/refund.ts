import type { BankTimes } from '../bank/bank-times.ts';
import type { Intent } from './payment-intent.ts';
import { testCard } from './payment-methods.ts';

/** Amounts in minor units; instants in Unix seconds. */
export interface Refund {
  refundId: string;
  intentId: string;
  chargeId: string;
  amount: number;
  currency: string;
  reason: string | null;
  metadata: Record<string, string>;
  status: 'pending' | 'succeeded' | 'failed';
  failureReason: string | null;
  createdAt: number;
  due: 'succeed' | 'fail' | null;
  dueAt: number | null;
  /** It is what a capture in part has left of the authorisation: no money has moved. */
  isUncaptured: boolean;
}

export const REFUND_COLUMNS = `
  r.refund_id as "refundId", r.intent_id as "intentId", r.charge_id as "chargeId", r.amount, r.currency, r.reason,
  r.metadata, r.status, r.failure_reason as "failureReason", extract(epoch from r.created_at)::bigint as "createdAt",
  r.due, extract(epoch from r.due_at)::float8 as "dueAt", r.is_uncaptured as "isUncaptured"`;

/** What a bank makes of a new refund, by how it was paid. */
export function bankOf(intent: Intent, times: BankTimes, at: number): Pick<Refund, 'status' | 'due' | 'dueAt'> {
  const dueAt = at + times.refundMs / 1_000;
  switch (testCard(intent.paymentMethod ?? '')?.refunds) {
    case 'pending':
      return { status: 'pending', due: 'succeed', dueAt };
    case 'fails-later':
      return { status: 'succeeded', due: 'fail', dueAt };
    default:
      return { status: 'succeeded', due: null, dueAt: null };
  }
}

/** @returns undefined where there is nothing to decide any more */
export function settledRefund(refund: Refund, succeeds: boolean): Refund | undefined {
  const settled = { ...refund, due: null, dueAt: null };
  if (succeeds) return refund.status === 'pending' ? { ...settled, status: 'succeeded' } : undefined;
  if (refund.status === 'failed') return undefined;
  return { ...settled, status: 'failed', failureReason: 'expired_or_canceled_card' };
}

/** In Stripe's shape. */
export function renderRefund(made: Refund): object {
  return {
    id: made.refundId,
    object: 'refund',
    amount: made.amount,
    balance_transaction: made.isUncaptured || made.status === 'pending' ? null : made.refundId.replace('re_', 'txn_'),
    charge: made.chargeId,
    created: made.createdAt,
    currency: made.currency,
    ...(made.failureReason !== null && { failure_reason: made.failureReason }),
    metadata: made.metadata,
    payment_intent: made.intentId,
    ...(made.status === 'pending' && { pending_reason: 'processing' }),
    reason: made.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: made.status,
    transfer_reversal: null,
  };
}
