// Original file: protos/holdfast/orders/v1/orders.proto

import type { LineKindInput as _holdfast_orders_v1_LineKindInput, LineKind as _holdfast_orders_v1_LineKind } from '../../../holdfast/orders/v1/LineKind.ts';
import type { Long } from '@grpc/proto-loader';

export interface OrderLineInput {
  'kind'?: (_holdfast_orders_v1_LineKindInput);
  'name'?: (string);
  'amount'?: (number | string | Long);
}

export interface OrderLine {
  'kind': (_holdfast_orders_v1_LineKind);
  'name': (string);
  'amount': (number);
}
