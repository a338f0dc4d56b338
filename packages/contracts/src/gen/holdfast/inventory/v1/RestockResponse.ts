// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { ReturnedLineInput as _holdfast_inventory_v1_ReturnedLineInput, ReturnedLine as _holdfast_inventory_v1_ReturnedLine } from '../../../holdfast/inventory/v1/ReturnedLine.ts';

export interface RestockResponseInput {
  'lines'?: (_holdfast_inventory_v1_ReturnedLineInput)[];
}

export interface RestockResponse {
  'lines': (_holdfast_inventory_v1_ReturnedLine)[];
}
