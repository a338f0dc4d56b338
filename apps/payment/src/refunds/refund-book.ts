/*
 * What may be given back of a charge: decided here, without a database, under the lock of the charge.
 *
 * M1  What is given back, with what is under way, never exceeds what was captured, whoever asked for it. What the provider
 *     says counts, also when it is more than we have set aside: it was made there.
 * S5  A refusal is a value, and final.
 */
import type { Refused } from '@holdfast/participant';
import type { ChargeState } from '../charge.ts';

export type RefundState = 'reserved' | 'pending' | 'succeeded' | 'failed' | 'released';
export type RefundOrigin = 'api' | 'undo' | 'provider';
export type RefundRefusal = 'REFUND_EXCEEDS_CAPTURED' | 'NOT_REFUNDABLE' | 'NOT_CAPTURED';

/** What an order's undo is called among the refunds of its charge. */
export const UNDO_REFUND = 'undo';

export interface Refund {
  refundId: string;
  origin: RefundOrigin;
  /** Minor units. */
  amount: number;
  state: RefundState;
  providerRefundId: string | null;
  /** The provider's code for why it has failed. */
  reason: string | null;
}

/** The charge's sums, in minor units. */
export interface ChargeBook {
  state: ChargeState;
  /** What was captured. */
  amount: number;
  /** Given back by now. */
  refunded: number;
  /** Set aside for refunds that are under way. */
  refunding: number;
}

/** @returns why the amount can't be set aside; undefined when it can */
export function refusalOf(charge: ChargeBook | undefined, amount: number): Refused<RefundRefusal> | undefined {
  if (charge !== undefined && UNCAPTURED.has(charge.state)) {
    const message = 'the payment is authorised and not captured: cancel the order, or dispatch it first';
    return { kind: 'refused', reason: 'NOT_CAPTURED', message };
  }
  if (charge === undefined || charge.state !== 'captured') {
    const message = 'nothing is captured for this order that could be given back';
    return { kind: 'refused', reason: 'NOT_REFUNDABLE', message };
  }
  const left = Math.max(charge.amount - charge.refunded - charge.refunding, 0);
  if (amount <= left) return undefined;
  const message = `${charge.amount} were captured and ${left} of that are left to give back: ask for no more`;
  return { kind: 'refused', reason: 'REFUND_EXCEEDS_CAPTURED', message };
}

const UNCAPTURED: ReadonlySet<ChargeState> = new Set(['authorized', 'capturing', 'expired']);

/** A refund as the provider shows it. */
export interface ProviderRefund {
  id: string;
  state: 'pending' | 'succeeded' | 'failed';
  amount: number;
  reason: string | null;
  /** Ours, where we made it. */
  refundId: string | null;
  createdAtMs: number;
}

/** The provider's word goes forward only: what it said earlier may arrive later. */
const RANK: Readonly<Record<RefundState, number>> = { reserved: 0, pending: 1, succeeded: 2, failed: 3, released: 4 };

export function isNews(state: RefundState, told: ProviderRefund['state']): boolean {
  return RANK[told] > RANK[state];
}

/**
 * What the provider's list of a charge's refunds changes in ours.
 * @returns the rows that are new or differ
 */
export function learned(known: readonly Refund[], told: readonly ProviderRefund[]): Refund[] {
  const others = told.filter(({ refundId }) => refundId !== UNDO_REFUND);
  return [...learnedOfUndo(known, told), ...others.flatMap((one) => learnedOf(known, one))];
}

function learnedOf(known: readonly Refund[], told: ProviderRefund): Refund[] {
  const { id, state, amount, reason } = told;
  const row =
    known.find(({ providerRefundId, refundId }) => providerRefundId === id || refundId === id) ??
    known.find(({ refundId, providerRefundId }) => refundId === told.refundId && (providerRefundId ?? id) === id);
  // One that was released has never been asked for: whatever carries its id was made by somebody else.
  if (row === undefined || row.state === 'released') {
    return [{ refundId: id, origin: 'provider', amount, state, providerRefundId: id, reason }];
  }
  return isNews(row.state, state) ? [{ ...row, state, providerRefundId: id, reason }] : [];
}

/** An undo may have made several, of which some have failed: they are one row, written when the undo is done. */
function learnedOfUndo(known: readonly Refund[], told: readonly ProviderRefund[]): Refund[] {
  const row = known.find(({ refundId }) => refundId === UNDO_REFUND);
  const made = told.filter(({ refundId }) => refundId === UNDO_REFUND);
  if (row === undefined || made.length === 0 || made.some(({ state }) => state === 'pending')) return [];
  const amount = made.reduce((sum, one) => (one.state === 'succeeded' ? sum + one.amount : sum), 0);
  if (amount === row.amount || (amount === 0 && row.state === 'failed')) return [];
  if (amount > 0) return [{ ...row, amount, state: 'succeeded', reason: null }];
  return [{ ...row, state: 'failed', reason: made.at(-1)?.reason ?? null }];
}
