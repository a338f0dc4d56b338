// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface GetStockRequestInput {
  'sku'?: (string);
}

export interface GetStockRequest {
  'sku': (string);
}
