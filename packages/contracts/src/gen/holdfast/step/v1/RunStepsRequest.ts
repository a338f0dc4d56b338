// Original file: protos/holdfast/step/v1/steps.proto

import type { StepCallInput as _holdfast_step_v1_StepCallInput, StepCall as _holdfast_step_v1_StepCall } from '../../../holdfast/step/v1/StepCall.ts';

export interface RunStepsRequestInput {
  'calls'?: (_holdfast_step_v1_StepCallInput)[];
}

export interface RunStepsRequest {
  'calls': (_holdfast_step_v1_StepCall)[];
}
