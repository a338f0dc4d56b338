/*
 * Refunds at the card provider: what is asked of it, and what its answers mean.
 *
 * M1  A refund in part has no state of the payment that would let it happen only once. So it is made under one key for as
 *     long as the provider may still run what came under it, carries our id, and is looked for in the provider's list before
 *     it is made again. A new key is taken when the provider has said for good that it keeps a fault under the old one.
 *     What a capture in part has left of the authorisation is in that list too, and is no refund: nothing of it was ever taken.
 * S4  `pending` is no outcome: the step waits, and asks with growing pauses, or when something is heard, until it is final.
 */
import type { OrderId, PerformOutcome, Waiting } from '@holdfast/participant';
import type Stripe from 'stripe';
import { meaningOf } from '../card/provider-errors.ts';
import type { Provider } from '../provider.ts';
import type { ProviderRefund } from './refund-book.ts';

/** A refund that is to be made, or may have been. */
export interface CardRefund {
  tenantId: string;
  orderId: string;
  refundId: string;
  intentId: string;
  /** Minor units, above 0. */
  amount: number;
  /** The step's key. */
  key: string;
  /** The provider's id, where an earlier attempt has learned it. */
  providerRefundId: string | null;
  /** Counts the keys that the provider holds a fault under. */
  keyNumber: number;
  /** From 1. */
  attempt: number;
}

/** What an attempt has learned on the way, to be stored before anybody hears of it. */
export type RefundNote = { kind: 'pending'; refund: ProviderRefund } | { kind: 'key_spent' };

export type GaveBack = Pick<ProviderRefund, 'id' | 'reason'> & { state: 'succeeded' | 'failed' };

export interface CardRefunds {
  /** @param note stores what was learned durably; nothing is done when the attempt is no longer ours */
  give(refund: CardRefund, note: (learned: RefundNote) => Promise<void>): Promise<PerformOutcome<GaveBack>>;
  /** Every refund of the payment, whoever made it. @returns undefined when the provider could not be asked */
  list(intentId: string): Promise<ProviderRefund[] | undefined>;
  /** A page of all refunds of payments of ours, newest first. @param after the `next` of the page before; null begins */
  newest(after: string | null): Promise<{ refunds: ListedRefund[]; next: string | null } | undefined>;
}

/** With whose it is, as we have told the provider when the payment was made. */
export type ListedRefund = ProviderRefund & OrderId;

// A payment has few refunds. More pages than these are looked at another time, newest first.
const PAGE = 100;
const MAX_PAGES = 20;

export function createCardRefunds(provider: Provider, now: () => number): CardRefunds {
  return {
    give: (refund, note) => give(provider, now, refund, note),
    list: (intentId) => listRefunds(provider, intentId),
    newest: (after) => newestRefunds(provider, after),
  };
}

export async function listRefunds(provider: Provider, intentId: string): Promise<ProviderRefund[] | undefined> {
  const refunds: ProviderRefund[] = [];
  for (let page = 0, after: string | undefined; page < MAX_PAGES; page++) {
    const listed = await provider.call(
      'list-refunds',
      provider.stripe.refunds.list({
        payment_intent: intentId,
        limit: PAGE,
        expand: ['data.payment_intent'],
        ...(after !== undefined && { starting_after: after }),
      }),
    );
    if (listed.kind === 'failed') return undefined;
    refunds.push(...listed.result.data.filter((made) => !isUncaptured(made)).map(refundOf));
    after = listed.result.data.at(-1)?.id;
    if (!listed.result.has_more || after === undefined) break;
  }
  return refunds;
}

async function newestRefunds(provider: Provider, after: string | null): ReturnType<CardRefunds['newest']> {
  const listed = await provider.call(
    'list-refunds',
    provider.stripe.refunds.list({
      limit: PAGE,
      expand: ['data.payment_intent'],
      ...(after !== null && { starting_after: after }),
    }),
  );
  if (listed.kind === 'failed') return undefined;
  const { data, has_more: hasMore } = listed.result;
  const refunds = data.flatMap((made): ListedRefund[] => {
    const { payment_intent: intent } = made;
    if (intent === null || typeof intent !== 'object' || isUncaptured(made)) return [];
    const { tenant_id: tenantId, order_id: orderId } = intent.metadata;
    return tenantId === undefined || orderId === undefined ? [] : [{ ...refundOf(made), tenantId, orderId }];
  });
  return { refunds, next: hasMore ? (data.at(-1)?.id ?? null) : null };
}

/** The provider lists what was not captured as a refund of its own making. That no money has moved tells it from those of a person. */
function isUncaptured({
  metadata,
  status,
  amount,
  balance_transaction: moved,
  payment_intent: intent,
}: Stripe.Refund): boolean {
  if (intent === null || typeof intent !== 'object' || metadata?.refund_id !== undefined) return false;
  return status === 'succeeded' && moved === null && amount === intent.amount - intent.amount_received;
}

