// Original file: protos/holdfast/step/v1/steps.proto

import type { StepFailureInput as _holdfast_step_v1_StepFailureInput, StepFailure as _holdfast_step_v1_StepFailure } from '../../../holdfast/step/v1/StepFailure.ts';
import type { Long } from '@grpc/proto-loader';

export interface StepReplyInput {
  'id'?: (number | string | Long);
  'response'?: (Buffer | Uint8Array | string);
  'failure'?: (_holdfast_step_v1_StepFailureInput | null);
  'replayed'?: (boolean);
  'outcome'?: "response"|"failure";
}

export interface StepReply {
  'id': (number);
  'response'?: (Buffer);
  'failure'?: (_holdfast_step_v1_StepFailure | null);
  'replayed': (boolean);
  'outcome'?: "response"|"failure";
}
