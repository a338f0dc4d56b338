// Original file: protos/holdfast/payment/v1/payment.proto

import type { DisputeNewsInput as _holdfast_payment_v1_DisputeNewsInput, DisputeNews as _holdfast_payment_v1_DisputeNews } from '../../../holdfast/payment/v1/DisputeNews.ts';
import type { AuthorizationNewsInput as _holdfast_payment_v1_AuthorizationNewsInput, AuthorizationNews as _holdfast_payment_v1_AuthorizationNews } from '../../../holdfast/payment/v1/AuthorizationNews.ts';

export interface OrderNewsInput {
  'tenantId'?: (string);
  'orderId'?: (string);
  'revision'?: (number);
  'dispute'?: (_holdfast_payment_v1_DisputeNewsInput | null);
  'authorization'?: (_holdfast_payment_v1_AuthorizationNewsInput | null);
  'about'?: "dispute"|"authorization";
}

export interface OrderNews {
  'tenantId': (string);
  'orderId': (string);
  'revision': (number);
  'dispute'?: (_holdfast_payment_v1_DisputeNews | null);
  'authorization'?: (_holdfast_payment_v1_AuthorizationNews | null);
  'about'?: "dispute"|"authorization";
}
