// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { ReturnedLineInput as _holdfast_inventory_v1_ReturnedLineInput, ReturnedLine as _holdfast_inventory_v1_ReturnedLine } from '../../../holdfast/inventory/v1/ReturnedLine.ts';

export interface ReserveRestockRequestInput {
  'orderId'?: (string);
  'refundId'?: (string);
  'lines'?: (_holdfast_inventory_v1_ReturnedLineInput)[];
}

export interface ReserveRestockRequest {
  'orderId': (string);
  'refundId': (string);
  'lines': (_holdfast_inventory_v1_ReturnedLine)[];
}
