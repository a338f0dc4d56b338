// Original file: protos/holdfast/orders/v1/orders.proto


export interface ShipToInput {
  'name'?: (string);
  'line1'?: (string);
  'city'?: (string);
  'postalCode'?: (string);
  'country'?: (string);
}

export interface ShipTo {
  'name': (string);
  'line1': (string);
  'city': (string);
  'postalCode': (string);
  'country': (string);
}
