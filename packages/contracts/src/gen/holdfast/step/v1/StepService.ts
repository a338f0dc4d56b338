// Original file: protos/holdfast/step/v1/steps.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { RunStepsRequestInput as _holdfast_step_v1_RunStepsRequestInput, RunStepsRequest as _holdfast_step_v1_RunStepsRequest } from '../../../holdfast/step/v1/RunStepsRequest.ts';
import type { RunStepsResponseInput as _holdfast_step_v1_RunStepsResponseInput, RunStepsResponse as _holdfast_step_v1_RunStepsResponse } from '../../../holdfast/step/v1/RunStepsResponse.ts';

export interface StepServiceClient extends grpc.Client {
  RunSteps(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_step_v1_RunStepsRequestInput, _holdfast_step_v1_RunStepsResponse>;
  RunSteps(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_step_v1_RunStepsRequestInput, _holdfast_step_v1_RunStepsResponse>;
  runSteps(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_step_v1_RunStepsRequestInput, _holdfast_step_v1_RunStepsResponse>;
  runSteps(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_step_v1_RunStepsRequestInput, _holdfast_step_v1_RunStepsResponse>;
  
}

export interface StepServiceHandlers extends grpc.UntypedServiceImplementation {
  RunSteps: grpc.handleBidiStreamingCall<_holdfast_step_v1_RunStepsRequest, _holdfast_step_v1_RunStepsResponseInput>;
  
}

export interface StepServiceDefinition extends grpc.ServiceDefinition {
  RunSteps: MethodDefinition<_holdfast_step_v1_RunStepsRequestInput, _holdfast_step_v1_RunStepsResponseInput, _holdfast_step_v1_RunStepsRequest, _holdfast_step_v1_RunStepsResponse>
}
