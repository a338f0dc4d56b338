import type { PerformOutcome, Waiting } from '@holdfast/participant';
import type Stripe from 'stripe';
import type { CardOutcome, CardPayment } from './card-payment.ts';
import { codeIn, meaningOf, type ProviderError } from './provider-errors.ts';

/** What an intent's state says about its charge. */
export type Standing =
  | { kind: 'unconfirmed' }
  | { kind: 'decided'; outcome: PerformOutcome<CardOutcome> }
  /** Nothing was taken, and this payment is given up; whoever has its client secret could still pay it. */
  | { kind: 'open-refusal'; refusal: PerformOutcome<CardOutcome> }
  /** The customer has to act. */
  | { kind: 'awaits-customer'; data: ActionData }
  /** The customer has done so, and the bank decides. */
  | { kind: 'awaits-bank' };

/** What is told to whoever can act; the client secret opens this one payment and nothing else. */
export type ActionData =
  | { type: 'confirm'; clientSecret: string }
  | { type: 'authenticate'; clientSecret: string }
  | { type: 'redirect'; redirectUrl: string; clientSecret: string };

/** How long to wait before the provider is asked again, when nothing is heard from it. */
export type Pauses = (waitedMs: number) => number;

/** Growing, so that who confirms at once is served at once, and who does not costs little. */
export const pausesWithoutWebhooks: Pauses = (waitedMs) => within(1_000, waitedMs / 4, 30_000);
/** The provider tells of every change; this is for what it tells and nobody hears. */
export const pausesWithWebhooks: Pauses = (waitedMs) => within(30_000, waitedMs, 600_000);

/** Of an undo that a bank holds up, for hours or for days: by these pauses its attempts last for more than two weeks. */
export const pausesOfBank: Pauses = (waitedMs) => within(30_000, waitedMs / 4, 900_000);

function within(leastMs: number, ms: number, mostMs: number): number {
  return Math.min(Math.max(ms, leastMs), mostMs);
}

export function standingOf(
  intent: Stripe.PaymentIntent,
  { method, authorizeOnly }: Pick<CardPayment, 'method' | 'authorizeOnly'>,
): Standing {
  switch (intent.status) {
    case 'requires_capture':
    case 'succeeded':
      // Set aside although we did not ask for that: nothing is taken, and nobody would ever capture it.
      if (intent.status === 'requires_capture' && !authorizeOnly) {
        return decided(unknown('the payment is only authorised at the card provider: capture or cancel it there'));
      }
      return decided(takenBy(intent, authorizeOnly));
    case 'requires_confirmation':
      return method === null ? toConfirm(intent) : { kind: 'unconfirmed' };
    case 'requires_payment_method':
      // On the shop's page, a card that failed is followed by another one.
      if (method === null) return toConfirm(intent);
      return intent.last_payment_error === null
        ? decided(unknown('the payment has lost its payment method at the provider'))
        : { kind: 'open-refusal', refusal: refusalOf(intent.last_payment_error) };
    case 'requires_action':
      return toAuthenticate(intent);
    case 'processing':
      return { kind: 'awaits-bank' };
    case 'canceled':
      return decided(whyCanceled(intent));
    default:
      return decided(unknown(`the payment is still ${intent.status} at the card provider`));
  }
}

function takenBy(intent: Stripe.PaymentIntent, authorizeOnly: boolean): PerformOutcome<CardOutcome> {
  const authorizedUntil = authorizeOnly ? capturableUntil(intent) : null;
  return { kind: 'completed', result: { kind: 'completed', result: { intentId: intent.id, authorizedUntil } } };
}

/** As the provider says where the charge comes with the intent; else what cards have at least, from when it was made. */
function capturableUntil({ latest_charge: charge, created }: Stripe.PaymentIntent): Date {
  const card = charge !== null && typeof charge === 'object' ? charge.payment_method_details?.card : undefined;
  return new Date((card?.capture_before ?? created + LEAST_AUTHORIZATION_S) * 1_000);
}

// Visa's, of payments without the card: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
const LEAST_AUTHORIZATION_S = 5 * 24 * 60 * 60;

