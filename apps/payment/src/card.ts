/*
 * The card provider, and what a charge and its undo ask of it. How a call goes out is in provider.ts.
 *
 * S4  An outcome that isn't known (time-out, connection lost, 5xx, 409, 429) is asked for at the provider, never guessed.
 *     Where asking fails too it stays unknown, and the next attempt begins by asking.
 * K1  The intent's id is stored before it is confirmed; every changing call carries a key derived from ours.
 * K7  No transaction is open and no connection is held while a call is out.
 *
 * Why a card is charged at most once, whatever is retried, and whoever wakes up late:
 * - Only confirming takes money, and only the one intent stored with the charge is ever confirmed.
 * - The provider lets an intent succeed once, however often and under whatever keys it is confirmed.
 * - Confirming never brings a payment method. A decline takes the intent's own away, so a late confirmation after it is
 *   refused for want of one: a declined payment stays declined.
 * - Cancelled is final there: a confirmation that arrives after the undo has cancelled is refused. One that was faster
 *   makes the cancelling fail, and the undo refunds.
 *
 * The keys sent along count the attempt, because the provider replays a stored 500 for as long as a key lives: under one
 * key per step, a single such answer would wedge the order. What keeps the effect single is the list above, not the key.
 */
import type { EffectOutcome, Participant, PerformOutcome } from '@holdfast/participant';
import type { Log, Metrics } from '@holdfast/service';
import type Stripe from 'stripe';
import {
  type CallName,
  type CardSettings,
  codeIn,
  createProvider,
  isDecline,
  type Provider,
  refusedParam,
} from './provider.ts';
import { type CardRefunds, createCardRefunds, listRefunds, pending, refundOf } from './refunds/provider-refunds.ts';
import { type ProviderRefund, UNDO_REFUND } from './refunds/refund-book.ts';

/** One attempt; `attempt` counts up over all attempts for the order. */
interface Attempt {
  tenantId: string;
  /** The step's key, or the undo's. */
  key: string;
  attempt: number;
}

export interface CardPayment extends Attempt {
  orderId: string;
  /** Minor units, above 0. */
  amount: number;
  currency: string;
  /** The provider's payment method, pm_…; sent to it and kept nowhere. */
  method: string;
  /** The intent that an earlier attempt has stored. */
  intentId: string | null;
}

/** `result`: the intent that has taken the amount. */
export type CardOutcome = EffectOutcome<string, 'CARD_DECLINED'>;

/** Minor units; 0 when the payment was cancelled before anything was taken. */
export interface GivenBack {
  amount: number;
}

export interface Cards {
  /** How long one attempt keeps others from trying. Safety does not rest on it: two at once take the money once. */
  leaseMs: number;
  /** @param attach stores an intent's id durably; false forbids to confirm it */
  charge(payment: CardPayment, attach: (intentId: string) => Promise<boolean>): Promise<PerformOutcome<CardOutcome>>;
  /** Cancels the payment, or refunds all of it when it has succeeded. */
  giveBack(payment: Attempt & { intentId: string }): Promise<PerformOutcome<GivenBack>>;
  /** Refunds of a payment that stands. */
  refunds: CardRefunds;
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
};

// The longest attempt is an undo that finds the payment succeeding under its hands: ask, cancel, ask, look at the refunds,
// refund.
const MAX_CALLS = 5;
const MAX_ROUNDS = 2;
const LEASE_MARGIN_MS = 1_000;
// When a process dies in the middle, the next attempt waits until its lease has run out: so it is short, shorter than
// the slowest attempt may take. A second attempt beside a slow first one is safe: it asks about the stored intent before
// anything else, only one intent can be stored for an order, an intent succeeds once, and the first can store nothing.
const MAX_LEASE_MS = 2_000;

export interface ProviderSettings {
  STRIPE_SECRET_KEY: string | null;
  STRIPE_API_BASE: URL | null;
  STRIPE_TIMEOUT_MS: number;
  /** How often the provider's refunds are looked at; never without it. */
  REFUND_LOOK_MS?: number;
}

export function cardsFor(settings: ProviderSettings, { log, metrics }: Participant): Cards {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_API_BASE: apiBase, STRIPE_TIMEOUT_MS: timeoutMs } = settings;
  if (secretKey !== null) return createCards({ secretKey, apiBase, timeoutMs }, log, metrics);
  log.warn('STRIPE_SECRET_KEY is not set: payments by card stay unanswered until it is; accounts work');
  return noCards;
}

