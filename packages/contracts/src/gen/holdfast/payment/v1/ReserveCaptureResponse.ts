// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface ReserveCaptureResponseInput {
  'amount'?: (number | string | Long);
  'currency'?: (string);
}

export interface ReserveCaptureResponse {
  'amount': (number);
  'currency': (string);
}
