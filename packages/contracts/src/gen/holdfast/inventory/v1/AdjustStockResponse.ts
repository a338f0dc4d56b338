// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { StockInput as _holdfast_inventory_v1_StockInput, Stock as _holdfast_inventory_v1_Stock } from '../../../holdfast/inventory/v1/Stock.ts';

export interface AdjustStockResponseInput {
  'stock'?: (_holdfast_inventory_v1_StockInput | null);
  'before'?: (_holdfast_inventory_v1_StockInput | null);
}

export interface AdjustStockResponse {
  'stock': (_holdfast_inventory_v1_Stock | null);
  'before': (_holdfast_inventory_v1_Stock | null);
}
