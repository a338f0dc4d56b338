// Original file: protos/holdfast/step/v1/steps.proto

import type { StepReplyInput as _holdfast_step_v1_StepReplyInput, StepReply as _holdfast_step_v1_StepReply } from '../../../holdfast/step/v1/StepReply.ts';

export interface RunStepsResponseInput {
  'replies'?: (_holdfast_step_v1_StepReplyInput)[];
}

export interface RunStepsResponse {
  'replies': (_holdfast_step_v1_StepReply)[];
}
