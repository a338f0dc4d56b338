// Original file: protos/holdfast/shipping/v1/shipping.proto


export interface AddressInput {
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

export interface Address {
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
