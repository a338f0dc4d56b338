// Original file: protos/holdfast/orders/v1/orders.proto


export interface ShipToInput {
  'name'?: (string);
  'line1'?: (string);
  'city'?: (string);
  'postalCode'?: (string);
  'country'?: (string);
  'line2'?: (string);
  'region'?: (string);
  'phone'?: (string);
  'company'?: (string);
}

export interface ShipTo {
  'name': (string);
  'line1': (string);
  'city': (string);
  'postalCode': (string);
  'country': (string);
  'line2': (string);
  'region': (string);
  'phone': (string);
  'company': (string);
}
