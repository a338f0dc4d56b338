// Original file: protos/holdfast/inventory/v1/inventory.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AdjustStockRequestInput as _holdfast_inventory_v1_AdjustStockRequestInput, AdjustStockRequest as _holdfast_inventory_v1_AdjustStockRequest } from '../../../holdfast/inventory/v1/AdjustStockRequest.ts';
import type { AdjustStockResponseInput as _holdfast_inventory_v1_AdjustStockResponseInput, AdjustStockResponse as _holdfast_inventory_v1_AdjustStockResponse } from '../../../holdfast/inventory/v1/AdjustStockResponse.ts';
import type { GetStepRequestInput as _holdfast_inventory_v1_GetStepRequestInput, GetStepRequest as _holdfast_inventory_v1_GetStepRequest } from '../../../holdfast/inventory/v1/GetStepRequest.ts';
import type { GetStepResponseInput as _holdfast_inventory_v1_GetStepResponseInput, GetStepResponse as _holdfast_inventory_v1_GetStepResponse } from '../../../holdfast/inventory/v1/GetStepResponse.ts';
import type { GetStockRequestInput as _holdfast_inventory_v1_GetStockRequestInput, GetStockRequest as _holdfast_inventory_v1_GetStockRequest } from '../../../holdfast/inventory/v1/GetStockRequest.ts';
import type { GetStockResponseInput as _holdfast_inventory_v1_GetStockResponseInput, GetStockResponse as _holdfast_inventory_v1_GetStockResponse } from '../../../holdfast/inventory/v1/GetStockResponse.ts';
import type { PutStockRequestInput as _holdfast_inventory_v1_PutStockRequestInput, PutStockRequest as _holdfast_inventory_v1_PutStockRequest } from '../../../holdfast/inventory/v1/PutStockRequest.ts';
import type { PutStockResponseInput as _holdfast_inventory_v1_PutStockResponseInput, PutStockResponse as _holdfast_inventory_v1_PutStockResponse } from '../../../holdfast/inventory/v1/PutStockResponse.ts';
import type { ReleaseInventoryRequestInput as _holdfast_inventory_v1_ReleaseInventoryRequestInput, ReleaseInventoryRequest as _holdfast_inventory_v1_ReleaseInventoryRequest } from '../../../holdfast/inventory/v1/ReleaseInventoryRequest.ts';
import type { ReleaseInventoryResponseInput as _holdfast_inventory_v1_ReleaseInventoryResponseInput, ReleaseInventoryResponse as _holdfast_inventory_v1_ReleaseInventoryResponse } from '../../../holdfast/inventory/v1/ReleaseInventoryResponse.ts';
import type { ReleaseRestockRequestInput as _holdfast_inventory_v1_ReleaseRestockRequestInput, ReleaseRestockRequest as _holdfast_inventory_v1_ReleaseRestockRequest } from '../../../holdfast/inventory/v1/ReleaseRestockRequest.ts';
import type { ReleaseRestockResponseInput as _holdfast_inventory_v1_ReleaseRestockResponseInput, ReleaseRestockResponse as _holdfast_inventory_v1_ReleaseRestockResponse } from '../../../holdfast/inventory/v1/ReleaseRestockResponse.ts';
import type { ReserveInventoryRequestInput as _holdfast_inventory_v1_ReserveInventoryRequestInput, ReserveInventoryRequest as _holdfast_inventory_v1_ReserveInventoryRequest } from '../../../holdfast/inventory/v1/ReserveInventoryRequest.ts';
import type { ReserveInventoryResponseInput as _holdfast_inventory_v1_ReserveInventoryResponseInput, ReserveInventoryResponse as _holdfast_inventory_v1_ReserveInventoryResponse } from '../../../holdfast/inventory/v1/ReserveInventoryResponse.ts';
import type { ReserveRestockRequestInput as _holdfast_inventory_v1_ReserveRestockRequestInput, ReserveRestockRequest as _holdfast_inventory_v1_ReserveRestockRequest } from '../../../holdfast/inventory/v1/ReserveRestockRequest.ts';
import type { ReserveRestockResponseInput as _holdfast_inventory_v1_ReserveRestockResponseInput, ReserveRestockResponse as _holdfast_inventory_v1_ReserveRestockResponse } from '../../../holdfast/inventory/v1/ReserveRestockResponse.ts';
import type { RestockRequestInput as _holdfast_inventory_v1_RestockRequestInput, RestockRequest as _holdfast_inventory_v1_RestockRequest } from '../../../holdfast/inventory/v1/RestockRequest.ts';
import type { RestockResponseInput as _holdfast_inventory_v1_RestockResponseInput, RestockResponse as _holdfast_inventory_v1_RestockResponse } from '../../../holdfast/inventory/v1/RestockResponse.ts';

