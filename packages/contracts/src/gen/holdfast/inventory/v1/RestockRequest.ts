// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface RestockRequestInput {
  'orderId'?: (string);
  'refundId'?: (string);
  'giveUp'?: (boolean);
}

export interface RestockRequest {
  'orderId': (string);
  'refundId': (string);
  'giveUp': (boolean);
}
