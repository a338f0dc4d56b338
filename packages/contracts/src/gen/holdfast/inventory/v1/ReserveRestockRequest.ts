// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { LineInput as _holdfast_inventory_v1_LineInput, Line as _holdfast_inventory_v1_Line } from '../../../holdfast/inventory/v1/Line.ts';

export interface ReserveRestockRequestInput {
  'orderId'?: (string);
  'refundId'?: (string);
  'lines'?: (_holdfast_inventory_v1_LineInput)[];
}

export interface ReserveRestockRequest {
  'orderId': (string);
  'refundId': (string);
  'lines': (_holdfast_inventory_v1_Line)[];
}
