// Original file: protos/holdfast/orders/v1/orders.proto

import type { Long } from '@grpc/proto-loader';

export interface PricedItemInput {
  'sku'?: (string);
  'quantity'?: (number);
  'unitPrice'?: (number | string | Long);
  'name'?: (string);
  'price'?: "unitPrice";
}

export interface PricedItem {
  'sku': (string);
  'quantity': (number);
  'unitPrice'?: (number);
  'name': (string);
  'price'?: "unitPrice";
}
