// Original file: protos/holdfast/orders/v1/orders.proto


export interface WatchOrderRequestInput {
  'id'?: (string);
}

export interface WatchOrderRequest {
  'id': (string);
}
