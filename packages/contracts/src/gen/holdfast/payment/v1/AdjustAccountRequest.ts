// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface AdjustAccountRequestInput {
  'customerId'?: (string);
  'delta'?: (number | string | Long);
  'proof'?: (string);
}

export interface AdjustAccountRequest {
  'customerId': (string);
  'delta': (number);
  'proof': (string);
}
