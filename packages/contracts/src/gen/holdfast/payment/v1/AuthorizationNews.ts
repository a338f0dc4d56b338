// Original file: protos/holdfast/payment/v1/payment.proto


export interface AuthorizationNewsInput {
  'state'?: (string);
  'expiresAt'?: (string);
}

export interface AuthorizationNews {
  'state': (string);
  'expiresAt': (string);
}
