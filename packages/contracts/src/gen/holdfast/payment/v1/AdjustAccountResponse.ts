// Original file: protos/holdfast/payment/v1/payment.proto

import type { AccountInput as _holdfast_payment_v1_AccountInput, Account as _holdfast_payment_v1_Account } from '../../../holdfast/payment/v1/Account.ts';

export interface AdjustAccountResponseInput {
  'account'?: (_holdfast_payment_v1_AccountInput | null);
  'before'?: (_holdfast_payment_v1_AccountInput | null);
}

export interface AdjustAccountResponse {
  'account': (_holdfast_payment_v1_Account | null);
  'before': (_holdfast_payment_v1_Account | null);
}
