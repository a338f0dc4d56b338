/*
 * The card provider: what a charge and its undo ask of it (card/), and how a call goes out (provider.ts).
 *
 * S4  An outcome that isn't known (time-out, connection lost, 5xx, 409, 429) is asked for at the provider, never guessed.
 *     Where asking fails too it stays unknown, and the next attempt begins by asking.
 * K1  The intent's id is stored before it is confirmed; every changing call carries a key derived from ours.
 * K7  No transaction is open and no connection is held while a call is out.
 *
 * Why a card is charged at most once, whatever is retried, whoever wakes up late, and whatever the customer's page does:
 * - Only confirming takes money, and only the one intent stored with the charge is ever confirmed: by us, or on the page that
 *   was told its client secret.
 * - The provider lets an intent succeed once, however often and under whatever keys it is confirmed.
 * - Our confirming never brings a payment method. A decline takes the intent's own away, so a late confirmation of ours after
 *   it is refused for want of one.
 * - A page could bring another one. So an intent whose client secret may have been told is cancelled before its charge is
 *   refused: because it was declined, or because the customer's time to confirm is over.
 * - Cancelled is final there: a confirmation that arrives after it is refused. One that was faster makes the cancelling fail:
 *   then the act has succeeded, and the undo refunds.
 *
 * The keys sent along count the attempt, because the provider replays a stored 500 for as long as a key lives: under one
 * key per step, a single such answer would wedge the order. What keeps the effect single is the list above, not the key.
 */
import type { Participant, PerformOutcome } from '@holdfast/participant';
import { type CardCaptures, createCardCaptures } from './captures/provider-capture.ts';
import type { AttachIntent, Attempt, CardOutcome, CardPayment, GivenBack } from './card/card-payment.ts';
import { chargeCard } from './card/charge-card.ts';
import { giveBack } from './card/give-back.ts';
import { pausesWithoutWebhooks, pausesWithWebhooks, unknown } from './card/standing.ts';
import { createProvider, type Provider } from './provider.ts';
import { type CardRefunds, createCardRefunds } from './refunds/provider-refunds.ts';

export interface Cards {
  /** How long one attempt keeps others from trying. Safety does not rest on it: two at once take the money once. */
  leaseMs: number;
  charge(payment: CardPayment, attach: AttachIntent): Promise<PerformOutcome<CardOutcome>>;
  /** Cancels the payment, or refunds all of it when it has succeeded. */
  giveBack(payment: Attempt & { intentId: string }): Promise<PerformOutcome<GivenBack>>;
  /** Refunds of a payment that stands. */
  refunds: CardRefunds;
  /** Captures a payment that is authorised. */
  capture: CardCaptures;
}

/** Stands in where no provider is set up: every outcome stays open, so that nothing is decided by a missing setting. */
const noCards: Cards = {
  leaseMs: 0,
  charge: () => Promise.resolve(unknown('card payments are not set up: the operator must set STRIPE_SECRET_KEY')),
  giveBack: () => Promise.resolve(unknown('card payments are not set up: the operator must set STRIPE_SECRET_KEY')),
  refunds: {
    give: () => Promise.resolve(unknown('card payments are not set up: the operator must set STRIPE_SECRET_KEY')),
    list: () => Promise.resolve(undefined),
    newest: () => Promise.resolve(undefined),
  },
  capture: () => Promise.resolve(unknown('card payments are not set up: the operator must set STRIPE_SECRET_KEY')),
};

// The longest attempt is an undo that finds the payment succeeding under its hands: ask, cancel, ask, look at the refunds,
// refund.
const MAX_CALLS = 5;
const LEASE_MARGIN_MS = 1_000;
// When a process dies in the middle, the next attempt waits until its lease has run out: so it is short, shorter than
// the slowest attempt may take. A second attempt beside a slow first one is safe: it asks about the stored intent before
// anything else, only one intent can be stored for an order, an intent succeeds once, and the first can store nothing.
const MAX_LEASE_MS = 2_000;

export interface ProviderSettings {
  STRIPE_SECRET_KEY: string | null;
  STRIPE_API_BASE: URL | null;
  STRIPE_TIMEOUT_MS: number;
  /** One or two, with a comma between them. */
  STRIPE_WEBHOOK_SECRET: string | null;
  PAYMENT_WINDOW_MS: number;
  /** How often the provider's refunds and disputes are looked at; never without it. */
  PROVIDER_LOOK_MS?: number;
  /** How long before its end an authorisation is told of. */
  CAPTURE_WARNING_MS?: number;
}

/** @returns null where no provider is set up */
export function providerFor(settings: ProviderSettings, { log, metrics }: Participant): Provider | null {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE: apiBase, STRIPE_TIMEOUT_MS: timeoutMs } = settings;
  if (secretKey !== null) return createProvider({ secretKey, apiBase, timeoutMs }, log, metrics);
  log.warn('STRIPE_SECRET_KEY is not set: payments by card stay unanswered until it is; accounts work');
  return null;
}

/** @param hearsWebhooks the provider's webhooks bring a waiting charge forward: it is rarely asked about otherwise */
export function cardsFor(
  provider: Provider | null,
  { STRIPE_TIMEOUT_MS: timeoutMs, PAYMENT_WINDOW_MS: windowMs }: ProviderSettings,
  { hearsWebhooks, now = Date.now }: { hearsWebhooks: boolean; now?: () => number },
): Cards {
  if (provider === null) return noCards;
  const settings = { windowMs, pauses: hearsWebhooks ? pausesWithWebhooks : pausesWithoutWebhooks };
  return {
    leaseMs: Math.min(MAX_CALLS * timeoutMs + LEASE_MARGIN_MS, MAX_LEASE_MS),
    charge: (payment, attach) => chargeCard(provider, settings, payment, attach),
    giveBack: (payment) => giveBack(provider, now, payment),
    refunds: createCardRefunds(provider, now),
    capture: createCardCaptures(provider),
  };
}
