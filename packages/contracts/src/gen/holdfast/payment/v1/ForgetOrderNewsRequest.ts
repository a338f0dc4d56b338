// Original file: protos/holdfast/payment/v1/payment.proto

import type { ToldNewsInput as _holdfast_payment_v1_ToldNewsInput, ToldNews as _holdfast_payment_v1_ToldNews } from '../../../holdfast/payment/v1/ToldNews.ts';

export interface ForgetOrderNewsRequestInput {
  'news'?: (_holdfast_payment_v1_ToldNewsInput)[];
}

export interface ForgetOrderNewsRequest {
  'news': (_holdfast_payment_v1_ToldNews)[];
}
