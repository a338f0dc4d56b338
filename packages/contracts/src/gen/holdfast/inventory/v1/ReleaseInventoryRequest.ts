// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface ReleaseInventoryRequestInput {
  'orderId'?: (string);
}

export interface ReleaseInventoryRequest {
  'orderId': (string);
}
