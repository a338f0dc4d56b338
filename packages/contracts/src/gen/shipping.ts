import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AddressInput as _holdfast_shipping_v1_AddressInput, Address as _holdfast_shipping_v1_Address } from './holdfast/shipping/v1/Address.ts';
import type { CancelShipmentRequestInput as _holdfast_shipping_v1_CancelShipmentRequestInput, CancelShipmentRequest as _holdfast_shipping_v1_CancelShipmentRequest } from './holdfast/shipping/v1/CancelShipmentRequest.ts';
import type { CancelShipmentResponseInput as _holdfast_shipping_v1_CancelShipmentResponseInput, CancelShipmentResponse as _holdfast_shipping_v1_CancelShipmentResponse } from './holdfast/shipping/v1/CancelShipmentResponse.ts';
import type { CreateShipmentRequestInput as _holdfast_shipping_v1_CreateShipmentRequestInput, CreateShipmentRequest as _holdfast_shipping_v1_CreateShipmentRequest } from './holdfast/shipping/v1/CreateShipmentRequest.ts';
import type { CreateShipmentResponseInput as _holdfast_shipping_v1_CreateShipmentResponseInput, CreateShipmentResponse as _holdfast_shipping_v1_CreateShipmentResponse } from './holdfast/shipping/v1/CreateShipmentResponse.ts';
import type { DispatchShipmentRequestInput as _holdfast_shipping_v1_DispatchShipmentRequestInput, DispatchShipmentRequest as _holdfast_shipping_v1_DispatchShipmentRequest } from './holdfast/shipping/v1/DispatchShipmentRequest.ts';
import type { DispatchShipmentResponseInput as _holdfast_shipping_v1_DispatchShipmentResponseInput, DispatchShipmentResponse as _holdfast_shipping_v1_DispatchShipmentResponse } from './holdfast/shipping/v1/DispatchShipmentResponse.ts';
import type { GetStepRequestInput as _holdfast_shipping_v1_GetStepRequestInput, GetStepRequest as _holdfast_shipping_v1_GetStepRequest } from './holdfast/shipping/v1/GetStepRequest.ts';
import type { GetStepResponseInput as _holdfast_shipping_v1_GetStepResponseInput, GetStepResponse as _holdfast_shipping_v1_GetStepResponse } from './holdfast/shipping/v1/GetStepResponse.ts';
import type { ParcelInput as _holdfast_shipping_v1_ParcelInput, Parcel as _holdfast_shipping_v1_Parcel } from './holdfast/shipping/v1/Parcel.ts';
import type { ShippingServiceClient as _holdfast_shipping_v1_ShippingServiceClient, ShippingServiceDefinition as _holdfast_shipping_v1_ShippingServiceDefinition } from './holdfast/shipping/v1/ShippingService.ts';
import type { WithholdShipmentRequestInput as _holdfast_shipping_v1_WithholdShipmentRequestInput, WithholdShipmentRequest as _holdfast_shipping_v1_WithholdShipmentRequest } from './holdfast/shipping/v1/WithholdShipmentRequest.ts';
import type { WithholdShipmentResponseInput as _holdfast_shipping_v1_WithholdShipmentResponseInput, WithholdShipmentResponse as _holdfast_shipping_v1_WithholdShipmentResponse } from './holdfast/shipping/v1/WithholdShipmentResponse.ts';
import type { RefusalInput as _holdfast_step_v1_RefusalInput, Refusal as _holdfast_step_v1_Refusal } from './holdfast/step/v1/Refusal.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    shipping: {
      v1: {
        Address: MessageTypeDefinition<_holdfast_shipping_v1_AddressInput, _holdfast_shipping_v1_Address>
        CancelShipmentRequest: MessageTypeDefinition<_holdfast_shipping_v1_CancelShipmentRequestInput, _holdfast_shipping_v1_CancelShipmentRequest>
        CancelShipmentResponse: MessageTypeDefinition<_holdfast_shipping_v1_CancelShipmentResponseInput, _holdfast_shipping_v1_CancelShipmentResponse>
        CreateShipmentRequest: MessageTypeDefinition<_holdfast_shipping_v1_CreateShipmentRequestInput, _holdfast_shipping_v1_CreateShipmentRequest>
        CreateShipmentResponse: MessageTypeDefinition<_holdfast_shipping_v1_CreateShipmentResponseInput, _holdfast_shipping_v1_CreateShipmentResponse>
        DispatchShipmentRequest: MessageTypeDefinition<_holdfast_shipping_v1_DispatchShipmentRequestInput, _holdfast_shipping_v1_DispatchShipmentRequest>
        DispatchShipmentResponse: MessageTypeDefinition<_holdfast_shipping_v1_DispatchShipmentResponseInput, _holdfast_shipping_v1_DispatchShipmentResponse>
        GetStepRequest: MessageTypeDefinition<_holdfast_shipping_v1_GetStepRequestInput, _holdfast_shipping_v1_GetStepRequest>
        GetStepResponse: MessageTypeDefinition<_holdfast_shipping_v1_GetStepResponseInput, _holdfast_shipping_v1_GetStepResponse>
        Parcel: MessageTypeDefinition<_holdfast_shipping_v1_ParcelInput, _holdfast_shipping_v1_Parcel>
        ShippingService: SubtypeConstructor<typeof grpc.Client, _holdfast_shipping_v1_ShippingServiceClient> & { service: _holdfast_shipping_v1_ShippingServiceDefinition }
        WithholdShipmentRequest: MessageTypeDefinition<_holdfast_shipping_v1_WithholdShipmentRequestInput, _holdfast_shipping_v1_WithholdShipmentRequest>
        WithholdShipmentResponse: MessageTypeDefinition<_holdfast_shipping_v1_WithholdShipmentResponseInput, _holdfast_shipping_v1_WithholdShipmentResponse>
      }
    }
    step: {
      v1: {
        Refusal: MessageTypeDefinition<_holdfast_step_v1_RefusalInput, _holdfast_step_v1_Refusal>
        StepState: EnumTypeDefinition
      }
    }
  }
}

