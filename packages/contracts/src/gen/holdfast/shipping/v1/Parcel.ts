// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface ParcelInput {
  'sku'?: (string);
  'quantity'?: (number);
}

export interface Parcel {
  'sku': (string);
  'quantity': (number);
}
