// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { Long } from '@grpc/proto-loader';

export interface LineInput {
  'sku'?: (string);
  'quantity'?: (number);
  'unitPrice'?: (number | string | Long);
  'shown'?: "unitPrice";
}

export interface Line {
  'sku': (string);
  'quantity': (number);
  'unitPrice'?: (number);
  'shown'?: "unitPrice";
}
