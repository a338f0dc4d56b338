// Original file: protos/holdfast/orders/v1/orders.proto

import type { Long } from '@grpc/proto-loader';

export interface DisputeInput {
  'id'?: (string);
  'amount'?: (number | string | Long);
  'currency'?: (string);
  'reason'?: (string);
  'status'?: (string);
  'openedAt'?: (string);
  'updatedAt'?: (string);
}

export interface Dispute {
  'id': (string);
  'amount': (number);
  'currency': (string);
  'reason': (string);
  'status': (string);
  'openedAt': (string);
  'updatedAt': (string);
}
