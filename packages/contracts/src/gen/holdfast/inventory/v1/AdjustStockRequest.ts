// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { Long } from '@grpc/proto-loader';

export interface AdjustStockRequestInput {
  'sku'?: (string);
  'delta'?: (number | string | Long);
  'proof'?: (string);
}

export interface AdjustStockRequest {
  'sku': (string);
  'delta': (number);
  'proof': (string);
}
