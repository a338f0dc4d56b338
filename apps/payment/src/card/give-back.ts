/*
 * One attempt to undo a charge at the provider: cancels the payment, or refunds all of it. What makes it safe stands at the
 * top of card.ts.
 *
 * M1  A refund counts when it has succeeded. One that is pending is waited for: it may fail, and the customer would be charged
 *     for an order that has failed. One that has failed counts for nothing, and is made again, a few times. Then somebody has to
 *     give it back in another way: until then the undo is asked again, and is parked in the end.
 */
import type { PerformOutcome } from '@holdfast/participant';
import type Stripe from 'stripe';
import { keyOf, type Provider } from '../provider.ts';
import { listRefunds, refundOf } from '../refunds/provider-refunds.ts';
import { type ProviderRefund, UNDO_REFUND } from '../refunds/refund-book.ts';
import type { Attempt, GivenBack } from './card-payment.ts';
import { ask } from './charge-card.ts';
import { unknown } from './standing.ts';

/** The longest attempt finds the payment succeeding under its hands: ask, cancel, ask, look at the refunds, refund. */
const MAX_ROUNDS = 2;
/** A bank decides in hours or days. */
const BANK_PAUSE_MS = 30_000;

type Done = PerformOutcome<GivenBack>;

export async function giveBack(provider: Provider, payment: Attempt & { intentId: string }): Promise<Done> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const asked = await ask(provider, payment.intentId);
    if (asked.kind === 'unknown') return asked;
    const done = await giveBackAs(provider, payment, asked.intent);
    // crash here: it is given back and nobody here knows it; the next attempt asks, and stores what it hears.
    if (done !== undefined) return done;
    // Lost, or refused because the payment has moved on meanwhile: ask what is left to do.
  }
  return unknown('the card provider has not given the payment back yet');
}

/** @returns undefined when it has to be asked again at once */
async function giveBackAs(
  provider: Provider,
  payment: Attempt & { intentId: string },
  intent: Stripe.PaymentIntent,
): Promise<Done | undefined> {
  switch (intent.status) {
    case 'canceled':
      return givenBack(0);
    case 'processing':
      return unknown(
        'the bank has not decided about the payment: it is given back when it has been taken',
        BANK_PAUSE_MS,
      );
    case 'succeeded':
      return await refund(provider, payment, intent);
    default:
      return await cancel(provider, payment);
  }
}

/**
 * Refunds what is left, and waits until all of it is given back for good. Two at once can't give back more than was taken: the
 * provider counts per charge.
 */
async function refund(provider: Provider, payment: Attempt, intent: Stripe.PaymentIntent): Promise<Done | undefined> {
  const listed = await listRefunds(provider, intent.id);
  if (listed === undefined) return unknown('the card provider could not be asked about the refunds of the payment');
  const standing = standingOfRefunds(listed, intent.amount_received);
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
    : standingOfRefunds([...listed, refundOf(made.result)], intent.amount_received);
}

/** @returns undefined when something is left to give back, and nothing stands in the way */
function standingOfRefunds(refunds: ProviderRefund[], received: number): Done | undefined {
  const sum = refunds.reduce((given, { state, amount }) => (state === 'succeeded' ? given + amount : given), 0);
  if (sum >= received) return givenBack(received);
  if (refunds.some(({ state }) => state === 'pending')) return PENDING;
  const failed = refunds.filter(({ state, refundId }) => state === 'failed' && refundId === UNDO_REFUND);
  if (failed.length < MAX_REFUNDS) return undefined;
  return unknown(
    `the refund failed at the card provider (${failed[0]?.reason}): give it back there, then resume the saga`,
    BANK_PAUSE_MS,
  );
}

/** One that has failed may hold the next time; a card that is closed never takes one back. */
const MAX_REFUNDS = 3;
const PENDING = unknown('the refund is pending at the bank', BANK_PAUSE_MS);

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
