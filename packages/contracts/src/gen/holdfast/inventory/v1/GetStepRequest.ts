// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface GetStepRequestInput {
  'key'?: (string);
}

export interface GetStepRequest {
  'key': (string);
}
