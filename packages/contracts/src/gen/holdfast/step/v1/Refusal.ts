// Original file: protos/holdfast/step/v1/step.proto


export interface RefusalInput {
  'reason'?: (string);
  'message'?: (string);
}

export interface Refusal {
  'reason': (string);
  'message': (string);
}
