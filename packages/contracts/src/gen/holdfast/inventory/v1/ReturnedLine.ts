// Original file: protos/holdfast/inventory/v1/inventory.proto


export interface ReturnedLineInput {
  'sku'?: (string);
  'quantity'?: (number);
}

export interface ReturnedLine {
  'sku': (string);
  'quantity': (number);
}
