// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface ReleaseRestockRequestInput {
  'orderId'?: (string);
  'refundId'?: (string);
}

export interface ReleaseRestockRequest {
  'orderId': (string);
  'refundId': (string);
}
