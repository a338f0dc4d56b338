// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface RefundPaymentResponseInput {
  'paymentId'?: (string);
  'amount'?: (number | string | Long);
}

export interface RefundPaymentResponse {
  'paymentId': (string);
  'amount': (number);
}
