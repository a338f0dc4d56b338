// Original file: protos/holdfast/payment/v1/payment.proto


export interface ToldRefundInput {
  'tenantId'?: (string);
  'orderId'?: (string);
  'refundId'?: (string);
  'revision'?: (number);
}

export interface ToldRefund {
  'tenantId': (string);
  'orderId': (string);
  'refundId': (string);
  'revision': (number);
}
