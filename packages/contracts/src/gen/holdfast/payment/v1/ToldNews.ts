// Original file: protos/holdfast/payment/v1/payment.proto


export interface ToldNewsInput {
  'tenantId'?: (string);
  'orderId'?: (string);
  'disputeId'?: (string);
  'revision'?: (number);
}

export interface ToldNews {
  'tenantId': (string);
  'orderId': (string);
  'disputeId': (string);
  'revision': (number);
}
