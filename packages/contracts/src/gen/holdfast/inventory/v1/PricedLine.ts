// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { Long } from '@grpc/proto-loader';

export interface PricedLineInput {
  'sku'?: (string);
  'quantity'?: (number);
  'unitPrice'?: (number | string | Long);
}

export interface PricedLine {
  'sku': (string);
  'quantity': (number);
  'unitPrice': (number);
}
