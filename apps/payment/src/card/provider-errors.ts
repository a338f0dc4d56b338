/*
 * What an error of the card provider means, by its status, code and type: one table. A test compares it with the lists of the
 * official SDK, so that a code which a new version brings does not go unread.
 */
import Stripe from 'stripe';

/**
 * - declined       the bank refuses this card: nothing was taken, and asking again would not change it
 * - not-confirmed  the bank wants its customer to confirm, and nobody is there
 * - order          the provider does not take what the order brings: amount, currency, payment method
 * - by-param       as `order` where it names one of these, else as `operator`
 * - moved          the object is not in the state that we took it to be in: ask
 * - later          it could not do it now: ask again
 * - operator       our set-up, or a fault of ours: it stays open until a person mends it
 */
export type Meaning = 'declined' | 'not-confirmed' | 'order' | 'moved' | 'later' | 'operator';

/** Without `any other string`, which the SDK adds to its lists. */
type Listed<T> = T extends string ? (string extends T ? never : T) : never;
type Code = Listed<Stripe.PaymentIntent.LastPaymentError.Code>;

/** Codes that are not listed here are about things that we never ask for: they mean `operator`. */
export const CODES: Readonly<Record<Exclude<Meaning, 'operator'> | 'by-param', readonly string[]>> = {
  declined: [
    'account_closed',
    'account_number_invalid',
    'approval_required',
    'authentication_failure',
    'bank_account_declined',
    'bank_account_restricted',
    'bank_account_unusable',
    'bank_account_unverified',
    'billing_invalid_mandate',
    'card_decline_rate_limit_exceeded',
    'card_declined',
    'cardholder_phone_number_required',
    'charge_exceeds_source_limit',
    'charge_exceeds_transaction_limit',
    'debit_not_authorized',
    'expired_card',
    'expired_payment_method',
    'incorrect_address',
    'incorrect_cvc',
    'incorrect_number',
    'incorrect_postal_code',
    'incorrect_zip',
    'india_recurring_payment_mandate_canceled',
    'insufficient_funds',
    'invalid_card_type',
    'invalid_cvc',
    'invalid_expiry_month',
    'invalid_expiry_year',
    'invalid_number',
    'no_account',
    'payment_intent_authentication_failure',
    'payment_intent_konbini_rejected_confirmation_number',
    'payment_intent_mandate_invalid',
    'payment_intent_payment_attempt_expired',
    'payment_intent_payment_attempt_failed',
    'payment_method_bank_account_blocked',
    'payment_method_billing_details_address_missing',
    'payment_method_customer_decline',
    'payment_method_microdeposit_failed',
    'payment_method_microdeposit_verification_attempts_exceeded',
    'payment_method_microdeposit_verification_timeout',
    'payment_method_not_available',
    'payment_method_provider_decline',
    'payment_method_provider_timeout',
    'payment_method_restricted',
    'postal_code_invalid',
    'processing_error',
    'refer_to_customer',
    'request_blocked',
    'routing_number_invalid',
    'sepa_unsupported_account',
    'three_d_secure_authentication_not_supported',
    'token_already_used',
    'token_card_network_invalid',
  ],
  'not-confirmed': [
    'authentication_required',
    'invoice_payment_intent_requires_action',
    'payment_intent_action_required',
  ],
  order: [
    'amount_too_large',
    'amount_too_small',
    'invalid_charge_amount',
    'payment_intent_incompatible_payment_method',
    'payment_method_currency_mismatch',
    'payment_method_unactivated',
    'payment_method_unexpected_state',
    'payment_method_unsupported_type',
  ],
  'by-param': [
    'invalid_characters',
    'parameter_invalid_empty',
    'parameter_invalid_integer',
    'parameter_invalid_string_blank',
    'parameter_invalid_string_empty',
    'payment_intent_invalid_parameter',
    'payment_method_invalid_parameter',
    'payment_method_invalid_parameter_testmode',
    'resource_missing',
    'url_invalid',
  ],
  moved: [
    'capture_charge_authorization_expired',
    'charge_already_captured',
    'charge_already_refunded',
    'charge_disputed',
    'charge_expired_for_capture',
    'charge_not_refundable',
    'intent_invalid_state',
    'payment_intent_unexpected_state',
    'refund_disputed_payment',
    'resource_already_exists',
    'return_intent_already_processed',
    'status_transition_invalid',
  ],
  later: [
    'idempotency_key_in_use',
    'lock_timeout',
    'payment_intent_rate_limit_exceeded',
    'rate_limit',
    'three_d_secure_authentication_upstream_error',
    'token_in_use',
  ],
} satisfies Record<Exclude<Meaning, 'operator'> | 'by-param', readonly Code[]>;

