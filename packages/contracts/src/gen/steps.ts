import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { RunStepsRequestInput as _holdfast_step_v1_RunStepsRequestInput, RunStepsRequest as _holdfast_step_v1_RunStepsRequest } from './holdfast/step/v1/RunStepsRequest.ts';
import type { RunStepsResponseInput as _holdfast_step_v1_RunStepsResponseInput, RunStepsResponse as _holdfast_step_v1_RunStepsResponse } from './holdfast/step/v1/RunStepsResponse.ts';
import type { StepCallInput as _holdfast_step_v1_StepCallInput, StepCall as _holdfast_step_v1_StepCall } from './holdfast/step/v1/StepCall.ts';
import type { StepFailureInput as _holdfast_step_v1_StepFailureInput, StepFailure as _holdfast_step_v1_StepFailure } from './holdfast/step/v1/StepFailure.ts';
import type { StepReplyInput as _holdfast_step_v1_StepReplyInput, StepReply as _holdfast_step_v1_StepReply } from './holdfast/step/v1/StepReply.ts';
import type { StepServiceClient as _holdfast_step_v1_StepServiceClient, StepServiceDefinition as _holdfast_step_v1_StepServiceDefinition } from './holdfast/step/v1/StepService.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    step: {
      v1: {
        RunStepsRequest: MessageTypeDefinition<_holdfast_step_v1_RunStepsRequestInput, _holdfast_step_v1_RunStepsRequest>
        RunStepsResponse: MessageTypeDefinition<_holdfast_step_v1_RunStepsResponseInput, _holdfast_step_v1_RunStepsResponse>
        StepCall: MessageTypeDefinition<_holdfast_step_v1_StepCallInput, _holdfast_step_v1_StepCall>
        StepFailure: MessageTypeDefinition<_holdfast_step_v1_StepFailureInput, _holdfast_step_v1_StepFailure>
        StepReply: MessageTypeDefinition<_holdfast_step_v1_StepReplyInput, _holdfast_step_v1_StepReply>
        StepService: SubtypeConstructor<typeof grpc.Client, _holdfast_step_v1_StepServiceClient> & { service: _holdfast_step_v1_StepServiceDefinition }
      }
    }
  }
}

