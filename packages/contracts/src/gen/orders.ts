import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { CancelOrderRequestInput as _holdfast_orders_v1_CancelOrderRequestInput, CancelOrderRequest as _holdfast_orders_v1_CancelOrderRequest } from './holdfast/orders/v1/CancelOrderRequest.ts';
import type { CancelOrderResponseInput as _holdfast_orders_v1_CancelOrderResponseInput, CancelOrderResponse as _holdfast_orders_v1_CancelOrderResponse } from './holdfast/orders/v1/CancelOrderResponse.ts';
import type { CaptureInput as _holdfast_orders_v1_CaptureInput, Capture as _holdfast_orders_v1_Capture } from './holdfast/orders/v1/Capture.ts';
import type { ChangedPriceInput as _holdfast_orders_v1_ChangedPriceInput, ChangedPrice as _holdfast_orders_v1_ChangedPrice } from './holdfast/orders/v1/ChangedPrice.ts';
import type { ChangedPricesInput as _holdfast_orders_v1_ChangedPricesInput, ChangedPrices as _holdfast_orders_v1_ChangedPrices } from './holdfast/orders/v1/ChangedPrices.ts';
import type { DisputeInput as _holdfast_orders_v1_DisputeInput, Dispute as _holdfast_orders_v1_Dispute } from './holdfast/orders/v1/Dispute.ts';
import type { FailureInput as _holdfast_orders_v1_FailureInput, Failure as _holdfast_orders_v1_Failure } from './holdfast/orders/v1/Failure.ts';
import type { GetOrderRequestInput as _holdfast_orders_v1_GetOrderRequestInput, GetOrderRequest as _holdfast_orders_v1_GetOrderRequest } from './holdfast/orders/v1/GetOrderRequest.ts';
import type { GetOrderResponseInput as _holdfast_orders_v1_GetOrderResponseInput, GetOrderResponse as _holdfast_orders_v1_GetOrderResponse } from './holdfast/orders/v1/GetOrderResponse.ts';
import type { GetRefundRequestInput as _holdfast_orders_v1_GetRefundRequestInput, GetRefundRequest as _holdfast_orders_v1_GetRefundRequest } from './holdfast/orders/v1/GetRefundRequest.ts';
import type { GetRefundResponseInput as _holdfast_orders_v1_GetRefundResponseInput, GetRefundResponse as _holdfast_orders_v1_GetRefundResponse } from './holdfast/orders/v1/GetRefundResponse.ts';
import type { ItemInput as _holdfast_orders_v1_ItemInput, Item as _holdfast_orders_v1_Item } from './holdfast/orders/v1/Item.ts';
import type { ListRefundsRequestInput as _holdfast_orders_v1_ListRefundsRequestInput, ListRefundsRequest as _holdfast_orders_v1_ListRefundsRequest } from './holdfast/orders/v1/ListRefundsRequest.ts';
import type { ListRefundsResponseInput as _holdfast_orders_v1_ListRefundsResponseInput, ListRefundsResponse as _holdfast_orders_v1_ListRefundsResponse } from './holdfast/orders/v1/ListRefundsResponse.ts';
import type { NextActionInput as _holdfast_orders_v1_NextActionInput, NextAction as _holdfast_orders_v1_NextAction } from './holdfast/orders/v1/NextAction.ts';
import type { OrderInput as _holdfast_orders_v1_OrderInput, Order as _holdfast_orders_v1_Order } from './holdfast/orders/v1/Order.ts';
import type { OrderLineInput as _holdfast_orders_v1_OrderLineInput, OrderLine as _holdfast_orders_v1_OrderLine } from './holdfast/orders/v1/OrderLine.ts';
import type { OrderServiceClient as _holdfast_orders_v1_OrderServiceClient, OrderServiceDefinition as _holdfast_orders_v1_OrderServiceDefinition } from './holdfast/orders/v1/OrderService.ts';
import type { PlaceOrderRequestInput as _holdfast_orders_v1_PlaceOrderRequestInput, PlaceOrderRequest as _holdfast_orders_v1_PlaceOrderRequest } from './holdfast/orders/v1/PlaceOrderRequest.ts';
import type { PlaceOrderResponseInput as _holdfast_orders_v1_PlaceOrderResponseInput, PlaceOrderResponse as _holdfast_orders_v1_PlaceOrderResponse } from './holdfast/orders/v1/PlaceOrderResponse.ts';
import type { PricedItemInput as _holdfast_orders_v1_PricedItemInput, PricedItem as _holdfast_orders_v1_PricedItem } from './holdfast/orders/v1/PricedItem.ts';
import type { RefundInput as _holdfast_orders_v1_RefundInput, Refund as _holdfast_orders_v1_Refund } from './holdfast/orders/v1/Refund.ts';
import type { RefundLineInput as _holdfast_orders_v1_RefundLineInput, RefundLine as _holdfast_orders_v1_RefundLine } from './holdfast/orders/v1/RefundLine.ts';
import type { RefundOrderRequestInput as _holdfast_orders_v1_RefundOrderRequestInput, RefundOrderRequest as _holdfast_orders_v1_RefundOrderRequest } from './holdfast/orders/v1/RefundOrderRequest.ts';
import type { RefundOrderResponseInput as _holdfast_orders_v1_RefundOrderResponseInput, RefundOrderResponse as _holdfast_orders_v1_RefundOrderResponse } from './holdfast/orders/v1/RefundOrderResponse.ts';
import type { ShipToInput as _holdfast_orders_v1_ShipToInput, ShipTo as _holdfast_orders_v1_ShipTo } from './holdfast/orders/v1/ShipTo.ts';
import type { WatchOrderRequestInput as _holdfast_orders_v1_WatchOrderRequestInput, WatchOrderRequest as _holdfast_orders_v1_WatchOrderRequest } from './holdfast/orders/v1/WatchOrderRequest.ts';
import type { WatchOrderResponseInput as _holdfast_orders_v1_WatchOrderResponseInput, WatchOrderResponse as _holdfast_orders_v1_WatchOrderResponse } from './holdfast/orders/v1/WatchOrderResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    orders: {
      v1: {
        CancelOrderRequest: MessageTypeDefinition<_holdfast_orders_v1_CancelOrderRequestInput, _holdfast_orders_v1_CancelOrderRequest>
        CancelOrderResponse: MessageTypeDefinition<_holdfast_orders_v1_CancelOrderResponseInput, _holdfast_orders_v1_CancelOrderResponse>
        Capture: MessageTypeDefinition<_holdfast_orders_v1_CaptureInput, _holdfast_orders_v1_Capture>
        ChangedPrice: MessageTypeDefinition<_holdfast_orders_v1_ChangedPriceInput, _holdfast_orders_v1_ChangedPrice>
        ChangedPrices: MessageTypeDefinition<_holdfast_orders_v1_ChangedPricesInput, _holdfast_orders_v1_ChangedPrices>
        Dispute: MessageTypeDefinition<_holdfast_orders_v1_DisputeInput, _holdfast_orders_v1_Dispute>
        Failure: MessageTypeDefinition<_holdfast_orders_v1_FailureInput, _holdfast_orders_v1_Failure>
        GetOrderRequest: MessageTypeDefinition<_holdfast_orders_v1_GetOrderRequestInput, _holdfast_orders_v1_GetOrderRequest>
        GetOrderResponse: MessageTypeDefinition<_holdfast_orders_v1_GetOrderResponseInput, _holdfast_orders_v1_GetOrderResponse>
        GetRefundRequest: MessageTypeDefinition<_holdfast_orders_v1_GetRefundRequestInput, _holdfast_orders_v1_GetRefundRequest>
        GetRefundResponse: MessageTypeDefinition<_holdfast_orders_v1_GetRefundResponseInput, _holdfast_orders_v1_GetRefundResponse>
        Item: MessageTypeDefinition<_holdfast_orders_v1_ItemInput, _holdfast_orders_v1_Item>
        LineKind: EnumTypeDefinition
        ListRefundsRequest: MessageTypeDefinition<_holdfast_orders_v1_ListRefundsRequestInput, _holdfast_orders_v1_ListRefundsRequest>
        ListRefundsResponse: MessageTypeDefinition<_holdfast_orders_v1_ListRefundsResponseInput, _holdfast_orders_v1_ListRefundsResponse>
        NextAction: MessageTypeDefinition<_holdfast_orders_v1_NextActionInput, _holdfast_orders_v1_NextAction>
        Order: MessageTypeDefinition<_holdfast_orders_v1_OrderInput, _holdfast_orders_v1_Order>
        OrderLine: MessageTypeDefinition<_holdfast_orders_v1_OrderLineInput, _holdfast_orders_v1_OrderLine>
        OrderService: SubtypeConstructor<typeof grpc.Client, _holdfast_orders_v1_OrderServiceClient> & { service: _holdfast_orders_v1_OrderServiceDefinition }
        OrderStatus: EnumTypeDefinition
        PlaceOrderRequest: MessageTypeDefinition<_holdfast_orders_v1_PlaceOrderRequestInput, _holdfast_orders_v1_PlaceOrderRequest>
        PlaceOrderResponse: MessageTypeDefinition<_holdfast_orders_v1_PlaceOrderResponseInput, _holdfast_orders_v1_PlaceOrderResponse>
        PricedItem: MessageTypeDefinition<_holdfast_orders_v1_PricedItemInput, _holdfast_orders_v1_PricedItem>
        Refund: MessageTypeDefinition<_holdfast_orders_v1_RefundInput, _holdfast_orders_v1_Refund>
        RefundLine: MessageTypeDefinition<_holdfast_orders_v1_RefundLineInput, _holdfast_orders_v1_RefundLine>
        RefundOrderRequest: MessageTypeDefinition<_holdfast_orders_v1_RefundOrderRequestInput, _holdfast_orders_v1_RefundOrderRequest>
        RefundOrderResponse: MessageTypeDefinition<_holdfast_orders_v1_RefundOrderResponseInput, _holdfast_orders_v1_RefundOrderResponse>
        RefundStatus: EnumTypeDefinition
        ShipTo: MessageTypeDefinition<_holdfast_orders_v1_ShipToInput, _holdfast_orders_v1_ShipTo>
        WatchOrderRequest: MessageTypeDefinition<_holdfast_orders_v1_WatchOrderRequestInput, _holdfast_orders_v1_WatchOrderRequest>
        WatchOrderResponse: MessageTypeDefinition<_holdfast_orders_v1_WatchOrderResponseInput, _holdfast_orders_v1_WatchOrderResponse>
      }
    }
  }
}