function createCards(settings: CardSettings, log: Log, metrics: Metrics): Cards {
  const provider = createProvider(settings, log, metrics);
  return {
    leaseMs: Math.min(MAX_CALLS * settings.timeoutMs + LEASE_MARGIN_MS, MAX_LEASE_MS),
    charge: (payment, attach) => charge(provider, payment, attach),
    giveBack: (payment) => giveBack(provider, payment),
    refunds: createCardRefunds(provider),
  };
}

type Found = { kind: 'intent'; intent: Stripe.PaymentIntent };

async function charge(
  provider: Provider,
  payment: CardPayment,
  attach: (intentId: string) => Promise<boolean>,
): Promise<PerformOutcome<CardOutcome>> {
  const found =
    payment.intentId === null
      ? await createIntent(provider, payment, attach)
      : // An earlier attempt may have confirmed it: ask before anything else.
        await ask(provider, payment.intentId);
  if (found.kind !== 'intent') return found;
  const standing = standingOf(found.intent);
  if (standing.kind !== 'unconfirmed') return standing;
  return await confirm(provider, payment, found.intent.id);
}

/** Creating takes nothing: an intent that is created and never confirmed has no effect on the card. */
async function createIntent(
  provider: Provider,
  payment: CardPayment,
  attach: (intentId: string) => Promise<boolean>,
): Promise<Found | PerformOutcome<CardOutcome>> {
  if (OTHER_MINOR_UNITS.has(payment.currency)) {
    return refused(`cards are not charged in ${payment.currency}: place a new order in another currency`);
  }
  const created = await provider.call(
    'create',
    provider.stripe.paymentIntents.create(
      {
        amount: payment.amount,
        currency: payment.currency.toLowerCase(),
        payment_method: payment.method,
        allowed_payment_method_types: ['card'],
        confirm: false,
        metadata: { order_id: payment.orderId, tenant_id: payment.tenantId },
      },
      { idempotencyKey: keyOf(payment, 'create') },
    ),
  );
  if (created.kind === 'failed')
    return refusalOf(created.error) ?? unknown('the card provider did not take the order in');
  // crash here: an intent that nobody knows is left unconfirmed at the provider; the next attempt makes another.
  if (await attach(created.result.id)) return { kind: 'intent', intent: created.result };
  return unknown('this step was undone or taken over while it was running');
}

async function confirm(
  provider: Provider,
  payment: CardPayment,
  intentId: string,
): Promise<PerformOutcome<CardOutcome>> {
  // crash here: the intent is stored and unconfirmed; the next attempt asks, and confirms it.
  const confirmed = await provider.call(
    'confirm',
    provider.stripe.paymentIntents.confirm(
      intentId,
      // Nobody is there to answer the bank's questions: a card that needs it is declined instead of left waiting.
      { error_on_requires_action: true },
      { idempotencyKey: keyOf(payment, 'confirm') },
    ),
  );
  // crash here: the money may be taken and nobody here knows it; the next attempt asks, and stores what it hears.
  if (confirmed.kind === 'failed' && isDecline(confirmed.error)) return declined(confirmed.error);
  const found: Found | PerformOutcome<never> =
    confirmed.kind === 'completed' ? { kind: 'intent', intent: confirmed.result } : await ask(provider, intentId);
  if (found.kind !== 'intent') return found;
  const standing = standingOf(found.intent);
  return standing.kind === 'unconfirmed' ? unknown('the card provider has not confirmed the payment yet') : standing;
}

async function ask(provider: Provider, intentId: string): Promise<Found | { kind: 'unknown'; detail: string }> {
  const asked = await provider.call(
    'retrieve',
    provider.stripe.paymentIntents.retrieve(intentId, { expand: ['latest_charge'] }),
  );
  if (asked.kind === 'completed') return { kind: 'intent', intent: asked.result };
  return unknown('the card provider could not be asked about the payment');
}

