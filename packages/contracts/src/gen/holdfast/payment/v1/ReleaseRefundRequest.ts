// Original file: protos/holdfast/payment/v1/payment.proto


export interface ReleaseRefundRequestInput {
  'orderId'?: (string);
  'refundId'?: (string);
}

export interface ReleaseRefundRequest {
  'orderId': (string);
  'refundId': (string);
}
