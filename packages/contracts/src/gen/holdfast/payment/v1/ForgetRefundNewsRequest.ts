// Original file: protos/holdfast/payment/v1/payment.proto

import type { ToldRefundInput as _holdfast_payment_v1_ToldRefundInput, ToldRefund as _holdfast_payment_v1_ToldRefund } from '../../../holdfast/payment/v1/ToldRefund.ts';

export interface ForgetRefundNewsRequestInput {
  'news'?: (_holdfast_payment_v1_ToldRefundInput)[];
}

export interface ForgetRefundNewsRequest {
  'news': (_holdfast_payment_v1_ToldRefund)[];
}
