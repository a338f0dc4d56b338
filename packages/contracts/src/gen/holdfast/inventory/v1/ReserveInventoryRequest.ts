// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { LineInput as _holdfast_inventory_v1_LineInput, Line as _holdfast_inventory_v1_Line } from '../../../holdfast/inventory/v1/Line.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReserveInventoryRequestInput {
  'orderId'?: (string);
  'currency'?: (string);
  'lines'?: (_holdfast_inventory_v1_LineInput)[];
  'beside'?: (number | string | Long);
  'expectedTotal'?: (number | string | Long);
  'shown'?: "expectedTotal";
}

export interface ReserveInventoryRequest {
  'orderId': (string);
  'currency': (string);
  'lines': (_holdfast_inventory_v1_Line)[];
  'beside': (number);
  'expectedTotal'?: (number);
  'shown'?: "expectedTotal";
}
