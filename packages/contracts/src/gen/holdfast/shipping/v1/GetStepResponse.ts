// Original file: protos/holdfast/shipping/v1/shipping.proto

import type { StepStateInput as _holdfast_step_v1_StepStateInput, StepState as _holdfast_step_v1_StepState } from '../../../holdfast/step/v1/StepState.ts';
import type { CreateShipmentResponseInput as _holdfast_shipping_v1_CreateShipmentResponseInput, CreateShipmentResponse as _holdfast_shipping_v1_CreateShipmentResponse } from '../../../holdfast/shipping/v1/CreateShipmentResponse.ts';
import type { CancelShipmentResponseInput as _holdfast_shipping_v1_CancelShipmentResponseInput, CancelShipmentResponse as _holdfast_shipping_v1_CancelShipmentResponse } from '../../../holdfast/shipping/v1/CancelShipmentResponse.ts';
import type { RefusalInput as _holdfast_step_v1_RefusalInput, Refusal as _holdfast_step_v1_Refusal } from '../../../holdfast/step/v1/Refusal.ts';

export interface GetStepResponseInput {
  'state'?: (_holdfast_step_v1_StepStateInput);
  'created'?: (_holdfast_shipping_v1_CreateShipmentResponseInput | null);
  'cancelled'?: (_holdfast_shipping_v1_CancelShipmentResponseInput | null);
  'refusal'?: (_holdfast_step_v1_RefusalInput | null);
  'answer'?: "created"|"cancelled"|"refusal";
}

export interface GetStepResponse {
  'state': (_holdfast_step_v1_StepState);
  'created'?: (_holdfast_shipping_v1_CreateShipmentResponse | null);
  'cancelled'?: (_holdfast_shipping_v1_CancelShipmentResponse | null);
  'refusal'?: (_holdfast_step_v1_Refusal | null);
  'answer'?: "created"|"cancelled"|"refusal";
}
