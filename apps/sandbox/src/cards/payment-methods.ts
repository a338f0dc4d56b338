import { invalidRequest, type StripeAnswer } from '../api/stripe-answer.ts';

/**
 * Payment methods by the names that Stripe's own test mode has for them, and what their bank does.
 * https://docs.stripe.com/testing
 */

export interface Decline {
  /** Of the error. */
  code: string;
  declineCode?: string;
  message: string;
}

export interface TestCard {
  /** Null: it pays. */
  decline: Decline | null;
  /** The bank asks its customer first, unless nobody is there. */
  authenticates: boolean;
  /** `later`: the intent is processing until the bank has decided; `by-hand`: until it is told to. */
  settles: 'at-once' | 'later' | 'by-hand';
  refunds: 'at-once' | 'pending' | 'fails-later';
  /** The customer disputes the payment, for this reason. */
  disputes: string | null;
}

const declined = (declineCode: string, message: string): Decline => ({ code: 'card_declined', declineCode, message });
export const GENERIC_DECLINE = declined('generic_decline', 'Your card was declined.');
const INSUFFICIENT_FUNDS = declined('insufficient_funds', 'Your card has insufficient funds.');
const PROCESSING_ERROR = {
  code: 'processing_error',
  declineCode: 'processing_error',
  message: 'An error occurred while processing your card. Try again in a little bit.',
};

const PAYS: TestCard = { decline: null, authenticates: false, settles: 'at-once', refunds: 'at-once', disputes: null };
const bankAccount = (decline: Decline | null): TestCard => ({ ...PAYS, decline, settles: 'later', refunds: 'pending' });

const TEST_CARDS = new Map<string, TestCard>([
  ['pm_card_visa', PAYS],
  ['pm_card_mastercard', PAYS],
  ['pm_card_amex', PAYS],
  ['pm_card_chargeDeclined', { ...PAYS, decline: GENERIC_DECLINE }],
  ['pm_card_visa_chargeDeclined', { ...PAYS, decline: GENERIC_DECLINE }],
  ['pm_card_chargeDeclinedInsufficientFunds', { ...PAYS, decline: INSUFFICIENT_FUNDS }],
  [
    'pm_card_chargeDeclinedExpiredCard',
    { ...PAYS, decline: { code: 'expired_card', declineCode: 'expired_card', message: 'Your card has expired.' } },
  ],
  [
    'pm_card_chargeDeclinedIncorrectCvc',
    {
      ...PAYS,
      decline: {
        code: 'incorrect_cvc',
        declineCode: 'incorrect_cvc',
        message: "Your card's security code is incorrect.",
      },
    },
  ],
  ['pm_card_chargeDeclinedProcessingError', { ...PAYS, decline: PROCESSING_ERROR }],
  ['pm_card_authenticationRequired', { ...PAYS, authenticates: true }],
  ['pm_card_threeDSecure2Required', { ...PAYS, authenticates: true }],
  ['pm_card_threeDSecureRequired', { ...PAYS, authenticates: true }],
  ['pm_card_threeDSecureOptional', PAYS],
  ['pm_card_threeDSecureRequiredChargeDeclined', { ...PAYS, authenticates: true, decline: GENERIC_DECLINE }],
  [
    'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
    { ...PAYS, authenticates: true, decline: INSUFFICIENT_FUNDS },
  ],
  ['pm_card_threeDSecureRequiredProcessingError', { ...PAYS, authenticates: true, decline: PROCESSING_ERROR }],
  ['pm_card_pendingRefund', { ...PAYS, refunds: 'pending' }],
  ['pm_card_refundFail', { ...PAYS, refunds: 'fails-later' }],
  ['pm_card_createDispute', { ...PAYS, disputes: 'fraudulent' }],
  ['pm_card_createDisputeProductNotReceived', { ...PAYS, disputes: 'product_not_received' }],
  ['pm_usBankAccount_success', bankAccount(null)],
  ['pm_usBankAccount_processing', { ...bankAccount(null), settles: 'by-hand' }],
  [
    'pm_usBankAccount_insufficientFunds',
    bankAccount({ code: 'insufficient_funds', message: 'The customer’s account has too little to pay this.' }),
  ],
  [
    'pm_usBankAccount_debitNotAuthorized',
    bankAccount({ code: 'debit_not_authorized', message: 'The customer has told the bank not to allow this debit.' }),
  ],
]);

/** @returns undefined for none of ours */
export function testCard(paymentMethod: string): TestCard | undefined {
  return TEST_CARDS.get(paymentMethod);
}

/** The answer to a payment method that does not exist, or null. */
export function paymentMethodFault(paymentMethod: string | null): StripeAnswer | null {
  if (paymentMethod === null || TEST_CARDS.has(paymentMethod)) return null;
  const message = `No such PaymentMethod: '${paymentMethod}'. Use one of ${[...TEST_CARDS.keys()].join(', ')}.`;
  return invalidRequest(message, { code: 'resource_missing', param: 'payment_method' });
}
