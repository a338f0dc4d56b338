// Original file: protos/holdfast/orders/v1/orders.proto


export interface GetRefundRequestInput {
  'orderId'?: (string);
  'id'?: (string);
}

export interface GetRefundRequest {
  'orderId': (string);
  'id': (string);
}
