import { createHash } from 'node:crypto';
import { docUrl, invalidRequest, type StripeAnswer, type StripeError } from './stripe-answer.ts';

/**
 * What a payment intent may become, decided without touching anything: callers write the result, guarded by the
 * version that it was decided on.
 */

export type IntentStatus = 'requires_payment_method' | 'requires_confirmation' | 'succeeded' | 'canceled';

/** Amounts in minor units; instants in Unix seconds, as Stripe has them. */
export interface Intent {
  intentId: string;
  version: number;
  amount: number;
  currency: string;
  status: IntentStatus;
  paymentMethod: string | null;
  chargeId: string | null;
  amountReceived: number;
  amountRefunded: number;
  lastPaymentError: StripeError | null;
  metadata: Record<string, string>;
  description: string | null;
  cancellationReason: string | null;
  canceledAt: number | null;
  createdAt: number;
}

export const INTENT_COLUMNS = `
  i.intent_id as "intentId", i.version, i.amount, i.currency, i.status, i.payment_method as "paymentMethod",
  i.charge_id as "chargeId", i.amount_received as "amountReceived", i.amount_refunded as "amountRefunded",
  i.last_payment_error as "lastPaymentError", i.metadata, i.description,
  i.cancellation_reason as "cancellationReason", extract(epoch from i.canceled_at)::bigint as "canceledAt",
  extract(epoch from i.created_at)::bigint as "createdAt"`;

type Declines = { kind: 'declines'; declineCode: string; message: string };
type Card = { kind: 'approves' } | Declines;

const GENERIC_DECLINE: Declines = {
  kind: 'declines',
  declineCode: 'generic_decline',
  message: 'Your card was declined.',
};
const TEST_CARDS = new Map<string, Card>([
  ['pm_card_visa', { kind: 'approves' }],
  ['pm_card_mastercard', { kind: 'approves' }],
  ['pm_card_chargeDeclined', GENERIC_DECLINE],
  [
    'pm_card_chargeDeclinedInsufficientFunds',
    { kind: 'declines', declineCode: 'insufficient_funds', message: 'Your card has insufficient funds.' },
  ],
]);

/** The answer to a payment method that does not exist, or null. */
export function paymentMethodFault(paymentMethod: string | null): StripeAnswer | null {
  if (paymentMethod === null || TEST_CARDS.has(paymentMethod)) return null;
  const message = `No such PaymentMethod: '${paymentMethod}'. Use one of ${[...TEST_CARDS.keys()].join(', ')}.`;
  return invalidRequest(message, { code: 'resource_missing', param: 'payment_method' });
}

export interface Attempt {
  /** Given with the confirmation; null keeps the intent's own. */
  paymentMethod: string | null;
  chargeId: string;
  /** A fault was drawn: the card is declined whatever it is. */
  refused: boolean;
}

export type Confirmed =
  | { kind: 'captured'; intent: Intent }
  | { kind: 'declined'; intent: Intent; error: StripeError }
  | { kind: 'unexpected-state'; message: string };

export function confirmIntent(intent: Intent, attempt: Attempt): Confirmed {
  if (intent.status === 'succeeded') {
    return unexpected('confirm', 'it has already succeeded after being previously confirmed.');
  }
  if (intent.status === 'canceled') {
    return unexpected(
      'confirm',
      'it has a status of canceled. Only a PaymentIntent with one of the following statuses may be confirmed: ' +
        'requires_payment_method, requires_confirmation.',
    );
  }
  const paymentMethod = attempt.paymentMethod ?? intent.paymentMethod;
  if (paymentMethod === null) {
    return unexpected('confirm', "it's missing a payment method. Confirm it again with a payment_method.");
  }
  const card = (attempt.refused ? undefined : TEST_CARDS.get(paymentMethod)) ?? GENERIC_DECLINE;
  const tried = { ...intent, version: intent.version + 1, chargeId: attempt.chargeId };
  if (card.kind === 'approves') {
    const captured: Intent = {
      ...tried,
      status: 'succeeded',
      paymentMethod,
      amountReceived: intent.amount,
      lastPaymentError: null,
    };
    return { kind: 'captured', intent: captured };
  }
  const error = declineOf(card, attempt.chargeId);
  const declined: Intent = {
    ...tried,
    status: 'requires_payment_method',
    // As Stripe does it: the declined method is detached, the next confirmation must bring one.
    paymentMethod: null,
    lastPaymentError: error,
  };
  return { kind: 'declined', intent: declined, error };
}