/** What an intent's state says about the charge. */
function standingOf(intent: Stripe.PaymentIntent): PerformOutcome<CardOutcome> | { kind: 'unconfirmed' } {
  switch (intent.status) {
    case 'succeeded':
      return { kind: 'completed', result: { kind: 'completed', result: intent.id } };
    case 'requires_confirmation':
      return { kind: 'unconfirmed' };
    case 'requires_payment_method':
      return intent.last_payment_error === null
        ? unknown('the payment has lost its payment method at the provider')
        : declined(intent.last_payment_error);
    case 'canceled':
      // Final, and nothing was taken. When it was our own undo that cancelled it, the act is sealed and this answer
      // can't be stored; else somebody did it at the provider, or the provider did.
      return refused('the payment was cancelled at the card provider: place a new order');
    default:
      return unknown(`the payment is still ${intent.status} at the card provider`);
  }
}

async function giveBack(
  provider: Provider,
  payment: Attempt & { intentId: string },
): Promise<PerformOutcome<GivenBack>> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const asked = await ask(provider, payment.intentId);
    if (asked.kind === 'unknown') return asked;
    const { intent } = asked;
    if (intent.status === 'canceled') return { kind: 'completed', result: { amount: 0 } };
    const done =
      intent.status === 'succeeded' ? await refund(provider, payment, intent) : await cancel(provider, payment);
    // crash here: it is given back and nobody here knows it; the next attempt asks, and stores what it hears.
    if (done !== undefined) return done;
    // Lost, or refused because the payment has moved on meanwhile: ask what is left to do.
  }
  return unknown('the card provider has not given the payment back yet');
}

/**
 * Refunds what is left, and waits until all of it is given back for good: what the provider has only taken on may fail later, and
 * the customer would be charged for an order that has failed. Two at once can't give back more than was taken: the provider counts
 * per charge.
 */
async function refund(
  provider: Provider,
  payment: Attempt,
  intent: Stripe.PaymentIntent,
): Promise<PerformOutcome<GivenBack> | undefined> {
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
function standingOfRefunds(refunds: ProviderRefund[], received: number): PerformOutcome<GivenBack> | undefined {
  const sumOf = (state: ProviderRefund['state']) =>
    refunds.filter((one) => one.state === state).reduce((sum, { amount }) => sum + amount, 0);
  if (sumOf('succeeded') >= received) return { kind: 'completed', result: { amount: received } };
  const open = refunds.find(({ state }) => state === 'pending');
  if (open !== undefined) return pending(Date.now() - open.createdAtMs);
  const failed = refunds.find(({ state, refundId }) => state === 'failed' && refundId === UNDO_REFUND);
  if (failed === undefined) return undefined;
  return unknown(`the refund failed at the card provider (${failed.reason}): give it back there, then resume the saga`);
}

async function cancel(
  provider: Provider,
  payment: Attempt & { intentId: string },
): Promise<PerformOutcome<GivenBack> | undefined> {
  const cancelled = await provider.call(
    'cancel',
    provider.stripe.paymentIntents.cancel(payment.intentId, {}, { idempotencyKey: keyOf(payment, 'cancel') }),
  );
  return cancelled.kind === 'completed' ? { kind: 'completed', result: { amount: 0 } } : undefined;
}

/** At most 64 + 128 characters, the call's name and a count: within the provider's 255. */
function keyOf({ tenantId, key, attempt }: Attempt, call: CallName): string {
  return `${tenantId}:${key}:${call}:${attempt}`;
}

// Where the provider's smallest unit is not the one of ISO 4217, the same number would be a hundred times as much, or
// as little: https://docs.stripe.com/currencies
const OTHER_MINOR_UNITS = new Set(['ISK', 'MGA', 'UGX']);

/** What makes a failed creation final; any other fault leaves it open. */
function refusalOf(error: Stripe.errors.StripeError): PerformOutcome<CardOutcome> | undefined {
  if (isDecline(error)) return declined(error);
  const param = refusedParam(error);
  if (param === undefined) return undefined;
  return refused(
    `the card provider does not take the order’s ${param}${codeIn(error)}: place a new order with another`,
  );
}

function declined(error: { code?: string; decline_code?: string }): PerformOutcome<CardOutcome> {
  return refused(`the card was declined${codeIn(error)}: place a new order with another payment method`);
}

function refused(message: string): PerformOutcome<CardOutcome> {
  return { kind: 'completed', result: { kind: 'refused', reason: 'CARD_DECLINED', message } };
}

function unknown(detail: string): { kind: 'unknown'; detail: string } {
  return { kind: 'unknown', detail };
}
