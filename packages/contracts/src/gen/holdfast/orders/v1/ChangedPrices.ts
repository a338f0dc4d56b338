// Original file: protos/holdfast/orders/v1/orders.proto

import type { ChangedPriceInput as _holdfast_orders_v1_ChangedPriceInput, ChangedPrice as _holdfast_orders_v1_ChangedPrice } from '../../../holdfast/orders/v1/ChangedPrice.ts';
import type { Long } from '@grpc/proto-loader';

export interface ChangedPricesInput {
  'items'?: (_holdfast_orders_v1_ChangedPriceInput)[];
  'total'?: (number | string | Long);
  'shownTotal'?: (number | string | Long);
  'sum'?: "total";
  'shown'?: "shownTotal";
}

export interface ChangedPrices {
  'items': (_holdfast_orders_v1_ChangedPrice)[];
  'total'?: (number);
  'shownTotal'?: (number);
  'sum'?: "total";
  'shown'?: "shownTotal";
}
