// Original file: protos/holdfast/orders/v1/orders.proto


export interface RefundLineInput {
  'sku'?: (string);
  'quantity'?: (number);
  'restock'?: (boolean);
}

export interface RefundLine {
  'sku': (string);
  'quantity': (number);
  'restock': (boolean);
}
