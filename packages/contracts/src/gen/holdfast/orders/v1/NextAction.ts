// Original file: protos/holdfast/orders/v1/orders.proto


export interface NextActionInput {
  'type'?: (string);
  'clientSecret'?: (string);
  'redirectUrl'?: (string);
  'expiresAt'?: (string);
}

export interface NextAction {
  'type': (string);
  'clientSecret': (string);
  'redirectUrl': (string);
  'expiresAt': (string);
}
