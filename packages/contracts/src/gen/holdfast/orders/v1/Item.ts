// Original file: protos/holdfast/orders/v1/orders.proto

import type { Long } from '@grpc/proto-loader';

export interface ItemInput {
  'sku'?: (string);
  'quantity'?: (number);
  'unitPrice'?: (number | string | Long);
  'name'?: (string);
  'shown'?: "unitPrice";
}

export interface Item {
  'sku': (string);
  'quantity': (number);
  'unitPrice'?: (number);
  'name': (string);
  'shown'?: "unitPrice";
}
