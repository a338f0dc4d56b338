// Original file: protos/holdfast/inventory/v1/inventory.proto

import type { Long } from '@grpc/proto-loader';

export interface PutStockRequestInput {
  'sku'?: (string);
  'onHand'?: (number | string | Long);
  'unitPrice'?: (number | string | Long);
  'currency'?: (string);
  'ifVersions'?: (number | string | Long)[];
  'ifListed'?: (boolean);
  'proof'?: (string);
  'count'?: "onHand";
  'price'?: "unitPrice";
  'money'?: "currency";
}

export interface PutStockRequest {
  'sku': (string);
  'onHand'?: (number);
  'unitPrice'?: (number);
  'currency'?: (string);
  'ifVersions': (number)[];
  'ifListed': (boolean);
  'proof': (string);
  'count'?: "onHand";
  'price'?: "unitPrice";
  'money'?: "currency";
}
