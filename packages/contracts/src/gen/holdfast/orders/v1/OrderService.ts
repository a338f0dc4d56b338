// Original file: protos/holdfast/orders/v1/orders.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelOrderRequestInput as _holdfast_orders_v1_CancelOrderRequestInput, CancelOrderRequest as _holdfast_orders_v1_CancelOrderRequest } from '../../../holdfast/orders/v1/CancelOrderRequest.ts';
import type { CancelOrderResponseInput as _holdfast_orders_v1_CancelOrderResponseInput, CancelOrderResponse as _holdfast_orders_v1_CancelOrderResponse } from '../../../holdfast/orders/v1/CancelOrderResponse.ts';
import type { GetOrderRequestInput as _holdfast_orders_v1_GetOrderRequestInput, GetOrderRequest as _holdfast_orders_v1_GetOrderRequest } from '../../../holdfast/orders/v1/GetOrderRequest.ts';
import type { GetOrderResponseInput as _holdfast_orders_v1_GetOrderResponseInput, GetOrderResponse as _holdfast_orders_v1_GetOrderResponse } from '../../../holdfast/orders/v1/GetOrderResponse.ts';
import type { PlaceOrderRequestInput as _holdfast_orders_v1_PlaceOrderRequestInput, PlaceOrderRequest as _holdfast_orders_v1_PlaceOrderRequest } from '../../../holdfast/orders/v1/PlaceOrderRequest.ts';
import type { PlaceOrderResponseInput as _holdfast_orders_v1_PlaceOrderResponseInput, PlaceOrderResponse as _holdfast_orders_v1_PlaceOrderResponse } from '../../../holdfast/orders/v1/PlaceOrderResponse.ts';
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
  
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  PlaceOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  placeOrder(argument: _holdfast_orders_v1_PlaceOrderRequestInput, callback: grpc.requestCallback<_holdfast_orders_v1_PlaceOrderResponse>): grpc.ClientUnaryCall;
  
  WatchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  WatchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  watchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  watchOrder(argument: _holdfast_orders_v1_WatchOrderRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_orders_v1_WatchOrderResponse>;
  
}

export interface OrderServiceHandlers extends grpc.UntypedServiceImplementation {
  CancelOrder: grpc.handleUnaryCall<_holdfast_orders_v1_CancelOrderRequest, _holdfast_orders_v1_CancelOrderResponseInput>;
  
  GetOrder: grpc.handleUnaryCall<_holdfast_orders_v1_GetOrderRequest, _holdfast_orders_v1_GetOrderResponseInput>;
  
  PlaceOrder: grpc.handleUnaryCall<_holdfast_orders_v1_PlaceOrderRequest, _holdfast_orders_v1_PlaceOrderResponseInput>;
  
  WatchOrder: grpc.handleServerStreamingCall<_holdfast_orders_v1_WatchOrderRequest, _holdfast_orders_v1_WatchOrderResponseInput>;
  
}

export interface OrderServiceDefinition extends grpc.ServiceDefinition {
  CancelOrder: MethodDefinition<_holdfast_orders_v1_CancelOrderRequestInput, _holdfast_orders_v1_CancelOrderResponseInput, _holdfast_orders_v1_CancelOrderRequest, _holdfast_orders_v1_CancelOrderResponse>
  GetOrder: MethodDefinition<_holdfast_orders_v1_GetOrderRequestInput, _holdfast_orders_v1_GetOrderResponseInput, _holdfast_orders_v1_GetOrderRequest, _holdfast_orders_v1_GetOrderResponse>
  PlaceOrder: MethodDefinition<_holdfast_orders_v1_PlaceOrderRequestInput, _holdfast_orders_v1_PlaceOrderResponseInput, _holdfast_orders_v1_PlaceOrderRequest, _holdfast_orders_v1_PlaceOrderResponse>
  WatchOrder: MethodDefinition<_holdfast_orders_v1_WatchOrderRequestInput, _holdfast_orders_v1_WatchOrderResponseInput, _holdfast_orders_v1_WatchOrderRequest, _holdfast_orders_v1_WatchOrderResponse>
}
