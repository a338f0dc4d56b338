// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface ChargePaymentResponseInput {
  'paymentId'?: (string);
  'amount'?: (number | string | Long);
  'currency'?: (string);
  'authorizedUntil'?: (string);
}

export interface ChargePaymentResponse {
  'paymentId': (string);
  'amount': (number);
  'currency': (string);
  'authorizedUntil': (string);
}
