// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface AccountInput {
  'customerId'?: (string);
  'balance'?: (number | string | Long);
  'currency'?: (string);
  'version'?: (number | string | Long);
}

export interface Account {
  'customerId': (string);
  'balance': (number);
  'currency': (string);
  'version': (number);
}