export type Canceled = { kind: 'canceled'; intent: Intent } | { kind: 'unexpected-state'; message: string };

/** @param at Unix seconds */
export function cancelIntent(intent: Intent, reason: string | null, at: number): Canceled {
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    return unexpected(
      'cancel',
      `it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be ` +
        'canceled: requires_payment_method, requires_confirmation.',
    );
  }
  const canceled: Intent = {
    ...intent,
    version: intent.version + 1,
    status: 'canceled',
    cancellationReason: reason,
    canceledAt: at,
  };
  return { kind: 'canceled', intent: canceled };
}

function unexpected(verb: string, because: string): { kind: 'unexpected-state'; message: string } {
  return { kind: 'unexpected-state', message: `You cannot ${verb} this PaymentIntent because ${because}` };
}

function declineOf(card: Declines, charge: string): StripeError {
  return {
    type: 'card_error',
    code: 'card_declined',
    decline_code: card.declineCode,
    message: card.message,
    charge,
    ...docUrl('card_declined'),
  };
}

/** In Stripe's shape. */
export function renderIntent(intent: Intent, expand: ReadonlySet<string> = new Set()): object {
  return {
    id: intent.intentId,
    object: 'payment_intent',
    allowed_payment_method_types: ['card'],
    amount: intent.amount,
    amount_capturable: 0,
    amount_received: intent.amountReceived,
    automatic_payment_methods: null,
    canceled_at: intent.canceledAt,
    cancellation_reason: intent.cancellationReason,
    capture_method: 'automatic',
    client_secret: clientSecretOf(intent.intentId),
    confirmation_method: 'automatic',
    created: intent.createdAt,
    currency: intent.currency,
    customer: null,
    description: intent.description,
    last_payment_error: intent.lastPaymentError,
    latest_charge: expand.has('latest_charge') ? renderCharge(intent) : intent.chargeId,
    livemode: false,
    metadata: intent.metadata,
    next_action: null,
    payment_method: intent.paymentMethod,
    payment_method_types: ['card'],
    processing: null,
    receipt_email: null,
    setup_future_usage: null,
    shipping: null,
    status: intent.status,
  };
}

function renderCharge(intent: Intent): object | null {
  if (intent.chargeId === null) return null;
  const paid = intent.amountReceived > 0;
  return {
    id: intent.chargeId,
    object: 'charge',
    amount: intent.amount,
    amount_captured: intent.amountReceived,
    amount_refunded: intent.amountRefunded,
    captured: paid,
    created: intent.createdAt,
    currency: intent.currency,
    description: intent.description,
    disputed: false,
    failure_code: intent.lastPaymentError?.code ?? null,
    failure_message: intent.lastPaymentError?.message ?? null,
    livemode: false,
    metadata: intent.metadata,
    paid,
    payment_intent: intent.intentId,
    payment_method: intent.paymentMethod,
    refunded: paid && intent.amountRefunded === intent.amountReceived,
    status: paid ? 'succeeded' : 'failed',
  };
}

// Derived, so that every rendering of an intent shows the same one without a column for it.
function clientSecretOf(intentId: string): string {
  return `${intentId}_secret_${createHash('sha256').update(`${intentId}:client-secret`).digest('hex').slice(0, 24)}`;
}
