// Original file: protos/holdfast/payment/v1/payment.proto


export interface ReleaseCaptureRequestInput {
  'orderId'?: (string);
  'captureId'?: (string);
}

export interface ReleaseCaptureRequest {
  'orderId': (string);
  'captureId': (string);
}
