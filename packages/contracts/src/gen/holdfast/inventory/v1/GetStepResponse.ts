// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { StepStateInput as _holdfast_step_v1_StepStateInput, StepState as _holdfast_step_v1_StepState } from '../../../holdfast/step/v1/StepState.ts';
import type { ReserveInventoryResponseInput as _holdfast_inventory_v1_ReserveInventoryResponseInput, ReserveInventoryResponse as _holdfast_inventory_v1_ReserveInventoryResponse } from '../../../holdfast/inventory/v1/ReserveInventoryResponse.ts';
import type { ReleaseInventoryResponseInput as _holdfast_inventory_v1_ReleaseInventoryResponseInput, ReleaseInventoryResponse as _holdfast_inventory_v1_ReleaseInventoryResponse } from '../../../holdfast/inventory/v1/ReleaseInventoryResponse.ts';
import type { AdjustStockResponseInput as _holdfast_inventory_v1_AdjustStockResponseInput, AdjustStockResponse as _holdfast_inventory_v1_AdjustStockResponse } from '../../../holdfast/inventory/v1/AdjustStockResponse.ts';
import type { RefusalInput as _holdfast_step_v1_RefusalInput, Refusal as _holdfast_step_v1_Refusal } from '../../../holdfast/step/v1/Refusal.ts';
import type { PutStockResponseInput as _holdfast_inventory_v1_PutStockResponseInput, PutStockResponse as _holdfast_inventory_v1_PutStockResponse } from '../../../holdfast/inventory/v1/PutStockResponse.ts';
import type { ReserveRestockResponseInput as _holdfast_inventory_v1_ReserveRestockResponseInput, ReserveRestockResponse as _holdfast_inventory_v1_ReserveRestockResponse } from '../../../holdfast/inventory/v1/ReserveRestockResponse.ts';
import type { ReleaseRestockResponseInput as _holdfast_inventory_v1_ReleaseRestockResponseInput, ReleaseRestockResponse as _holdfast_inventory_v1_ReleaseRestockResponse } from '../../../holdfast/inventory/v1/ReleaseRestockResponse.ts';
import type { RestockResponseInput as _holdfast_inventory_v1_RestockResponseInput, RestockResponse as _holdfast_inventory_v1_RestockResponse } from '../../../holdfast/inventory/v1/RestockResponse.ts';

export interface GetStepResponseInput {
  'state'?: (_holdfast_step_v1_StepStateInput);
  'reserved'?: (_holdfast_inventory_v1_ReserveInventoryResponseInput | null);
  'released'?: (_holdfast_inventory_v1_ReleaseInventoryResponseInput | null);
  'adjusted'?: (_holdfast_inventory_v1_AdjustStockResponseInput | null);
  'refusal'?: (_holdfast_step_v1_RefusalInput | null);
  'put'?: (_holdfast_inventory_v1_PutStockResponseInput | null);
  'restockReserved'?: (_holdfast_inventory_v1_ReserveRestockResponseInput | null);
  'restockReleased'?: (_holdfast_inventory_v1_ReleaseRestockResponseInput | null);
  'restocked'?: (_holdfast_inventory_v1_RestockResponseInput | null);
  'answer'?: "reserved"|"released"|"adjusted"|"refusal"|"put"|"restockReserved"|"restockReleased"|"restocked";
}

export interface GetStepResponse {
  'state': (_holdfast_step_v1_StepState);
  'reserved'?: (_holdfast_inventory_v1_ReserveInventoryResponse | null);
  'released'?: (_holdfast_inventory_v1_ReleaseInventoryResponse | null);
  'adjusted'?: (_holdfast_inventory_v1_AdjustStockResponse | null);
  'refusal'?: (_holdfast_step_v1_Refusal | null);
  'put'?: (_holdfast_inventory_v1_PutStockResponse | null);
  'restockReserved'?: (_holdfast_inventory_v1_ReserveRestockResponse | null);
  'restockReleased'?: (_holdfast_inventory_v1_ReleaseRestockResponse | null);
  'restocked'?: (_holdfast_inventory_v1_RestockResponse | null);
  'answer'?: "reserved"|"released"|"adjusted"|"refusal"|"put"|"restockReserved"|"restockReleased"|"restocked";
}
