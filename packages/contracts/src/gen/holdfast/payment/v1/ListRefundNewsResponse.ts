// Original file: protos/holdfast/payment/v1/payment.proto

import type { RefundNewsInput as _holdfast_payment_v1_RefundNewsInput, RefundNews as _holdfast_payment_v1_RefundNews } from '../../../holdfast/payment/v1/RefundNews.ts';

export interface ListRefundNewsResponseInput {
  'news'?: (_holdfast_payment_v1_RefundNewsInput)[];
}

export interface ListRefundNewsResponse {
  'news': (_holdfast_payment_v1_RefundNews)[];
}