async function give(
  provider: Provider,
  now: () => number,
  refund: CardRefund,
  note: (learned: RefundNote) => Promise<void>,
): Promise<PerformOutcome<GaveBack>> {
  const found = refund.providerRefundId === null ? await find(provider, refund) : await retrieve(provider, refund);
  if (found.kind === 'unknown') return found;
  const made = found.kind === 'none' ? await make(provider, refund, note) : found;
  // crash here: the refund may be made and nobody here knows it; the next attempt finds it in the provider's list.
  if (made.kind !== 'refund') return made;
  const { id, reason } = made.refund;
  if (made.refund.state !== 'pending') {
    return { kind: 'completed', result: { id, reason, state: made.refund.state } };
  }
  await note({ kind: 'pending', refund: made.refund });
  return pending(now() - made.refund.createdAtMs);
}

type Found = { kind: 'refund'; refund: ProviderRefund };
type Unknown = { kind: 'unknown'; detail: string };

/** An earlier attempt may have made it, and its answer was lost. */
async function find(provider: Provider, refund: CardRefund): Promise<Found | Unknown | { kind: 'none' }> {
  if (refund.attempt === 1) return { kind: 'none' };
  const listed = await listRefunds(provider, refund.intentId);
  if (listed === undefined) return unknown('the card provider could not be asked about the refund');
  const ours = listed.find(({ refundId }) => refundId === refund.refundId);
  return ours === undefined ? { kind: 'none' } : { kind: 'refund', refund: ours };
}

async function retrieve(provider: Provider, { providerRefundId }: CardRefund): Promise<Found | Unknown> {
  const asked = await provider.call('retrieve', provider.stripe.refunds.retrieve(providerRefundId ?? ''));
  if (asked.kind === 'failed') return unknown('the card provider could not be asked about the refund');
  return foundIn(asked.result);
}

async function make(
  provider: Provider,
  refund: CardRefund,
  note: (learned: RefundNote) => Promise<void>,
): Promise<Found | PerformOutcome<GaveBack>> {
  const { tenantId, orderId, refundId, intentId, amount, key, keyNumber } = refund;
  const made = await provider.call(
    'refund',
    provider.stripe.refunds.create(
      {
        payment_intent: intentId,
        amount,
        metadata: { tenant_id: tenantId, order_id: orderId, refund_id: refundId },
      },
      { idempotencyKey: `${tenantId}:${key}:refund:${keyNumber}` },
    ),
  );
  if (made.kind === 'completed') return foundIn(made.result);
  const { error } = made;
  const reason = refusalIn(error);
  // The provider has judged: nothing was given back by this refund, and asking again changes nothing.
  if (reason !== undefined) return { kind: 'completed', result: { id: '', reason, state: 'failed' } };
  // A fault that it keeps under the key: what came under it never runs again, and whether it ran tells the list.
  if (error.headers?.['idempotent-replayed'] === 'true') await note({ kind: 'key_spent' });
  return unknown('the card provider has not said whether the refund was made');
}

/** The provider's own no to this refund. Faults of our set-up, of the network and of the provider leave it open. */
function refusalIn(error: Stripe.errors.StripeError): string | undefined {
  const meaning = meaningOf(error);
  const isRefusal =
    meaning === 'declined' || meaning === 'order' || (meaning === 'moved' && REFUSALS.has(error.code ?? ''));
  if (!isRefusal) return undefined;
  return codeOf(error.code) ?? (error.param === 'amount' ? 'amount_too_large' : 'not_refundable');
}

/** Of those that say that the payment has moved on: where asking again finds the same. */
const REFUSALS = new Set([
  'charge_already_refunded',
  'charge_disputed',
  'charge_not_refundable',
  'refund_disputed_payment',
]);

function codeOf(code: string | null | undefined): string | null {
  return code !== null && code !== undefined && /^[a-z_]{1,64}$/.test(code) ? code : null;
}

function foundIn(made: Stripe.Refund): Found {
  return { kind: 'refund', refund: refundOf(made) };
}

export function refundOf(made: Stripe.Refund): ProviderRefund {
  const { id, amount, metadata, failure_reason: why, created } = made;
  const reason = codeOf(why);
  const refundId = metadata?.refund_id ?? null;
  const createdAtMs = created * 1_000;
  switch (made.status) {
    case 'succeeded':
      return { id, amount, refundId, createdAtMs, state: 'succeeded', reason: null };
    case 'failed':
    case 'canceled':
      return { id, amount, refundId, createdAtMs, state: 'failed', reason: reason ?? made.status };
    default:
      return { id, amount, refundId, createdAtMs, state: 'pending', reason: null };
  }
}

const LEAST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15 * 60_000;

/** The longer it takes, the less often it is asked about: each pause is a quarter of its age. */
function pending(ageMs: number): Waiting {
  const waitMs = Math.round(Math.min(Math.max(ageMs / 4, LEAST_PAUSE_MS), LONGEST_PAUSE_MS));
  return { kind: 'waiting', reason: 'the refund is pending at the card provider', waitMs };
}

function unknown(detail: string): Unknown {
  return { kind: 'unknown', detail };
}
