/*
 * One attempt to charge a card. What makes it safe stands at the top of card.ts.
 */
import type { PerformOutcome } from '@holdfast/participant';
import type Stripe from 'stripe';
import { type Called, keyOf, type Provider } from '../provider.ts';
import type { AttachIntent, CardOutcome, CardPayment } from './card-payment.ts';
import { meaningOf, retryAfterMs } from './provider-errors.ts';
import {
  NOT_CONFIRMED_IN_TIME,
  type Pauses,
  refusalOf,
  refused,
  type Standing,
  standingOf,
  unknown,
  WINDOW_OVER,
  waitingForBank,
  waitingForCustomer,
} from './standing.ts';

type Outcome = PerformOutcome<CardOutcome>;
type Failed = Extract<Called<never>, { kind: 'failed' }>['error'];
/** An intent, with the customer's time to confirm it. */
interface Found {
  kind: 'intent';
  intent: Stripe.PaymentIntent;
  confirmBy: Date;
  leftMs: number;
  /** An earlier attempt may have told the customer's page its client secret. */
  isTold: boolean;
}

export interface ChargeSettings {
  windowMs: number;
  pauses: Pauses;
}

export async function chargeCard(
  provider: Provider,
  settings: ChargeSettings,
  payment: CardPayment,
  attach: AttachIntent,
): Promise<Outcome> {
  const found =
    payment.intentId === null
      ? await createIntent(provider, settings, payment, attach)
      : // An earlier attempt may have confirmed it: ask before anything else.
        await askAbout(provider, settings, payment, payment.intentId);
  if (found.kind !== 'intent') return found;
  const standing = standingOf(found.intent, payment);
  if (standing.kind !== 'unconfirmed') return await settle(provider, settings, payment, found, standing);
  return await confirm(provider, settings, payment, found);
}

/** Creating takes nothing: an intent that is created and never confirmed has no effect on the card. */
async function createIntent(
  provider: Provider,
  { windowMs }: ChargeSettings,
  payment: CardPayment,
  attach: AttachIntent,
): Promise<Found | Outcome> {
  if (OTHER_MINOR_UNITS.has(payment.currency)) {
    return refused(
      'CARD_DECLINED',
      `cards are not charged in ${payment.currency}: place a new order in another currency`,
    );
  }
  const created = await provider.call(
    'create',
    provider.stripe.paymentIntents.create(creation(payment), { idempotencyKey: keyOf(payment, 'create') }),
  );
  if (created.kind === 'failed')
    return afterFailure(created.error, payment, 'the card provider did not take the order in');
  // crash here: an intent that nobody knows is left unconfirmed at the provider; the next attempt makes another.
  const confirmBy = await attach(created.result.id);
  if (confirmBy === undefined) return unknown('this step was undone or taken over while it was running');
  return { kind: 'intent', intent: created.result, confirmBy, leftMs: windowMs, isTold: false };
}

function creation(payment: CardPayment): Stripe.PaymentIntentCreateParams {
  return {
    amount: payment.amount,
    currency: payment.currency.toLowerCase(),
    ...(payment.method !== null && { payment_method: payment.method }),
    ...(payment.providerCustomer !== null && { customer: payment.providerCustomer }),
    // What the account's settings allow. A method that sends the customer elsewhere needs a page to come back to.
    automatic_payment_methods: { enabled: true, allow_redirects: payment.returnUrl === null ? 'never' : 'always' },
    confirm: false,
    ...(payment.authorizeOnly && { capture_method: 'manual' }),
    metadata: { order_id: payment.orderId, tenant_id: payment.tenantId },
  };
}

async function askAbout(
  provider: Provider,
  { windowMs }: ChargeSettings,
  payment: CardPayment,
  intentId: string,
): Promise<Found | Outcome> {
  const asked = await ask(provider, intentId);
  if (asked.kind !== 'intent') return asked;
  const { confirmBy, leftMs } = payment;
  const time = { confirmBy: confirmBy ?? new Date(Date.now() + windowMs), leftMs: leftMs ?? windowMs };
  return { kind: 'intent', intent: asked.intent, ...time, isTold: true };
}

async function confirm(
  provider: Provider,
  settings: ChargeSettings,
  payment: CardPayment,
  found: Found,
): Promise<Outcome> {
  const { id } = found.intent;
  // crash here: the intent is stored and unconfirmed; the next attempt asks, and confirms it.
  const confirmed = await provider.call(
    'confirm',
    provider.stripe.paymentIntents.confirm(id, confirmation(payment), { idempotencyKey: keyOf(payment, 'confirm') }),
  );
  // crash here: the money may be taken and nobody here knows it; the next attempt asks, and stores what it hears.
  if (confirmed.kind === 'failed') {
    const meaning = meaningOf(confirmed.error);
    const isRefused = meaning === 'declined' || meaning === 'not-confirmed' || meaning === 'order';
    if (isRefused) {
      const standing: Standing = { kind: 'open-refusal', refusal: refusalOf(confirmed.error) };
      return await settle(provider, settings, payment, found, standing);
    }
  }
  const now =
    confirmed.kind === 'completed' ? { kind: 'intent' as const, intent: confirmed.result } : await ask(provider, id);
  if (now.kind !== 'intent') return now;
  const standing = standingOf(now.intent, payment);
  if (standing.kind !== 'unconfirmed') {
    return await settle(provider, settings, payment, { ...found, intent: now.intent }, standing);
  }
  const detail = 'the card provider has not confirmed the payment yet';
  return confirmed.kind === 'failed' ? afterFailure(confirmed.error, payment, detail) : unknown(detail);
}

