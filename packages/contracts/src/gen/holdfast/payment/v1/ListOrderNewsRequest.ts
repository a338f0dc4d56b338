// Original file: protos/holdfast/payment/v1/payment.proto


export interface ListOrderNewsRequestInput {
  'limit'?: (number);
}

export interface ListOrderNewsRequest {
  'limit': (number);
}
