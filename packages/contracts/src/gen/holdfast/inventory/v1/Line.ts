// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface LineInput {
  'sku'?: (string);
  'quantity'?: (number);
}

export interface Line {
  'sku': (string);
  'quantity': (number);
}
