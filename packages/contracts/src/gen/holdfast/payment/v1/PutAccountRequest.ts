// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface PutAccountRequestInput {
  'customerId'?: (string);
  'balance'?: (number | string | Long);
  'currency'?: (string);
  'ifVersions'?: (number | string | Long)[];
  'ifOpened'?: (boolean);
  'proof'?: (string);
  'money'?: "currency";
}

export interface PutAccountRequest {
  'customerId': (string);
  'balance': (number);
  'currency'?: (string);
  'ifVersions': (number)[];
  'ifOpened': (boolean);
  'proof': (string);
  'money'?: "currency";
}
