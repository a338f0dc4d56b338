// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { Long } from '@grpc/proto-loader';

export interface StockInput {
  'sku'?: (string);
  'onHand'?: (number | string | Long);
  'reserved'?: (number | string | Long);
  'unitPrice'?: (number | string | Long);
  'currency'?: (string);
  'version'?: (number | string | Long);
}

export interface Stock {
  'sku': (string);
  'onHand': (number);
  'reserved': (number);
  'unitPrice': (number);
  'currency': (string);
  'version': (number);
}
