/*
 * One attempt to undo a charge at the provider: cancels the payment, or refunds all of it. What makes it safe stands at the
 * top of card.ts.
 *
 * M1  A refund counts when it has succeeded. One that is pending is waited for: it may fail, and the customer would be charged
 *     for an order that has failed. One that has failed counts for nothing, and is made again, a few times. Then somebody has to
 *     give it back in another way: until then the undo is asked again, and is parked in the end.
 * S3  While a bank decides, the pauses grow: an undo that only waits is not parked before banks have decided.
 */
import type { PerformOutcome } from '@holdfast/participant';
import type Stripe from 'stripe';
import { keyOf, type Provider } from '../provider.ts';
import { listRefunds, refundOf } from '../refunds/provider-refunds.ts';
import { type ProviderRefund, UNDO_REFUND } from '../refunds/refund-book.ts';
import type { Attempt, GivenBack } from './card-payment.ts';
import { ask } from './charge-card.ts';
import { pausesOfBank, unknown } from './standing.ts';

/** The longest attempt finds the payment succeeding under its hands: ask, cancel, ask, look at the refunds, refund. */
const MAX_ROUNDS = 2;
/** For a person. */
const FAILED_PAUSE_MS = 30_000;

type Done = PerformOutcome<GivenBack>;

export async function giveBack(
  provider: Provider,
  now: () => number,
  payment: Attempt & { intentId: string },
): Promise<Done> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const asked = await ask(provider, payment.intentId);
    if (asked.kind === 'unknown') return asked;
    const done = await giveBackAs(provider, now, payment, asked.intent);
    // crash here: it is given back and nobody here knows it; the next attempt asks, and stores what it hears.
    if (done !== undefined) return done;
    // Lost, or refused because the payment has moved on meanwhile: ask what is left to do.
  }
  return unknown('the card provider has not given the payment back yet');
}

/** @returns undefined when it has to be asked again at once */
async function giveBackAs(
  provider: Provider,
  now: () => number,
  payment: Attempt & { intentId: string },
  intent: Stripe.PaymentIntent,
): Promise<Done | undefined> {
  switch (intent.status) {
    case 'canceled':
      return givenBack(0);
    case 'processing':
      return unknown(
        'the bank has not decided about the payment: it is given back when it has been taken',
        pausesOfBank(now() - intent.created * 1_000),
      );
    case 'succeeded':
      return await refund(provider, now, payment, intent);
    default:
      return await cancel(provider, payment);
  }
}

/**
 * Refunds what is left, and waits until all of it is given back for good. Two at once can't give back more than was taken: the
 * provider counts per charge.
 */
async function refund(
  provider: Provider,
  now: () => number,
  payment: Attempt,
  intent: Stripe.PaymentIntent,
): Promise<Done | undefined> {
  const listed = await listRefunds(provider, intent.id);
  if (listed === undefined) return unknown('the card provider could not be asked about the refunds of the payment');
  const standing = standingOfRefunds(listed, intent.amount_received, now);
  if (standing !== undefined) return standing;
  const made = await provider.call(
    'refund',
    provider.stripe.refunds.create(
      { payment_intent: intent.id, metadata: { ...intent.metadata, refund_id: UNDO_REFUND } },
      { idempotencyKey: keyOf(payment, 'refund') },
    ),
  );
  // crash here: it is given back and nobody here knows it; the next attempt looks at the refunds, and stores what it finds.
  return made.kind === 'failed'
    ? undefined
    : standingOfRefunds([...listed, refundOf(made.result)], intent.amount_received, now);
}

/** @returns undefined when something is left to give back, and nothing stands in the way */
function standingOfRefunds(refunds: ProviderRefund[], received: number, now: () => number): Done | undefined {
  const sum = refunds.reduce((given, { state, amount }) => (state === 'succeeded' ? given + amount : given), 0);
  if (sum >= received) return givenBack(received);
  const pending = refunds.filter(({ state }) => state === 'pending').map(({ createdAtMs }) => createdAtMs);
  if (pending.length > 0) {
    return unknown('the refund is pending at the bank', pausesOfBank(now() - Math.max(...pending)));
  }
  const failed = refunds.filter(({ state, refundId }) => state === 'failed' && refundId === UNDO_REFUND);
  if (failed.length < MAX_REFUNDS) return undefined;
  return unknown(
    `the refund failed at the card provider (${failed[0]?.reason}): give it back there, then resume the saga`,
    FAILED_PAUSE_MS,
  );
}

/** One that has failed may hold the next time; a card that is closed never takes one back. */
const MAX_REFUNDS = 3;

async function cancel(provider: Provider, payment: Attempt & { intentId: string }): Promise<Done | undefined> {
  const cancelled = await provider.call(
    'cancel',
    provider.stripe.paymentIntents.cancel(payment.intentId, {}, { idempotencyKey: keyOf(payment, 'cancel') }),
  );
  return cancelled.kind === 'completed' ? givenBack(0) : undefined;
}

function givenBack(amount: number): Done {
  return { kind: 'completed', result: { amount } };
}
