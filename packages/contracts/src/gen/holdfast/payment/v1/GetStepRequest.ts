// Original file: protos/holdfast/payment/v1/payment.proto


export interface GetStepRequestInput {
  'key'?: (string);
}

export interface GetStepRequest {
  'key': (string);
}
