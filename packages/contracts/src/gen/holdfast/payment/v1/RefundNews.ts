// Original file: protos/holdfast/payment/v1/payment.proto

import type { RefundStatusInput as _holdfast_payment_v1_RefundStatusInput, RefundStatus as _holdfast_payment_v1_RefundStatus } from '../../../holdfast/payment/v1/RefundStatus.ts';
import type { Long } from '@grpc/proto-loader';

export interface RefundNewsInput {
  'tenantId'?: (string);
  'orderId'?: (string);
  'refundId'?: (string);
  'origin'?: (string);
  'amount'?: (number | string | Long);
  'currency'?: (string);
  'state'?: (_holdfast_payment_v1_RefundStatusInput);
  'reason'?: (string);
  'revision'?: (number);
  'createdAt'?: (string);
}

export interface RefundNews {
  'tenantId': (string);
  'orderId': (string);
  'refundId': (string);
  'origin': (string);
  'amount': (number);
  'currency': (string);
  'state': (_holdfast_payment_v1_RefundStatus);
  'reason': (string);
  'revision': (number);
  'createdAt': (string);
}
