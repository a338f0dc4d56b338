import type { EffectOutcome } from '@holdfast/participant';

/** One attempt; `attempt` counts up over all attempts for the order. */
export interface Attempt {
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
  /** The provider's payment method, pm_…; sent to it and kept nowhere. Null: the customer gives one on the shop's page. */
  method: string | null;
  /** The provider's customer. */
  providerCustomer: string | null;
  /** The customer is not there to confirm anything. */
  offSession: boolean;
  /** Where the bank sends the customer back to. */
  returnUrl: string | null;
  /** The amount is set aside, and captured later. */
  authorizeOnly: boolean;
  /** The intent that an earlier attempt has stored. */
  intentId: string | null;
  /** Until when the customer may confirm it, and how long that is from now on; null before the intent is stored. */
  confirmBy: Date | null;
  leftMs: number | null;
}

/** The intent that has taken the amount; or has set it aside, until when. */
export interface TakenIntent {
  intentId: string;
  authorizedUntil: Date | null;
}

export type CardOutcome = EffectOutcome<TakenIntent, 'CARD_DECLINED' | 'PAYMENT_NOT_CONFIRMED'>;

/** Minor units; 0 when the payment was cancelled before anything was taken. */
export interface GivenBack {
  amount: number;
}

/**
 * Stores an intent's id durably.
 * @returns until when the customer may confirm it; undefined forbids to confirm it, or to tell anybody of it
 */
export type AttachIntent = (intentId: string) => Promise<Date | undefined>;
