// Original file: protos/holdfast/orders/v1/orders.proto


export interface ItemInput {
  'sku'?: (string);
  'quantity'?: (number);
}

export interface Item {
  'sku': (string);
  'quantity': (number);
}
