// Original file: protos/holdfast/payment/v1/payment.proto


export interface ListRefundNewsRequestInput {
  'limit'?: (number);
}

export interface ListRefundNewsRequest {
  'limit': (number);
}
