// Original file: protos/holdfast/orders/v1/orders.proto

import type { ItemInput as _holdfast_orders_v1_ItemInput, Item as _holdfast_orders_v1_Item } from '../../../holdfast/orders/v1/Item.ts';
import type { ShipToInput as _holdfast_orders_v1_ShipToInput, ShipTo as _holdfast_orders_v1_ShipTo } from '../../../holdfast/orders/v1/ShipTo.ts';
import type { OrderLineInput as _holdfast_orders_v1_OrderLineInput, OrderLine as _holdfast_orders_v1_OrderLine } from '../../../holdfast/orders/v1/OrderLine.ts';
import type { Long } from '@grpc/proto-loader';

export interface PlaceOrderRequestInput {
  'customerId'?: (string);
  'currency'?: (string);
  'items'?: (_holdfast_orders_v1_ItemInput)[];
  'paymentMethod'?: (string);
  'shipTo'?: (_holdfast_orders_v1_ShipToInput | null);
  'waitMs'?: (number);
  'lines'?: (_holdfast_orders_v1_OrderLineInput)[];
  'metadata'?: ({[key: string]: string});
  'reference'?: (string);
  'expectedTotal'?: (number | string | Long);
  'paymentCustomer'?: (string);
  'paymentOffSession'?: (boolean);
  'paymentReturnUrl'?: (string);
  'paymentCaptureOnDispatch'?: (boolean);
  'shown'?: "expectedTotal";
}

export interface PlaceOrderRequest {
  'customerId': (string);
  'currency': (string);
  'items': (_holdfast_orders_v1_Item)[];
  'paymentMethod': (string);
  'shipTo': (_holdfast_orders_v1_ShipTo | null);
  'waitMs': (number);
  'lines': (_holdfast_orders_v1_OrderLine)[];
  'metadata': ({[key: string]: string});
  'reference': (string);
  'expectedTotal'?: (number);
  'paymentCustomer': (string);
  'paymentOffSession': (boolean);
  'paymentReturnUrl': (string);
  'paymentCaptureOnDispatch': (boolean);
  'shown'?: "expectedTotal";
}
