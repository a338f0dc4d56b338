// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface ReserveCaptureRequestInput {
  'orderId'?: (string);
  'captureId'?: (string);
  'amount'?: (number | string | Long);
  'currency'?: (string);
}

export interface ReserveCaptureRequest {
  'orderId': (string);
  'captureId': (string);
  'amount': (number);
  'currency': (string);
}
