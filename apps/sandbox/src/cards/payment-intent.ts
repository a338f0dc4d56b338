import { docUrl, type StripeError } from '../api/stripe-answer.ts';
import type { BankTimes } from '../bank/bank-times.ts';
import { type Decline, GENERIC_DECLINE, testCard } from './payment-methods.ts';

/**
 * What a payment intent may become, decided without touching anything: callers write the result, guarded by the
 * version that it was decided on.
 */

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled';

/** What happens to an object by itself. */
export type Due = 'succeed' | 'fail' | 'expire' | 'dispute';

/** Amounts in minor units; instants in Unix seconds, as Stripe has them. */
export interface Intent {
  intentId: string;
  version: number;
  amount: number;
  currency: string;
  status: IntentStatus;
  captureMethod: 'automatic' | 'manual';
  paymentMethod: string | null;
  customer: string | null;
  returnUrl: string | null;
  /** While the bank asks its customer: the page on which that is done. */
  nextAction: { url: string } | null;
  chargeId: string | null;
  amountReceived: number;
  amountCapturable: number;
  amountRefunded: number;
  disputed: boolean;
  lastPaymentError: StripeError | null;
  metadata: Record<string, string>;
  description: string | null;
  cancellationReason: string | null;
  canceledAt: number | null;
  createdAt: number;
  due: Due | null;
  /** With fractions of a second. */
  dueAt: number | null;
}

export const INTENT_COLUMNS = `
  i.intent_id as "intentId", i.version, i.amount, i.currency, i.status, i.capture_method as "captureMethod",
  i.payment_method as "paymentMethod", i.customer, i.return_url as "returnUrl", i.next_action as "nextAction",
  i.charge_id as "chargeId", i.amount_received as "amountReceived", i.amount_capturable as "amountCapturable",
  i.amount_refunded as "amountRefunded", i.disputed, i.last_payment_error as "lastPaymentError", i.metadata,
  i.description, i.cancellation_reason as "cancellationReason",
  extract(epoch from i.canceled_at)::bigint as "canceledAt", extract(epoch from i.created_at)::bigint as "createdAt",
  i.due, extract(epoch from i.due_at)::float8 as "dueAt"`;

export interface Attempt {
  /** Given with the confirmation; null keeps the intent's own. */
  paymentMethod: string | null;
  chargeId: string;
  /** A fault was drawn: the card is declined whatever it is. */
  refused: boolean;
  /** The customer is not there: who has to be asked is declined. */
  offSession: boolean;
  /** Nobody will bring an action about: what needs one is declined, and the intent is as it was. */
  errorOnAction: boolean;
  returnUrl: string | null;
  /** The page on which the bank asks its customer. */
  challengeUrl: string;
  times: BankTimes;
  /** Unix seconds. */
  at: number;
}

type Unexpected = { kind: 'unexpected-state'; message: string };
export type Confirmed =
  | { kind: 'moved'; intent: Intent }
  | { kind: 'declined'; intent: Intent; error: StripeError }
  | Unexpected;

const CONFIRMABLE: readonly IntentStatus[] = ['requires_payment_method', 'requires_confirmation', 'requires_action'];
const CANCELABLE: readonly IntentStatus[] = [...CONFIRMABLE, 'requires_capture'];

export function confirmIntent(intent: Intent, attempt: Attempt): Confirmed {
  if (intent.status === 'succeeded') {
    return unexpected('confirm', 'it has already succeeded after being previously confirmed.');
  }
  if (!CONFIRMABLE.includes(intent.status)) return unexpected('confirm', statusIs(intent, 'confirmed', CONFIRMABLE));
  const paymentMethod = attempt.paymentMethod ?? intent.paymentMethod;
  if (paymentMethod === null) {
    return unexpected('confirm', "it's missing a payment method. Confirm it again with a payment_method.");
  }
  const card = testCard(paymentMethod);
  const tried: Intent = {
    ...intent,
    version: intent.version + 1,
    chargeId: attempt.chargeId,
    paymentMethod,
    returnUrl: attempt.returnUrl ?? intent.returnUrl,
    nextAction: null,
    lastPaymentError: null,
  };
  if (attempt.refused || card === undefined) return declined(tried, GENERIC_DECLINE);
  if (card.authenticates && (attempt.offSession || attempt.errorOnAction))
    return declined(tried, AUTHENTICATION_REQUIRED);
  if (card.authenticates) {
    return {
      kind: 'moved',
      intent: { ...tried, status: 'requires_action', nextAction: { url: attempt.challengeUrl } },
    };
  }
  return charge(tried, attempt);
}

const AUTHENTICATION_REQUIRED: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

