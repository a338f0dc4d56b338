// Original file: protos/holdfast/orders/v1/orders.proto

import type { Long } from '@grpc/proto-loader';

export interface ChangedPriceInput {
  'sku'?: (string);
  'unitPrice'?: (number | string | Long);
  'shownUnitPrice'?: (number | string | Long);
  'shown'?: "shownUnitPrice";
}

export interface ChangedPrice {
  'sku': (string);
  'unitPrice': (number);
  'shownUnitPrice'?: (number);
  'shown'?: "shownUnitPrice";
}
