// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface GetStepRequestInput {
  'key'?: (string);
}

export interface GetStepRequest {
  'key': (string);
}
