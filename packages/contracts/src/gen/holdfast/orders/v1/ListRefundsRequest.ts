// Original file: protos/holdfast/orders/v1/orders.proto


export interface ListRefundsRequestInput {
  'orderId'?: (string);
  'limit'?: (number);
  'cursor'?: (string);
}

export interface ListRefundsRequest {
  'orderId': (string);
  'limit': (number);
  'cursor': (string);
}
