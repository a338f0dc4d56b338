// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface ReserveRefundResponseInput {
  'amount'?: (number | string | Long);
  'currency'?: (string);
}

export interface ReserveRefundResponse {
  'amount': (number);
  'currency': (string);
}
