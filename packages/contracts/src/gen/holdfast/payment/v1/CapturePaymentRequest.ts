// Original file: protos/holdfast/payment/v1/payment.proto


export interface CapturePaymentRequestInput {
  'orderId'?: (string);
  'captureId'?: (string);
}

export interface CapturePaymentRequest {
  'orderId': (string);
  'captureId': (string);
}