function confirmation({ offSession, returnUrl, authorizeOnly }: CardPayment): Stripe.PaymentIntentConfirmParams {
  return {
    ...(offSession && { off_session: true }),
    ...(returnUrl !== null && { return_url: returnUrl }),
    // The charge says until when it can be captured.
    ...(authorizeOnly && { expand: ['latest_charge'] }),
  };
}

async function settle(
  provider: Provider,
  { windowMs, pauses }: ChargeSettings,
  payment: CardPayment,
  found: Found,
  standing: Exclude<Standing, { kind: 'unconfirmed' }>,
): Promise<Outcome> {
  const pauseMs = pauses(windowMs - found.leftMs);
  switch (standing.kind) {
    case 'decided':
      return standing.outcome;
    case 'awaits-bank':
      return waitingForBank(pauseMs);
    case 'open-refusal':
      // Who has the client secret could pay after all, and would have paid for an order that has failed.
      return found.isTold ? await close(provider, payment, found, standing.refusal) : standing.refusal;
    case 'awaits-customer':
      if (found.leftMs > 0) return waitingForCustomer(standing.data, { ...found, pauseMs });
      return await close(provider, payment, found, NOT_CONFIRMED_IN_TIME, WINDOW_OVER);
  }
}

/** Makes a refusal final at the provider before it is told; where the customer was faster, the payment is what counts. */
async function close(
  provider: Provider,
  payment: CardPayment,
  { intent: { id } }: Found,
  refusal: Outcome,
  reason?: typeof WINDOW_OVER,
): Promise<Outcome> {
  const params = reason === undefined ? {} : { cancellation_reason: reason };
  const cancelled = await provider.call(
    'cancel',
    provider.stripe.paymentIntents.cancel(id, params, { idempotencyKey: keyOf(payment, 'cancel') }),
  );
  // crash here: it is cancelled and nobody here knows it; the next attempt asks, and finds why.
  if (cancelled.kind === 'completed') return refusal;
  const now = await ask(provider, id);
  if (now.kind !== 'intent') return now;
  const standing = standingOf(now.intent, payment);
  if (standing.kind === 'decided') return standing.outcome;
  if (standing.kind === 'awaits-bank') return waitingForBank(CLOSING_PAUSE_MS);
  return afterFailure(cancelled.error, payment, 'the card provider has not cancelled the payment yet');
}

const CLOSING_PAUSE_MS = 1_000;

export async function ask(
  provider: Provider,
  intentId: string,
): Promise<{ kind: 'intent'; intent: Stripe.PaymentIntent } | Extract<Outcome, { kind: 'unknown' }>> {
  const asked = await provider.call(
    'retrieve',
    provider.stripe.paymentIntents.retrieve(intentId, { expand: ['latest_charge'] }),
  );
  if (asked.kind === 'completed') return { kind: 'intent', intent: asked.result };
  return unknown('the card provider could not be asked about the payment', retryAfterMs(asked.error));
}

// An operator has to come and mend it: seconds at first, half a minute in the end.
const OPERATOR_PAUSE = { baseMs: 500, capMs: 30_000 };

/** What a failed call leaves of the attempt: a refusal, or an open outcome that says what it waits for. */
function afterFailure(error: Failed, { attempt }: Pick<CardPayment, 'attempt'>, detail: string): Outcome {
  switch (meaningOf(error)) {
    case 'declined':
    case 'not-confirmed':
    case 'order':
      return refusalOf(error);
    case 'operator': {
      const pauseMs = Math.min(OPERATOR_PAUSE.capMs, OPERATOR_PAUSE.baseMs * 2 ** Math.min(attempt, 10));
      const { statusCode: status = 0, code = '' } = error;
      const named = /^[a-z_]{1,64}$/.test(code) ? ` ${code}` : '';
      return unknown(
        `the operator has to look at the card provider’s settings (${status}${named}): ${detail}`,
        pauseMs,
      );
    }
    default:
      return unknown(detail, retryAfterMs(error));
  }
}

// Where the provider's smallest unit is not the one of ISO 4217, the same number would be a hundred times as much, or
// as little: https://docs.stripe.com/currencies
const OTHER_MINOR_UNITS = new Set(['ISK', 'MGA', 'UGX']);
