import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AdjustStockRequestInput as _holdfast_inventory_v1_AdjustStockRequestInput, AdjustStockRequest as _holdfast_inventory_v1_AdjustStockRequest } from './holdfast/inventory/v1/AdjustStockRequest.ts';
import type { AdjustStockResponseInput as _holdfast_inventory_v1_AdjustStockResponseInput, AdjustStockResponse as _holdfast_inventory_v1_AdjustStockResponse } from './holdfast/inventory/v1/AdjustStockResponse.ts';
import type { GetStepRequestInput as _holdfast_inventory_v1_GetStepRequestInput, GetStepRequest as _holdfast_inventory_v1_GetStepRequest } from './holdfast/inventory/v1/GetStepRequest.ts';
import type { GetStepResponseInput as _holdfast_inventory_v1_GetStepResponseInput, GetStepResponse as _holdfast_inventory_v1_GetStepResponse } from './holdfast/inventory/v1/GetStepResponse.ts';
import type { GetStockRequestInput as _holdfast_inventory_v1_GetStockRequestInput, GetStockRequest as _holdfast_inventory_v1_GetStockRequest } from './holdfast/inventory/v1/GetStockRequest.ts';
import type { GetStockResponseInput as _holdfast_inventory_v1_GetStockResponseInput, GetStockResponse as _holdfast_inventory_v1_GetStockResponse } from './holdfast/inventory/v1/GetStockResponse.ts';
import type { InventoryServiceClient as _holdfast_inventory_v1_InventoryServiceClient, InventoryServiceDefinition as _holdfast_inventory_v1_InventoryServiceDefinition } from './holdfast/inventory/v1/InventoryService.ts';
import type { LineInput as _holdfast_inventory_v1_LineInput, Line as _holdfast_inventory_v1_Line } from './holdfast/inventory/v1/Line.ts';
import type { PricedLineInput as _holdfast_inventory_v1_PricedLineInput, PricedLine as _holdfast_inventory_v1_PricedLine } from './holdfast/inventory/v1/PricedLine.ts';
import type { PutStockRequestInput as _holdfast_inventory_v1_PutStockRequestInput, PutStockRequest as _holdfast_inventory_v1_PutStockRequest } from './holdfast/inventory/v1/PutStockRequest.ts';
import type { PutStockResponseInput as _holdfast_inventory_v1_PutStockResponseInput, PutStockResponse as _holdfast_inventory_v1_PutStockResponse } from './holdfast/inventory/v1/PutStockResponse.ts';
import type { ReleaseInventoryRequestInput as _holdfast_inventory_v1_ReleaseInventoryRequestInput, ReleaseInventoryRequest as _holdfast_inventory_v1_ReleaseInventoryRequest } from './holdfast/inventory/v1/ReleaseInventoryRequest.ts';
import type { ReleaseInventoryResponseInput as _holdfast_inventory_v1_ReleaseInventoryResponseInput, ReleaseInventoryResponse as _holdfast_inventory_v1_ReleaseInventoryResponse } from './holdfast/inventory/v1/ReleaseInventoryResponse.ts';
import type { ReleaseRestockRequestInput as _holdfast_inventory_v1_ReleaseRestockRequestInput, ReleaseRestockRequest as _holdfast_inventory_v1_ReleaseRestockRequest } from './holdfast/inventory/v1/ReleaseRestockRequest.ts';
import type { ReleaseRestockResponseInput as _holdfast_inventory_v1_ReleaseRestockResponseInput, ReleaseRestockResponse as _holdfast_inventory_v1_ReleaseRestockResponse } from './holdfast/inventory/v1/ReleaseRestockResponse.ts';
import type { ReserveInventoryRequestInput as _holdfast_inventory_v1_ReserveInventoryRequestInput, ReserveInventoryRequest as _holdfast_inventory_v1_ReserveInventoryRequest } from './holdfast/inventory/v1/ReserveInventoryRequest.ts';
import type { ReserveInventoryResponseInput as _holdfast_inventory_v1_ReserveInventoryResponseInput, ReserveInventoryResponse as _holdfast_inventory_v1_ReserveInventoryResponse } from './holdfast/inventory/v1/ReserveInventoryResponse.ts';
import type { ReserveRestockRequestInput as _holdfast_inventory_v1_ReserveRestockRequestInput, ReserveRestockRequest as _holdfast_inventory_v1_ReserveRestockRequest } from './holdfast/inventory/v1/ReserveRestockRequest.ts';
import type { ReserveRestockResponseInput as _holdfast_inventory_v1_ReserveRestockResponseInput, ReserveRestockResponse as _holdfast_inventory_v1_ReserveRestockResponse } from './holdfast/inventory/v1/ReserveRestockResponse.ts';
import type { RestockRequestInput as _holdfast_inventory_v1_RestockRequestInput, RestockRequest as _holdfast_inventory_v1_RestockRequest } from './holdfast/inventory/v1/RestockRequest.ts';
import type { RestockResponseInput as _holdfast_inventory_v1_RestockResponseInput, RestockResponse as _holdfast_inventory_v1_RestockResponse } from './holdfast/inventory/v1/RestockResponse.ts';
import type { ReturnedLineInput as _holdfast_inventory_v1_ReturnedLineInput, ReturnedLine as _holdfast_inventory_v1_ReturnedLine } from './holdfast/inventory/v1/ReturnedLine.ts';
import type { StockInput as _holdfast_inventory_v1_StockInput, Stock as _holdfast_inventory_v1_Stock } from './holdfast/inventory/v1/Stock.ts';
import type { RefusalInput as _holdfast_step_v1_RefusalInput, Refusal as _holdfast_step_v1_Refusal } from './holdfast/step/v1/Refusal.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    inventory: {
      v1: {
        AdjustStockRequest: MessageTypeDefinition<_holdfast_inventory_v1_AdjustStockRequestInput, _holdfast_inventory_v1_AdjustStockRequest>
        AdjustStockResponse: MessageTypeDefinition<_holdfast_inventory_v1_AdjustStockResponseInput, _holdfast_inventory_v1_AdjustStockResponse>
        GetStepRequest: MessageTypeDefinition<_holdfast_inventory_v1_GetStepRequestInput, _holdfast_inventory_v1_GetStepRequest>
        GetStepResponse: MessageTypeDefinition<_holdfast_inventory_v1_GetStepResponseInput, _holdfast_inventory_v1_GetStepResponse>
        GetStockRequest: MessageTypeDefinition<_holdfast_inventory_v1_GetStockRequestInput, _holdfast_inventory_v1_GetStockRequest>
        GetStockResponse: MessageTypeDefinition<_holdfast_inventory_v1_GetStockResponseInput, _holdfast_inventory_v1_GetStockResponse>
        InventoryService: SubtypeConstructor<typeof grpc.Client, _holdfast_inventory_v1_InventoryServiceClient> & { service: _holdfast_inventory_v1_InventoryServiceDefinition }
        Line: MessageTypeDefinition<_holdfast_inventory_v1_LineInput, _holdfast_inventory_v1_Line>
        PricedLine: MessageTypeDefinition<_holdfast_inventory_v1_PricedLineInput, _holdfast_inventory_v1_PricedLine>
        PutStockRequest: MessageTypeDefinition<_holdfast_inventory_v1_PutStockRequestInput, _holdfast_inventory_v1_PutStockRequest>
        PutStockResponse: MessageTypeDefinition<_holdfast_inventory_v1_PutStockResponseInput, _holdfast_inventory_v1_PutStockResponse>
        ReleaseInventoryRequest: MessageTypeDefinition<_holdfast_inventory_v1_ReleaseInventoryRequestInput, _holdfast_inventory_v1_ReleaseInventoryRequest>
        ReleaseInventoryResponse: MessageTypeDefinition<_holdfast_inventory_v1_ReleaseInventoryResponseInput, _holdfast_inventory_v1_ReleaseInventoryResponse>
        ReleaseRestockRequest: MessageTypeDefinition<_holdfast_inventory_v1_ReleaseRestockRequestInput, _holdfast_inventory_v1_ReleaseRestockRequest>
        ReleaseRestockResponse: MessageTypeDefinition<_holdfast_inventory_v1_ReleaseRestockResponseInput, _holdfast_inventory_v1_ReleaseRestockResponse>
        ReserveInventoryRequest: MessageTypeDefinition<_holdfast_inventory_v1_ReserveInventoryRequestInput, _holdfast_inventory_v1_ReserveInventoryRequest>
        ReserveInventoryResponse: MessageTypeDefinition<_holdfast_inventory_v1_ReserveInventoryResponseInput, _holdfast_inventory_v1_ReserveInventoryResponse>
        ReserveRestockRequest: MessageTypeDefinition<_holdfast_inventory_v1_ReserveRestockRequestInput, _holdfast_inventory_v1_ReserveRestockRequest>
        ReserveRestockResponse: MessageTypeDefinition<_holdfast_inventory_v1_ReserveRestockResponseInput, _holdfast_inventory_v1_ReserveRestockResponse>
        RestockRequest: MessageTypeDefinition<_holdfast_inventory_v1_RestockRequestInput, _holdfast_inventory_v1_RestockRequest>
        RestockResponse: MessageTypeDefinition<_holdfast_inventory_v1_RestockResponseInput, _holdfast_inventory_v1_RestockResponse>
        ReturnedLine: MessageTypeDefinition<_holdfast_inventory_v1_ReturnedLineInput, _holdfast_inventory_v1_ReturnedLine>
        Stock: MessageTypeDefinition<_holdfast_inventory_v1_StockInput, _holdfast_inventory_v1_Stock>
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