/** The bank's customer has answered, or has failed to. */
export function answerChallenge(
  intent: Intent,
  succeeds: boolean,
  attempt: Pick<Attempt, 'times' | 'at' | 'refused'>,
): Confirmed {
  if (intent.status !== 'requires_action') {
    return unexpected('authenticate', statusIs(intent, 'authenticated', ['requires_action']));
  }
  const answered = { ...intent, version: intent.version + 1, nextAction: null };
  if (!succeeds) {
    const error: StripeError = {
      type: 'invalid_request_error',
      code: 'payment_intent_authentication_failure',
      message: 'The provided PaymentMethod has failed authentication. Provide another one, or try again with it.',
      ...docUrl('payment_intent_authentication_failure'),
    };
    return { kind: 'moved', intent: failed(answered, error) };
  }
  if (attempt.refused) return asFailed(declined(answered, GENERIC_DECLINE));
  return asFailed(charge(answered, attempt));
}

/** The page that asked gets the intent as it has become, a decline being one of the things that may become of it. */
function asFailed(confirmed: Confirmed): Confirmed {
  return confirmed.kind === 'declined' ? { kind: 'moved', intent: confirmed.intent } : confirmed;
}

function charge(tried: Intent, { times, at }: Pick<Attempt, 'times' | 'at'>): Confirmed {
  const card = testCard(tried.paymentMethod ?? '');
  if (card === undefined) return declined(tried, GENERIC_DECLINE);
  if (card.settles !== 'at-once') {
    const later: Pick<Intent, 'due' | 'dueAt'> =
      card.settles === 'by-hand'
        ? { due: null, dueAt: null }
        : { due: card.decline === null ? 'succeed' : 'fail', dueAt: at + times.settleMs / 1_000 };
    return { kind: 'moved', intent: { ...tried, status: 'processing', ...later } };
  }
  if (card.decline !== null) return declined(tried, card.decline);
  if (tried.captureMethod === 'manual') {
    const dueAt = at + times.authorizationMs / 1_000;
    const intent: Intent = {
      ...tried,
      status: 'requires_capture',
      amountCapturable: tried.amount,
      due: 'expire',
      dueAt,
    };
    return { kind: 'moved', intent };
  }
  return { kind: 'moved', intent: captured(tried, tried.amount, times, at) };
}

function captured(intent: Intent, amount: number, times: BankTimes, at: number): Intent {
  const disputes = testCard(intent.paymentMethod ?? '')?.disputes ?? null;
  return {
    ...intent,
    status: 'succeeded',
    amountReceived: amount,
    amountCapturable: 0,
    due: disputes === null ? null : 'dispute',
    dueAt: disputes === null ? null : at + times.disputeMs / 1_000,
  };
}

/** The bank has decided about a payment that was processing. */
export function settleIntent(intent: Intent, succeeds: boolean, times: BankTimes, at: number): Confirmed {
  if (intent.status !== 'processing') return unexpected('settle', statusIs(intent, 'settled', ['processing']));
  const next: Intent = { ...intent, version: intent.version + 1, due: null, dueAt: null };
  if (succeeds) return { kind: 'moved', intent: captured(next, intent.amount, times, at) };
  return asFailed(declined(next, testCard(intent.paymentMethod ?? '')?.decline ?? GENERIC_DECLINE));
}

export type Captured = { kind: 'captured'; intent: Intent } | Unexpected;

/** @param amount null: all of it */
export function captureIntent(intent: Intent, amount: number | null, times: BankTimes, at: number): Captured {
  if (intent.status !== 'requires_capture') {
    return unexpected('capture', statusIs(intent, 'captured', ['requires_capture']));
  }
  const next = { ...intent, version: intent.version + 1 };
  return { kind: 'captured', intent: captured(next, amount ?? intent.amountCapturable, times, at) };
}

export type Canceled = { kind: 'canceled'; intent: Intent } | Unexpected;

/** @param at Unix seconds */
export function cancelIntent(intent: Intent, reason: string | null, at: number): Canceled {
  if (!CANCELABLE.includes(intent.status)) return unexpected('cancel', statusIs(intent, 'canceled', CANCELABLE));
  const canceled: Intent = {
    ...intent,
    version: intent.version + 1,
    status: 'canceled',
    nextAction: null,
    amountCapturable: 0,
    cancellationReason: reason,
    canceledAt: at,
    due: null,
    dueAt: null,
  };
  return { kind: 'canceled', intent: canceled };
}

function statusIs({ status }: Intent, done: string, allowed: readonly IntentStatus[]): string {
  return (
    `it has a status of ${status}. Only a PaymentIntent with one of the following statuses may be ${done}: ` +
    `${allowed.join(', ')}.`
  );
}

function unexpected(verb: string, because: string): Unexpected {
  return { kind: 'unexpected-state', message: `You cannot ${verb} this PaymentIntent because ${because}` };
}

function declined(tried: Intent, { code, declineCode, message }: Decline): Confirmed {
  const error: StripeError = {
    type: 'card_error',
    code,
    ...(declineCode !== undefined && { decline_code: declineCode }),
    message,
    ...(tried.chargeId !== null && { charge: tried.chargeId }),
    ...docUrl(code),
  };
  return { kind: 'declined', intent: failed(tried, error), error };
}

/** As Stripe does it: the method that failed is detached, the next confirmation must bring one. */
function failed(tried: Intent, lastPaymentError: StripeError): Intent {
  return { ...tried, status: 'requires_payment_method', paymentMethod: null, nextAction: null, lastPaymentError };
}