export interface InventoryServiceClient extends grpc.Client {
  AdjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  AdjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  AdjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  AdjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  adjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  adjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  adjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  adjustStock(argument: _holdfast_inventory_v1_AdjustStockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_AdjustStockResponse>): grpc.ClientUnaryCall;
  
  GetStep(argument: _holdfast_inventory_v1_GetStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_inventory_v1_GetStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_inventory_v1_GetStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_inventory_v1_GetStepRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_inventory_v1_GetStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_inventory_v1_GetStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_inventory_v1_GetStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_inventory_v1_GetStepRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStepResponse>): grpc.ClientUnaryCall;
  
  GetStock(argument: _holdfast_inventory_v1_GetStockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  GetStock(argument: _holdfast_inventory_v1_GetStockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  GetStock(argument: _holdfast_inventory_v1_GetStockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  GetStock(argument: _holdfast_inventory_v1_GetStockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  getStock(argument: _holdfast_inventory_v1_GetStockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  getStock(argument: _holdfast_inventory_v1_GetStockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  getStock(argument: _holdfast_inventory_v1_GetStockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  getStock(argument: _holdfast_inventory_v1_GetStockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_GetStockResponse>): grpc.ClientUnaryCall;
  
  PutStock(argument: _holdfast_inventory_v1_PutStockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  PutStock(argument: _holdfast_inventory_v1_PutStockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  PutStock(argument: _holdfast_inventory_v1_PutStockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  PutStock(argument: _holdfast_inventory_v1_PutStockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  putStock(argument: _holdfast_inventory_v1_PutStockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  putStock(argument: _holdfast_inventory_v1_PutStockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  putStock(argument: _holdfast_inventory_v1_PutStockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  putStock(argument: _holdfast_inventory_v1_PutStockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_PutStockResponse>): grpc.ClientUnaryCall;
  
  ReleaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  ReleaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  ReleaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  ReleaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  releaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  releaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  releaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  releaseInventory(argument: _holdfast_inventory_v1_ReleaseInventoryRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseInventoryResponse>): grpc.ClientUnaryCall;
  
  ReleaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  ReleaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  ReleaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  ReleaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  releaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  releaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  releaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  releaseRestock(argument: _holdfast_inventory_v1_ReleaseRestockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReleaseRestockResponse>): grpc.ClientUnaryCall;
  
  ReserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  ReserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  ReserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  ReserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  reserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  reserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  reserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  reserveInventory(argument: _holdfast_inventory_v1_ReserveInventoryRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveInventoryResponse>): grpc.ClientUnaryCall;
  
  ReserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  ReserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  ReserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  ReserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  reserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  reserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  reserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  reserveRestock(argument: _holdfast_inventory_v1_ReserveRestockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_ReserveRestockResponse>): grpc.ClientUnaryCall;
  
  Restock(argument: _holdfast_inventory_v1_RestockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  Restock(argument: _holdfast_inventory_v1_RestockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  Restock(argument: _holdfast_inventory_v1_RestockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  Restock(argument: _holdfast_inventory_v1_RestockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  restock(argument: _holdfast_inventory_v1_RestockRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  restock(argument: _holdfast_inventory_v1_RestockRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  restock(argument: _holdfast_inventory_v1_RestockRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  restock(argument: _holdfast_inventory_v1_RestockRequestInput, callback: grpc.requestCallback<_holdfast_inventory_v1_RestockResponse>): grpc.ClientUnaryCall;
  
}

export interface InventoryServiceHandlers extends grpc.UntypedServiceImplementation {
  AdjustStock: grpc.handleUnaryCall<_holdfast_inventory_v1_AdjustStockRequest, _holdfast_inventory_v1_AdjustStockResponseInput>;
  
  GetStep: grpc.handleUnaryCall<_holdfast_inventory_v1_GetStepRequest, _holdfast_inventory_v1_GetStepResponseInput>;
  
  GetStock: grpc.handleUnaryCall<_holdfast_inventory_v1_GetStockRequest, _holdfast_inventory_v1_GetStockResponseInput>;
  
  PutStock: grpc.handleUnaryCall<_holdfast_inventory_v1_PutStockRequest, _holdfast_inventory_v1_PutStockResponseInput>;
  
  ReleaseInventory: grpc.handleUnaryCall<_holdfast_inventory_v1_ReleaseInventoryRequest, _holdfast_inventory_v1_ReleaseInventoryResponseInput>;
  
  ReleaseRestock: grpc.handleUnaryCall<_holdfast_inventory_v1_ReleaseRestockRequest, _holdfast_inventory_v1_ReleaseRestockResponseInput>;
  
  ReserveInventory: grpc.handleUnaryCall<_holdfast_inventory_v1_ReserveInventoryRequest, _holdfast_inventory_v1_ReserveInventoryResponseInput>;
  
  ReserveRestock: grpc.handleUnaryCall<_holdfast_inventory_v1_ReserveRestockRequest, _holdfast_inventory_v1_ReserveRestockResponseInput>;
  
  Restock: grpc.handleUnaryCall<_holdfast_inventory_v1_RestockRequest, _holdfast_inventory_v1_RestockResponseInput>;
  
}

export interface InventoryServiceDefinition extends grpc.ServiceDefinition {
  AdjustStock: MethodDefinition<_holdfast_inventory_v1_AdjustStockRequestInput, _holdfast_inventory_v1_AdjustStockResponseInput, _holdfast_inventory_v1_AdjustStockRequest, _holdfast_inventory_v1_AdjustStockResponse>
  GetStep: MethodDefinition<_holdfast_inventory_v1_GetStepRequestInput, _holdfast_inventory_v1_GetStepResponseInput, _holdfast_inventory_v1_GetStepRequest, _holdfast_inventory_v1_GetStepResponse>
  GetStock: MethodDefinition<_holdfast_inventory_v1_GetStockRequestInput, _holdfast_inventory_v1_GetStockResponseInput, _holdfast_inventory_v1_GetStockRequest, _holdfast_inventory_v1_GetStockResponse>
  PutStock: MethodDefinition<_holdfast_inventory_v1_PutStockRequestInput, _holdfast_inventory_v1_PutStockResponseInput, _holdfast_inventory_v1_PutStockRequest, _holdfast_inventory_v1_PutStockResponse>
  ReleaseInventory: MethodDefinition<_holdfast_inventory_v1_ReleaseInventoryRequestInput, _holdfast_inventory_v1_ReleaseInventoryResponseInput, _holdfast_inventory_v1_ReleaseInventoryRequest, _holdfast_inventory_v1_ReleaseInventoryResponse>
  ReleaseRestock: MethodDefinition<_holdfast_inventory_v1_ReleaseRestockRequestInput, _holdfast_inventory_v1_ReleaseRestockResponseInput, _holdfast_inventory_v1_ReleaseRestockRequest, _holdfast_inventory_v1_ReleaseRestockResponse>
  ReserveInventory: MethodDefinition<_holdfast_inventory_v1_ReserveInventoryRequestInput, _holdfast_inventory_v1_ReserveInventoryResponseInput, _holdfast_inventory_v1_ReserveInventoryRequest, _holdfast_inventory_v1_ReserveInventoryResponse>
  ReserveRestock: MethodDefinition<_holdfast_inventory_v1_ReserveRestockRequestInput, _holdfast_inventory_v1_ReserveRestockResponseInput, _holdfast_inventory_v1_ReserveRestockRequest, _holdfast_inventory_v1_ReserveRestockResponse>
  Restock: MethodDefinition<_holdfast_inventory_v1_RestockRequestInput, _holdfast_inventory_v1_RestockResponseInput, _holdfast_inventory_v1_RestockRequest, _holdfast_inventory_v1_RestockResponse>
}
