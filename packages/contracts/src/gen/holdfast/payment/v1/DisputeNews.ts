// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface DisputeNewsInput {
  'disputeId'?: (string);
  'amount'?: (number | string | Long);
  'currency'?: (string);
  'reason'?: (string);
  'status'?: (string);
  'openedAt'?: (string);
}

export interface DisputeNews {
  'disputeId': (string);
  'amount': (number);
  'currency': (string);
  'reason': (string);
  'status': (string);
  'openedAt': (string);
}
