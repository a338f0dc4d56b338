// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { PricedLineInput as _holdfast_inventory_v1_PricedLineInput, PricedLine as _holdfast_inventory_v1_PricedLine } from '../../../holdfast/inventory/v1/PricedLine.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReserveInventoryResponseInput {
  'reservationId'?: (string);
  'currency'?: (string);
  'lines'?: (_holdfast_inventory_v1_PricedLineInput)[];
  'total'?: (number | string | Long);
}

export interface ReserveInventoryResponse {
  'reservationId': (string);
  'currency': (string);
  'lines': (_holdfast_inventory_v1_PricedLine)[];
  'total': (number);
}
