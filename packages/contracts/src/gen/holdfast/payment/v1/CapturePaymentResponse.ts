// Original file: protos/holdfast/payment/v1/payment.proto

import type { CaptureStatusInput as _holdfast_payment_v1_CaptureStatusInput, CaptureStatus as _holdfast_payment_v1_CaptureStatus } from '../../../holdfast/payment/v1/CaptureStatus.ts';
import type { Long } from '@grpc/proto-loader';

export interface CapturePaymentResponseInput {
  'status'?: (_holdfast_payment_v1_CaptureStatusInput);
  'amount'?: (number | string | Long);
  'reason'?: (string);
}

export interface CapturePaymentResponse {
  'status': (_holdfast_payment_v1_CaptureStatus);
  'amount': (number);
  'reason': (string);
}
