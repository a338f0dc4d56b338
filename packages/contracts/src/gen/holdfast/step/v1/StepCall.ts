// Original file: protos/holdfast/step/v1/steps.proto

import type { Long } from '@grpc/proto-loader';

export interface StepCallInput {
  'id'?: (number | string | Long);
  'method'?: (string);
  'request'?: (Buffer | Uint8Array | string);
  'idempotencyKey'?: (string);
  'sagaEpoch'?: (number | string | Long);
  'tenantId'?: (string);
  'traceparent'?: (string);
  'timeoutMs'?: (number);
}

export interface StepCall {
  'id': (number);
  'method': (string);
  'request': (Buffer);
  'idempotencyKey': (string);
  'sagaEpoch': (number);
  'tenantId': (string);
  'traceparent': (string);
  'timeoutMs': (number);
}
