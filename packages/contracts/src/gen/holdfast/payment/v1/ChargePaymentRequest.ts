// Original file: protos/holdfast/payment/v1/payment.proto

import type { Long } from '@grpc/proto-loader';

export interface ChargePaymentRequestInput {
  'orderId'?: (string);
  'customerId'?: (string);
  'amount'?: (number | string | Long);
  'currency'?: (string);
  'method'?: (string);
  'providerCustomer'?: (string);
  'offSession'?: (boolean);
  'returnUrl'?: (string);
  'authorizeOnly'?: (boolean);
}

export interface ChargePaymentRequest {
  'orderId': (string);
  'customerId': (string);
  'amount': (number);
  'currency': (string);
  'method': (string);
  'providerCustomer': (string);
  'offSession': (boolean);
  'returnUrl': (string);
  'authorizeOnly': (boolean);
}
