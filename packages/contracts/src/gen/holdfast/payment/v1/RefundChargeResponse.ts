// Original file: protos/holdfast/payment/v1/payment.proto

import type { RefundStatusInput as _holdfast_payment_v1_RefundStatusInput, RefundStatus as _holdfast_payment_v1_RefundStatus } from '../../../holdfast/payment/v1/RefundStatus.ts';
import type { Long } from '@grpc/proto-loader';

export interface RefundChargeResponseInput {
  'status'?: (_holdfast_payment_v1_RefundStatusInput);
  'amount'?: (number | string | Long);
  'providerRefundId'?: (string);
  'reason'?: (string);
}

export interface RefundChargeResponse {
  'status': (_holdfast_payment_v1_RefundStatus);
  'amount': (number);
  'providerRefundId': (string);
  'reason': (string);
}
