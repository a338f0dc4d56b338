// Original file: protos/holdfast/shipping/v1/shipping.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelShipmentRequestInput as _holdfast_shipping_v1_CancelShipmentRequestInput, CancelShipmentRequest as _holdfast_shipping_v1_CancelShipmentRequest } from '../../../holdfast/shipping/v1/CancelShipmentRequest.ts';
import type { CancelShipmentResponseInput as _holdfast_shipping_v1_CancelShipmentResponseInput, CancelShipmentResponse as _holdfast_shipping_v1_CancelShipmentResponse } from '../../../holdfast/shipping/v1/CancelShipmentResponse.ts';
import type { CreateShipmentRequestInput as _holdfast_shipping_v1_CreateShipmentRequestInput, CreateShipmentRequest as _holdfast_shipping_v1_CreateShipmentRequest } from '../../../holdfast/shipping/v1/CreateShipmentRequest.ts';
import type { CreateShipmentResponseInput as _holdfast_shipping_v1_CreateShipmentResponseInput, CreateShipmentResponse as _holdfast_shipping_v1_CreateShipmentResponse } from '../../../holdfast/shipping/v1/CreateShipmentResponse.ts';
import type { DispatchShipmentRequestInput as _holdfast_shipping_v1_DispatchShipmentRequestInput, DispatchShipmentRequest as _holdfast_shipping_v1_DispatchShipmentRequest } from '../../../holdfast/shipping/v1/DispatchShipmentRequest.ts';
import type { DispatchShipmentResponseInput as _holdfast_shipping_v1_DispatchShipmentResponseInput, DispatchShipmentResponse as _holdfast_shipping_v1_DispatchShipmentResponse } from '../../../holdfast/shipping/v1/DispatchShipmentResponse.ts';
import type { GetStepRequestInput as _holdfast_shipping_v1_GetStepRequestInput, GetStepRequest as _holdfast_shipping_v1_GetStepRequest } from '../../../holdfast/shipping/v1/GetStepRequest.ts';
import type { GetStepResponseInput as _holdfast_shipping_v1_GetStepResponseInput, GetStepResponse as _holdfast_shipping_v1_GetStepResponse } from '../../../holdfast/shipping/v1/GetStepResponse.ts';
import type { WithholdShipmentRequestInput as _holdfast_shipping_v1_WithholdShipmentRequestInput, WithholdShipmentRequest as _holdfast_shipping_v1_WithholdShipmentRequest } from '../../../holdfast/shipping/v1/WithholdShipmentRequest.ts';
import type { WithholdShipmentResponseInput as _holdfast_shipping_v1_WithholdShipmentResponseInput, WithholdShipmentResponse as _holdfast_shipping_v1_WithholdShipmentResponse } from '../../../holdfast/shipping/v1/WithholdShipmentResponse.ts';

export interface ShippingServiceClient extends grpc.Client {
  CancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  CancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  CancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  CancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  cancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  cancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  cancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  cancelShipment(argument: _holdfast_shipping_v1_CancelShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_CancelShipmentResponse>): grpc.ClientUnaryCall;
  
  CreateShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  CreateShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  CreateShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  CreateShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  createShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  createShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  createShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  createShipment(argument: _holdfast_shipping_v1_CreateShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_CreateShipmentResponse>): grpc.ClientUnaryCall;
  
  DispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  DispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  DispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  DispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  dispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  dispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  dispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  dispatchShipment(argument: _holdfast_shipping_v1_DispatchShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_DispatchShipmentResponse>): grpc.ClientUnaryCall;
  
  GetStep(argument: _holdfast_shipping_v1_GetStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_shipping_v1_GetStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_shipping_v1_GetStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_shipping_v1_GetStepRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_shipping_v1_GetStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_shipping_v1_GetStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_shipping_v1_GetStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_shipping_v1_GetStepRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_GetStepResponse>): grpc.ClientUnaryCall;
  
  WithholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  WithholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  WithholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  WithholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  withholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  withholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  withholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  withholdShipment(argument: _holdfast_shipping_v1_WithholdShipmentRequestInput, callback: grpc.requestCallback<_holdfast_shipping_v1_WithholdShipmentResponse>): grpc.ClientUnaryCall;
  
}

export interface ShippingServiceHandlers extends grpc.UntypedServiceImplementation {
  CancelShipment: grpc.handleUnaryCall<_holdfast_shipping_v1_CancelShipmentRequest, _holdfast_shipping_v1_CancelShipmentResponseInput>;
  
  CreateShipment: grpc.handleUnaryCall<_holdfast_shipping_v1_CreateShipmentRequest, _holdfast_shipping_v1_CreateShipmentResponseInput>;
  
  DispatchShipment: grpc.handleUnaryCall<_holdfast_shipping_v1_DispatchShipmentRequest, _holdfast_shipping_v1_DispatchShipmentResponseInput>;
  
  GetStep: grpc.handleUnaryCall<_holdfast_shipping_v1_GetStepRequest, _holdfast_shipping_v1_GetStepResponseInput>;
  
  WithholdShipment: grpc.handleUnaryCall<_holdfast_shipping_v1_WithholdShipmentRequest, _holdfast_shipping_v1_WithholdShipmentResponseInput>;
  
}

export interface ShippingServiceDefinition extends grpc.ServiceDefinition {
  CancelShipment: MethodDefinition<_holdfast_shipping_v1_CancelShipmentRequestInput, _holdfast_shipping_v1_CancelShipmentResponseInput, _holdfast_shipping_v1_CancelShipmentRequest, _holdfast_shipping_v1_CancelShipmentResponse>
  CreateShipment: MethodDefinition<_holdfast_shipping_v1_CreateShipmentRequestInput, _holdfast_shipping_v1_CreateShipmentResponseInput, _holdfast_shipping_v1_CreateShipmentRequest, _holdfast_shipping_v1_CreateShipmentResponse>
  DispatchShipment: MethodDefinition<_holdfast_shipping_v1_DispatchShipmentRequestInput, _holdfast_shipping_v1_DispatchShipmentResponseInput, _holdfast_shipping_v1_DispatchShipmentRequest, _holdfast_shipping_v1_DispatchShipmentResponse>
  GetStep: MethodDefinition<_holdfast_shipping_v1_GetStepRequestInput, _holdfast_shipping_v1_GetStepResponseInput, _holdfast_shipping_v1_GetStepRequest, _holdfast_shipping_v1_GetStepResponse>
  WithholdShipment: MethodDefinition<_holdfast_shipping_v1_WithholdShipmentRequestInput, _holdfast_shipping_v1_WithholdShipmentResponseInput, _holdfast_shipping_v1_WithholdShipmentRequest, _holdfast_shipping_v1_WithholdShipmentResponse>
}