/** Final, and nothing was taken. When our own undo cancelled it, the act is sealed and this can't be stored. */
function whyCanceled({ cancellation_reason: reason, last_payment_error: error }: Stripe.PaymentIntent) {
  if (reason === WINDOW_OVER) return NOT_CONFIRMED_IN_TIME;
  if (error !== null) return refusalOf(error);
  return refused('CARD_DECLINED', 'the payment was cancelled at the card provider: place a new order');
}

function toConfirm(intent: Stripe.PaymentIntent): Standing {
  if (intent.client_secret === null) return decided(unknown('the card provider shows no client secret'));
  return { kind: 'awaits-customer', data: { type: 'confirm', clientSecret: intent.client_secret } };
}

function toAuthenticate({ client_secret: clientSecret, next_action: action }: Stripe.PaymentIntent): Standing {
  if (clientSecret === null) return decided(unknown('the card provider shows no client secret'));
  const redirectUrl = action?.redirect_to_url?.url;
  const data: ActionData =
    typeof redirectUrl === 'string'
      ? { type: 'redirect', redirectUrl, clientSecret }
      : { type: 'authenticate', clientSecret };
  return { kind: 'awaits-customer', data };
}

/** @param confirmBy told to the customer @param leftMs until then */
export function waitingForCustomer(data: ActionData, { confirmBy, leftMs, pauseMs }: WaitTimes): Waiting {
  return {
    kind: 'waiting',
    reason: data.type === 'confirm' ? 'CUSTOMER_PAYS' : 'CUSTOMER_AUTHENTICATES',
    data: { ...data, expiresAt: confirmBy.toISOString() },
    // Soon after the window's end, if nothing happens before.
    waitMs: Math.min(pauseMs, Math.max(leftMs, 0) + AFTER_WINDOW_MS),
  };
}

export interface WaitTimes {
  confirmBy: Date;
  leftMs: number;
  pauseMs: number;
}

const AFTER_WINDOW_MS = 100;

export function waitingForBank(pauseMs: number): Waiting {
  return { kind: 'waiting', reason: 'BANK_DECIDES', data: { type: 'processing' }, waitMs: pauseMs };
}

/** With what reason an intent is cancelled that was not confirmed in time: so an attempt whose answer was lost is understood. */
export const WINDOW_OVER = 'abandoned';

export const NOT_CONFIRMED_IN_TIME = refused(
  'PAYMENT_NOT_CONFIRMED',
  'the customer did not confirm the payment in time: place a new order',
);

/** What makes a failed attempt final. */
export function refusalOf(error: ProviderError): PerformOutcome<CardOutcome> {
  const code = codeIn(error as { code?: string; decline_code?: string });
  switch (meaningOf(error)) {
    case 'not-confirmed':
      return refused(
        'PAYMENT_NOT_CONFIRMED',
        `the bank asks its customer to confirm${code}: place a new order while the customer is there, without offSession`,
      );
    case 'order': {
      const what = error.param ?? (error.code?.startsWith('amount') ? 'amount' : 'payment method');
      return refused(
        'CARD_DECLINED',
        `the card provider does not take the order’s ${what}${code}: place a new order with another`,
      );
    }
    default:
      if (error.code === 'payment_intent_authentication_failure') {
        return refused(
          'CARD_DECLINED',
          `the customer did not pass the bank’s check${code}: place a new order, with another payment method if need be`,
        );
      }
      return refused('CARD_DECLINED', `the card was declined${code}: place a new order with another payment method`);
  }
}

export function refused(
  reason: 'CARD_DECLINED' | 'PAYMENT_NOT_CONFIRMED',
  message: string,
): PerformOutcome<CardOutcome> {
  return { kind: 'completed', result: { kind: 'refused', reason, message } };
}

function decided(outcome: PerformOutcome<CardOutcome>): Standing {
  return { kind: 'decided', outcome };
}

export function unknown(detail: string, retryAfterMs?: number): Extract<PerformOutcome<never>, { kind: 'unknown' }> {
  return { kind: 'unknown', detail, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
