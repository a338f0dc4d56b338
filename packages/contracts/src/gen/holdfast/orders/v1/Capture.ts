// Original file: protos/holdfast/orders/v1/orders.proto

import type { Long } from '@grpc/proto-loader';

export interface CaptureInput {
  'status'?: (string);
  'amount'?: (number | string | Long);
  'expiresAt'?: (string);
}

export interface Capture {
  'status': (string);
  'amount': (number);
  'expiresAt': (string);
}
