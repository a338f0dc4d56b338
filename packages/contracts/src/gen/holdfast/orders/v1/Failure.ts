// Original file: protos/holdfast/orders/v1/orders.proto


export interface FailureInput {
  'step'?: (string);
  'reason'?: (string);
  'message'?: (string);
}

export interface Failure {
  'step': (string);
  'reason': (string);
  'message': (string);
}
