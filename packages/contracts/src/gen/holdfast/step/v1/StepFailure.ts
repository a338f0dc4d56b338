// Original file: protos/holdfast/step/v1/steps.proto


export interface StepFailureInput {
  'code'?: (number);
  'message'?: (string);
  'statusDetails'?: (Buffer | Uint8Array | string);
  'pushbackMs'?: (number);
}

export interface StepFailure {
  'code': (number);
  'message': (string);
  'statusDetails': (Buffer);
  'pushbackMs': (number);
}
