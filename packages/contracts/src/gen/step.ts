import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { RefusalInput as _holdfast_step_v1_RefusalInput, Refusal as _holdfast_step_v1_Refusal } from './holdfast/step/v1/Refusal.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    step: {
      v1: {
        Refusal: MessageTypeDefinition<_holdfast_step_v1_RefusalInput, _holdfast_step_v1_Refusal>
        StepState: EnumTypeDefinition
      }
    }
  }
}

