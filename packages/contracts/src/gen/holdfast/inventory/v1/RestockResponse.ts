// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { LineInput as _holdfast_inventory_v1_LineInput, Line as _holdfast_inventory_v1_Line } from '../../../holdfast/inventory/v1/Line.ts';

export interface RestockResponseInput {
  'lines'?: (_holdfast_inventory_v1_LineInput)[];
}

export interface RestockResponse {
  'lines': (_holdfast_inventory_v1_Line)[];
}
