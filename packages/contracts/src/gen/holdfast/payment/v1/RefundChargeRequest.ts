// Original file: protos/holdfast/payment/v1/payment.proto


export interface RefundChargeRequestInput {
  'orderId'?: (string);
  'refundId'?: (string);
}

export interface RefundChargeRequest {
  'orderId': (string);
  'refundId': (string);
}
