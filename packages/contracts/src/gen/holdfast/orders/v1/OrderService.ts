// Original file: protos/holdfast/orders/v1/orders.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelOrderRequestInput as _holdfast_orders_v1_CancelOrderRequestInput, CancelOrderRequest as _holdfast_orders_v1_CancelOrderRequest } from '../../../holdfast/orders/v1/CancelOrderRequest.ts';
import type { CancelOrderResponseInput as _holdfast_orders_v1_CancelOrderResponseInput, CancelOrderResponse as _holdfast_orders_v1_CancelOrderResponse } from '../../../holdfast/orders/v1/CancelOrderResponse.ts';
import type { GetOrderRequestInput as _holdfast_orders_v1_GetOrderRequestInput, GetOrderRequest as _holdfast_orders_v1_GetOrderRequest } from '../../../holdfast/orders/v1/GetOrderRequest.ts';
import type { GetOrderResponseInput as _holdfast_orders_v1_GetOrderResponseInput, GetOrderResponse as _holdfast_orders_v1_GetOrderResponse } from '../../../holdfast/orders/v1/GetOrderResponse.ts';
import type { GetRefundRequestInput as _holdfast_orders_v1_GetRefundRequestInput, GetRefundRequest as _holdfast_orders_v1_GetRefundRequest } from '../../../holdfast/orders/v1/GetRefundRequest.ts';
import type { GetRefundResponseInput as _holdfast_orders_v1_GetRefundResponseInput, GetRefundResponse as _holdfast_orders_v1_GetRefundResponse } from '../../../holdfast/orders/v1/GetRefundResponse.ts';
import type { ListRefundsRequestInput as _holdfast_orders_v1_ListRefundsRequestInput, ListRefundsRequest as _holdfast_orders_v1_ListRefundsRequest } from '../../../holdfast/orders/v1/ListRefundsRequest.ts';
import type { ListRefundsResponseInput as _holdfast_orders_v1_ListRefundsResponseInput, ListRefundsResponse as _holdfast_orders_v1_ListRefundsResponse } from '../../../holdfast/orders/v1/ListRefundsResponse.ts';
import type { PlaceOrderRequestInput as _holdfast_orders_v1_PlaceOrderRequestInput, PlaceOrderRequest as _holdfast_orders_v1_PlaceOrderRequest } from '../../../holdfast/orders/v1/PlaceOrderRequest.ts';
import type { PlaceOrderResponseInput as _holdfast_orders_v1_PlaceOrderResponseInput, PlaceOrderResponse as _holdfast_orders_v1_PlaceOrderResponse } from '../../../holdfast/orders/v1/PlaceOrderResponse.ts';
import type { RefundOrderRequestInput as _holdfast_orders_v1_RefundOrderRequestInput, RefundOrderRequest as _holdfast_orders_v1_RefundOrderRequest } from '../../../holdfast/orders/v1/RefundOrderRequest.ts';
import type { RefundOrderResponseInput as _holdfast_orders_v1_RefundOrderResponseInput, RefundOrderResponse as _holdfast_orders_v1_RefundOrderResponse } from '../../../holdfast/orders/v1/RefundOrderResponse.ts';
import type { WatchOrderRequestInput as _holdfast_orders_v1_WatchOrderRequestInput, WatchOrderRequest as _holdfast_orders_v1_WatchOrderRequest } from '../../../holdfast/orders/v1/WatchOrderRequest.ts';
import type { WatchOrderResponseInput as _holdfast_orders_v1_WatchOrderResponseInput, WatchOrderResponse as _holdfast_orders_v1_WatchOrderResponse } from '../../../holdfast/orders/v1/WatchOrderResponse.ts';

export interface OrderServiceClient extends grpc.Client {
  CancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  CancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  CancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  CancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  cancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  cancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  cancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  cancelOrder(argument: _holdfast_orders_v1_CancelOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_CancelOrderResponse>): grpc.ClientUnaryCall;
  
  GetOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  GetOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  GetOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  GetOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  getOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  getOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  getOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  getOrder(argument: _holdfast_orders_v1_GetOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_GetOrderResponse>): grpc.ClientUnaryCall;
  
  GetRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  GetRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  GetRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  GetRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  getRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  getRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  getRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  getRefund(argument: _holdfast_orders_v1_GetRefundRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_GetRefundResponse>): grpc.ClientUnaryCall;
  
  ListRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  ListRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  ListRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  ListRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  listRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  listRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  listRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  listRefunds(argument: _holdfast_orders_v1_ListRefundsRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_ListRefundsResponse>): grpc.ClientUnaryCall;
  
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  
  RefundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  RefundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  RefundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  RefundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  refundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  refundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  refundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  refundOrder(argument: _holdfast_orders_v1_RefundOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_RefundOrderResponse>): grpc.ClientUnaryCall;
  
  WatchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  WatchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  watchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  watchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  
}

export interface OrderServiceHandlers extends grpc.UntypedServiceImplementation {
  CancelOrder: grpc.handleUnaryCall<_holdfast_orders_v1_CancelOrderRequest, _holdfast_orders_v1_CancelOrderResponseInput>;
  
  GetOrder: grpc.handleUnaryCall<_holdfast_orders_v1_GetOrderRequest, _holdfast_orders_v1_GetOrderResponseInput>;
  
  GetRefund: grpc.handleUnaryCall<_holdfast_orders_v1_GetRefundRequest, _holdfast_orders_v1_GetRefundResponseInput>;
  
  ListRefunds: grpc.handleUnaryCall<_holdfast_orders_v1_ListRefundsRequest, _holdfast_orders_v1_ListRefundsResponseInput>;
  
  PlaceOrder: grpc.handleUnaryCall<_holdfast_orders_v1_PlaceOrderRequest, _holdfast_orders_v1_PlaceOrderResponseInput>;
  
  RefundOrder: grpc.handleUnaryCall<_holdfast_orders_v1_RefundOrderRequest, _holdfast_orders_v1_RefundOrderResponseInput>;
  
  WatchOrder: grpc.handleServerStreamingCall<_holdfast_orders_v1_WatchOrderRequest, _holdfast_orders_v1_WatchOrderResponseInput>;
  
}

export interface OrderServiceDefinition extends grpc.ServiceDefinition {
  CancelOrder: MethodDefinition<_holdfast_orders_v1_CancelOrderRequestInput, _holdfast_orders_v1_CancelOrderResponseInput, _holdfast_orders_v1_CancelOrderRequest, _holdfast_orders_v1_CancelOrderResponse>
  GetOrder: MethodDefinition<_holdfast_orders_v1_GetOrderRequestInput, _holdfast_orders_v1_GetOrderResponseInput, _holdfast_orders_v1_GetOrderRequest, _holdfast_orders_v1_GetOrderResponse>
  GetRefund: MethodDefinition<_holdfast_orders_v1_GetRefundRequestInput, _holdfast_orders_v1_GetRefundResponseInput, _holdfast_orders_v1_GetRefundRequest, _holdfast_orders_v1_GetRefundResponse>
  ListRefunds: MethodDefinition<_holdfast_orders_v1_ListRefundsRequestInput, _holdfast_orders_v1_ListRefundsResponseInput, _holdfast_orders_v1_ListRefundsRequest, _holdfast_orders_v1_ListRefundsResponse>
  PlaceOrder: MethodDefinition<_holdfast_orders_v1_PlaceOrderRequestInput, _holdfast_orders_v1_PlaceOrderResponseInput, _holdfast_orders_v1_PlaceOrderRequest, _holdfast_orders_v1_PlaceOrderResponse>
  RefundOrder: MethodDefinition<_holdfast_orders_v1_RefundOrderRequestInput, _holdfast_orders_v1_RefundOrderResponseInput, _holdfast_orders_v1_RefundOrderRequest, _holdfast_orders_v1_RefundOrderResponse>
  WatchOrder: MethodDefinition<_holdfast_orders_v1_WatchOrderRequestInput, _holdfast_orders_v1_WatchOrderResponseInput, _holdfast_orders_v1_WatchOrderRequest, _holdfast_orders_v1_WatchOrderResponse>
}
