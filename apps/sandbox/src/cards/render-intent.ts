import { createHash } from 'node:crypto';
import type { Intent } from './payment-intent.ts';

/** In Stripe's shape. */
export function renderIntent(intent: Intent, expand: ReadonlySet<string> = new Set()): object {
  return {
    id: intent.intentId,
    object: 'payment_intent',
    allowed_payment_method_types: ['card'],
    amount: intent.amount,
    amount_capturable: intent.amountCapturable,
    amount_received: intent.amountReceived,
    automatic_payment_methods: null,
    canceled_at: intent.canceledAt,
    cancellation_reason: intent.cancellationReason,
    capture_method: intent.captureMethod,
    client_secret: clientSecretOf(intent.intentId),
    confirmation_method: 'automatic',
    created: intent.createdAt,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    last_payment_error: intent.lastPaymentError,
    latest_charge: expand.has('latest_charge') ? renderCharge(intent) : intent.chargeId,
    livemode: false,
    metadata: intent.metadata,
    next_action: renderAction(intent),
    payment_method: intent.paymentMethod,
    payment_method_types: ['card'],
    processing: null,
    receipt_email: null,
    setup_future_usage: null,
    shipping: null,
    status: intent.status,
  };
}

/** With a page to come back to, the customer is sent to the bank; without one, the shop's page shows it in a frame. */
function renderAction({ nextAction, returnUrl }: Intent): object | null {
  if (nextAction === null) return null;
  if (returnUrl !== null) {
    return { type: 'redirect_to_url', redirect_to_url: { url: nextAction.url, return_url: returnUrl } };
  }
  return { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: nextAction.url } };
}

function renderCharge(intent: Intent): object | null {
  if (intent.chargeId === null) return null;
  const paid = intent.amountReceived > 0 || intent.status === 'requires_capture';
  return {
    id: intent.chargeId,
    object: 'charge',
    amount: intent.amount,
    amount_captured: intent.amountReceived,
    // What a capture in part has left of the authorisation is counted as given back.
    amount_refunded: intent.amountRefunded + (intent.amountReceived > 0 ? intent.amount - intent.amountReceived : 0),
    captured: intent.amountReceived > 0,
    created: intent.createdAt,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: intent.disputed,
    failure_code: intent.lastPaymentError?.code ?? null,
    failure_message: intent.lastPaymentError?.message ?? null,
    livemode: false,
    metadata: intent.metadata,
    paid,
    payment_intent: intent.intentId,
    payment_method: intent.paymentMethod,
    payment_method_details: {
      type: 'card',
      card: { ...(intent.due === 'expire' && { capture_before: Math.floor(intent.dueAt ?? 0) }) },
    },
    refunded: paid && intent.amountRefunded > 0 && intent.amountRefunded === intent.amountReceived,
    status: chargeStatus(intent, paid),
  };
}

function chargeStatus({ status }: Intent, paid: boolean): string {
  if (paid) return 'succeeded';
  return status === 'processing' || status === 'requires_action' ? 'pending' : 'failed';
}

// Derived, so that every rendering of an intent shows the same one without a column for it.
export function clientSecretOf(intentId: string): string {
  return `${intentId}_secret_${createHash('sha256').update(`${intentId}:client-secret`).digest('hex').slice(0, 24)}`;
}

/** @returns the intent that a client secret belongs to; null for none */
export function intentOfClientSecret(clientSecret: string): string | null {
  const [intentId = ''] = clientSecret.split('_secret_');
  return clientSecretOf(intentId) === clientSecret ? intentId : null;
}