/** Where neither status nor code says more. */
export const TYPES: Readonly<Record<string, Meaning | 'by-param'>> = {
  card_error: 'declined',
  invalid_request_error: 'by-param',
  api_error: 'later',
  rate_limit_error: 'later',
  rate_limit: 'later',
  idempotency_error: 'operator',
  authentication_error: 'operator',
  insufficient_funds: 'declined',
  invalid_payment_method: 'declined',
  blocked_by_stripe: 'declined',
  invalid_vaulted_credential: 'declined',
  already_canceled: 'moved',
  not_cancelable: 'moved',
  invalid_grant: 'operator',
  invalid_client: 'operator',
  invalid_request: 'operator',
  invalid_scope: 'operator',
  unsupported_grant_type: 'operator',
  unsupported_response_type: 'operator',
  cannot_proceed: 'operator',
  capability_not_enabled: 'operator',
  controlled_by_alternate_resource: 'operator',
  feature_not_enabled: 'operator',
  financial_account_not_open: 'operator',
  fx_quote_needs_refresh: 'operator',
  invalid_payout_method: 'operator',
  quota_exceeded: 'operator',
  recipient_not_notifiable: 'operator',
  temporary_session_expired: 'operator',
  verification_attempt_failed: 'operator',
  verification_expired: 'operator',
  verification_not_initiated: 'operator',
};

const BY_CODE = new Map(Object.entries(CODES).flatMap(([meaning, codes]) => codes.map((code) => [code, meaning])));

/** What is known of an error, thrown by the SDK or kept with an intent. */
export interface ProviderError {
  statusCode?: number | undefined;
  code?: string | undefined;
  decline_code?: string | undefined;
  param?: string | undefined;
  rawType?: string | undefined;
  /** Of an error that is kept with an intent. */
  type?: string;
}

// What the order itself brings. A fault that names one of these is the order's own, not one of our set-up.
const PARAMS_OF_THE_ORDER = new Set(['amount', 'currency', 'payment_method', 'return_url', 'customer']);

export function meaningOf(error: ProviderError): Meaning {
  const { statusCode: status, code = '', param = '' } = error;
  if (status === 401 || status === 403) return 'operator';
  if (status === 429) return 'later';
  // No status: nothing was heard. 409: another call under the key, or on the object, is under way.
  if (error instanceof Stripe.errors.StripeError && (status === undefined || status >= 500 || status === 409))
    return 'later';
  const listed = BY_CODE.get(code) as Meaning | 'by-param' | undefined;
  const meaning = listed ?? TYPES[error.rawType ?? error.type ?? ''] ?? 'operator';
  if (meaning !== 'by-param') return meaning;
  return PARAMS_OF_THE_ORDER.has(param) ? 'order' : 'operator';
}

/** The least time before the provider is asked again, as it says it; undefined where it does not. */
export function retryAfterMs({ headers }: { headers?: Record<string, string> }): number | undefined {
  const seconds = headers?.['retry-after'];
  return seconds !== undefined && /^\d{1,5}$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

/** The provider's code, for people. Only what looks like one: its messages may hold more than we want to repeat. */
export function codeIn(error: { code?: string; decline_code?: string }): string {
  const code = error.decline_code || error.code || '';
  return /^[a-z_]{1,64}$/.test(code) ? ` (${code})` : '';
}
