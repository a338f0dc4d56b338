// Original file: protos/holdfast/payment/v1/payment.proto

import type { OrderNewsInput as _holdfast_payment_v1_OrderNewsInput, OrderNews as _holdfast_payment_v1_OrderNews } from '../../../holdfast/payment/v1/OrderNews.ts';

export interface ListOrderNewsResponseInput {
  'news'?: (_holdfast_payment_v1_OrderNewsInput)[];
}

export interface ListOrderNewsResponse {
  'news': (_holdfast_payment_v1_OrderNews)[];
}
