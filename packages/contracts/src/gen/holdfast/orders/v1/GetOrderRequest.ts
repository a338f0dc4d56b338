// Original file: protos/holdfast/orders/v1/orders.proto


export interface GetOrderRequestInput {
  'id'?: (string);
}

export interface GetOrderRequest {
  'id': (string);
}
