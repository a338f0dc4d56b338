// Original file: protos/holdfast/payment/v1/payment.proto


export interface GetAccountRequestInput {
  'customerId'?: (string);
}

export interface GetAccountRequest {
  'customerId': (string);
}
