/*
 * One attempt to undo a charge at the provider: cancels the payment, or refunds all of it. What makes it safe stands at the
 * top of card.ts.
 *
 * M1  A refund counts when it has succeeded. One that is pending is waited for; one that has failed counts for nothing, and is
 *     made again.
 */
import type { PerformOutcome } from '@holdfast/participant';
import type Stripe from 'stripe';
import { keyOf, type Provider } from '../provider.ts';
import type { Attempt, GivenBack } from './card-payment.ts';
import { ask } from './charge-card.ts';
import { unknown } from './standing.ts';

/** The longest attempt finds the payment succeeding under its hands: ask, cancel, ask, refund. */
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
      return refundedOf(intent) >= intent.amount_received
        ? await whetherFinal(provider, intent)
        : await refund(provider, payment, intent);
    default:
      return await cancel(provider, payment);
  }
}

function refundedOf({ latest_charge: latest }: Stripe.PaymentIntent): number {
  return latest !== null && typeof latest === 'object' ? latest.amount_refunded : 0;
}

/** The provider counts refunds that are pending. */
async function whetherFinal(provider: Provider, intent: Stripe.PaymentIntent): Promise<Done | undefined> {
  const listed = await provider.call(
    'retrieve',
    provider.stripe.refunds.list({ payment_intent: intent.id, limit: MAX_REFUNDS }),
  );
  if (listed.kind === 'failed') return unknown('the card provider could not be asked about the refund');
  const isPending = listed.result.data.some(({ status }) => status === 'pending' || status === 'requires_action');
  return isPending ? PENDING : givenBack(intent.amount_received);
}

const MAX_REFUNDS = 100;
const PENDING = unknown('the refund is pending at the bank', BANK_PAUSE_MS);

/** Refunds what is left. Two at once can't give back more than was taken: the provider counts per charge. */
async function refund(provider: Provider, payment: Attempt, intent: Stripe.PaymentIntent): Promise<Done | undefined> {
  const made = await provider.call(
    'refund',
    provider.stripe.refunds.create({ payment_intent: intent.id }, { idempotencyKey: keyOf(payment, 'refund') }),
  );
  if (made.kind === 'failed') return undefined;
  const { status } = made.result;
  if (status === 'succeeded') return givenBack(intent.amount_received);
  return status === 'pending' ? PENDING : undefined;
}

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
