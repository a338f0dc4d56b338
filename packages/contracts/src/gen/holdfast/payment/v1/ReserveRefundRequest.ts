// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface ReserveRefundRequestInput {
  'orderId'?: (string);
  'refundId'?: (string);
  'amount'?: (number | string | Long);
  'currency'?: (string);
}

export interface ReserveRefundRequest {
  'orderId': (string);
  'refundId': (string);
  'amount': (number);
  'currency': (string);
}
