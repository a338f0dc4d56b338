// Original file: protos/holdfast/orders/v1/orders.proto


export interface CancelOrderRequestInput {
  'id'?: (string);
}

export interface CancelOrderRequest {
  'id': (string);
}
