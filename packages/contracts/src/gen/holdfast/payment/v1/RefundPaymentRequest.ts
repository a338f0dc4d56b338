// Original file: protos/holdfast/payment/v1/payment.proto


export interface RefundPaymentRequestInput {
  'orderId'?: (string);
}

export interface RefundPaymentRequest {
  'orderId': (string);
}
