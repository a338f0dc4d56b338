/** How long the world outside takes for what it does later. */
export interface BankTimes {
  /** From `processing` to the bank's decision. */
  settleMs: number;
  /** From a `pending` refund to its end, and from a refund to its failing. */
  refundMs: number;
  /** From a payment to its dispute. */
  disputeMs: number;
  /** How long an authorisation can be captured. */
  authorizationMs: number;
}

export const BANK_TIMES: BankTimes = {
  settleMs: 2_000,
  refundMs: 2_000,
  disputeMs: 2_000,
  authorizationMs: 7 * 24 * 60 * 60 * 1_000,
};
