// Original file: protos/holdfast/payment/v1/payment.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AdjustAccountRequestInput as _holdfast_payment_v1_AdjustAccountRequestInput, AdjustAccountRequest as _holdfast_payment_v1_AdjustAccountRequest } from '../../../holdfast/payment/v1/AdjustAccountRequest.ts';
import type { AdjustAccountResponseInput as _holdfast_payment_v1_AdjustAccountResponseInput, AdjustAccountResponse as _holdfast_payment_v1_AdjustAccountResponse } from '../../../holdfast/payment/v1/AdjustAccountResponse.ts';
import type { CapturePaymentRequestInput as _holdfast_payment_v1_CapturePaymentRequestInput, CapturePaymentRequest as _holdfast_payment_v1_CapturePaymentRequest } from '../../../holdfast/payment/v1/CapturePaymentRequest.ts';
import type { CapturePaymentResponseInput as _holdfast_payment_v1_CapturePaymentResponseInput, CapturePaymentResponse as _holdfast_payment_v1_CapturePaymentResponse } from '../../../holdfast/payment/v1/CapturePaymentResponse.ts';
import type { ChargePaymentRequestInput as _holdfast_payment_v1_ChargePaymentRequestInput, ChargePaymentRequest as _holdfast_payment_v1_ChargePaymentRequest } from '../../../holdfast/payment/v1/ChargePaymentRequest.ts';
import type { ChargePaymentResponseInput as _holdfast_payment_v1_ChargePaymentResponseInput, ChargePaymentResponse as _holdfast_payment_v1_ChargePaymentResponse } from '../../../holdfast/payment/v1/ChargePaymentResponse.ts';
import type { ForgetOrderNewsRequestInput as _holdfast_payment_v1_ForgetOrderNewsRequestInput, ForgetOrderNewsRequest as _holdfast_payment_v1_ForgetOrderNewsRequest } from '../../../holdfast/payment/v1/ForgetOrderNewsRequest.ts';
import type { ForgetOrderNewsResponseInput as _holdfast_payment_v1_ForgetOrderNewsResponseInput, ForgetOrderNewsResponse as _holdfast_payment_v1_ForgetOrderNewsResponse } from '../../../holdfast/payment/v1/ForgetOrderNewsResponse.ts';
import type { ForgetRefundNewsRequestInput as _holdfast_payment_v1_ForgetRefundNewsRequestInput, ForgetRefundNewsRequest as _holdfast_payment_v1_ForgetRefundNewsRequest } from '../../../holdfast/payment/v1/ForgetRefundNewsRequest.ts';
import type { ForgetRefundNewsResponseInput as _holdfast_payment_v1_ForgetRefundNewsResponseInput, ForgetRefundNewsResponse as _holdfast_payment_v1_ForgetRefundNewsResponse } from '../../../holdfast/payment/v1/ForgetRefundNewsResponse.ts';
import type { GetAccountRequestInput as _holdfast_payment_v1_GetAccountRequestInput, GetAccountRequest as _holdfast_payment_v1_GetAccountRequest } from '../../../holdfast/payment/v1/GetAccountRequest.ts';
import type { GetAccountResponseInput as _holdfast_payment_v1_GetAccountResponseInput, GetAccountResponse as _holdfast_payment_v1_GetAccountResponse } from '../../../holdfast/payment/v1/GetAccountResponse.ts';
import type { GetStepRequestInput as _holdfast_payment_v1_GetStepRequestInput, GetStepRequest as _holdfast_payment_v1_GetStepRequest } from '../../../holdfast/payment/v1/GetStepRequest.ts';
import type { GetStepResponseInput as _holdfast_payment_v1_GetStepResponseInput, GetStepResponse as _holdfast_payment_v1_GetStepResponse } from '../../../holdfast/payment/v1/GetStepResponse.ts';
import type { ListOrderNewsRequestInput as _holdfast_payment_v1_ListOrderNewsRequestInput, ListOrderNewsRequest as _holdfast_payment_v1_ListOrderNewsRequest } from '../../../holdfast/payment/v1/ListOrderNewsRequest.ts';
import type { ListOrderNewsResponseInput as _holdfast_payment_v1_ListOrderNewsResponseInput, ListOrderNewsResponse as _holdfast_payment_v1_ListOrderNewsResponse } from '../../../holdfast/payment/v1/ListOrderNewsResponse.ts';
import type { ListRefundNewsRequestInput as _holdfast_payment_v1_ListRefundNewsRequestInput, ListRefundNewsRequest as _holdfast_payment_v1_ListRefundNewsRequest } from '../../../holdfast/payment/v1/ListRefundNewsRequest.ts';
import type { ListRefundNewsResponseInput as _holdfast_payment_v1_ListRefundNewsResponseInput, ListRefundNewsResponse as _holdfast_payment_v1_ListRefundNewsResponse } from '../../../holdfast/payment/v1/ListRefundNewsResponse.ts';
import type { PutAccountRequestInput as _holdfast_payment_v1_PutAccountRequestInput, PutAccountRequest as _holdfast_payment_v1_PutAccountRequest } from '../../../holdfast/payment/v1/PutAccountRequest.ts';
import type { PutAccountResponseInput as _holdfast_payment_v1_PutAccountResponseInput, PutAccountResponse as _holdfast_payment_v1_PutAccountResponse } from '../../../holdfast/payment/v1/PutAccountResponse.ts';
import type { RefundChargeRequestInput as _holdfast_payment_v1_RefundChargeRequestInput, RefundChargeRequest as _holdfast_payment_v1_RefundChargeRequest } from '../../../holdfast/payment/v1/RefundChargeRequest.ts';
import type { RefundChargeResponseInput as _holdfast_payment_v1_RefundChargeResponseInput, RefundChargeResponse as _holdfast_payment_v1_RefundChargeResponse } from '../../../holdfast/payment/v1/RefundChargeResponse.ts';
import type { RefundPaymentRequestInput as _holdfast_payment_v1_RefundPaymentRequestInput, RefundPaymentRequest as _holdfast_payment_v1_RefundPaymentRequest } from '../../../holdfast/payment/v1/RefundPaymentRequest.ts';
import type { RefundPaymentResponseInput as _holdfast_payment_v1_RefundPaymentResponseInput, RefundPaymentResponse as _holdfast_payment_v1_RefundPaymentResponse } from '../../../holdfast/payment/v1/RefundPaymentResponse.ts';
import type { ReleaseCaptureRequestInput as _holdfast_payment_v1_ReleaseCaptureRequestInput, ReleaseCaptureRequest as _holdfast_payment_v1_ReleaseCaptureRequest } from '../../../holdfast/payment/v1/ReleaseCaptureRequest.ts';
import type { ReleaseCaptureResponseInput as _holdfast_payment_v1_ReleaseCaptureResponseInput, ReleaseCaptureResponse as _holdfast_payment_v1_ReleaseCaptureResponse } from '../../../holdfast/payment/v1/ReleaseCaptureResponse.ts';
import type { ReleaseRefundRequestInput as _holdfast_payment_v1_ReleaseRefundRequestInput, ReleaseRefundRequest as _holdfast_payment_v1_ReleaseRefundRequest } from '../../../holdfast/payment/v1/ReleaseRefundRequest.ts';
import type { ReleaseRefundResponseInput as _holdfast_payment_v1_ReleaseRefundResponseInput, ReleaseRefundResponse as _holdfast_payment_v1_ReleaseRefundResponse } from '../../../holdfast/payment/v1/ReleaseRefundResponse.ts';
import type { ReserveCaptureRequestInput as _holdfast_payment_v1_ReserveCaptureRequestInput, ReserveCaptureRequest as _holdfast_payment_v1_ReserveCaptureRequest } from '../../../holdfast/payment/v1/ReserveCaptureRequest.ts';
import type { ReserveCaptureResponseInput as _holdfast_payment_v1_ReserveCaptureResponseInput, ReserveCaptureResponse as _holdfast_payment_v1_ReserveCaptureResponse } from '../../../holdfast/payment/v1/ReserveCaptureResponse.ts';
import type { ReserveRefundRequestInput as _holdfast_payment_v1_ReserveRefundRequestInput, ReserveRefundRequest as _holdfast_payment_v1_ReserveRefundRequest } from '../../../holdfast/payment/v1/ReserveRefundRequest.ts';
import type { ReserveRefundResponseInput as _holdfast_payment_v1_ReserveRefundResponseInput, ReserveRefundResponse as _holdfast_payment_v1_ReserveRefundResponse } from '../../../holdfast/payment/v1/ReserveRefundResponse.ts';

export interface PaymentServiceClient extends grpc.Client {
  AdjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  AdjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  AdjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  AdjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  adjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  adjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  adjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  adjustAccount(argument: _holdfast_payment_v1_AdjustAccountRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_AdjustAccountResponse>): grpc.ClientUnaryCall;
  
  CapturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  CapturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  CapturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  CapturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  capturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  capturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  capturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  capturePayment(argument: _holdfast_payment_v1_CapturePaymentRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_CapturePaymentResponse>): grpc.ClientUnaryCall;
  
  ChargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  ChargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  ChargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  ChargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  chargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  chargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  chargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  chargePayment(argument: _holdfast_payment_v1_ChargePaymentRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ChargePaymentResponse>): grpc.ClientUnaryCall;
  
  ForgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  ForgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  ForgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  ForgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  forgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  forgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  forgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  forgetOrderNews(argument: _holdfast_payment_v1_ForgetOrderNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetOrderNewsResponse>): grpc.ClientUnaryCall;
  
  ForgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  ForgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  ForgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  ForgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  forgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  forgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  forgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  forgetRefundNews(argument: _holdfast_payment_v1_ForgetRefundNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ForgetRefundNewsResponse>): grpc.ClientUnaryCall;
  
  GetAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  GetAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  GetAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  GetAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  getAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  getAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  getAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  getAccount(argument: _holdfast_payment_v1_GetAccountRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_GetAccountResponse>): grpc.ClientUnaryCall;
  
  GetStep(argument: _holdfast_payment_v1_GetStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_payment_v1_GetStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_payment_v1_GetStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  GetStep(argument: _holdfast_payment_v1_GetStepRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_payment_v1_GetStepRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_payment_v1_GetStepRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_payment_v1_GetStepRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  getStep(argument: _holdfast_payment_v1_GetStepRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_GetStepResponse>): grpc.ClientUnaryCall;
  
  ListOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  ListOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  ListOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  ListOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  listOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  listOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  listOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  listOrderNews(argument: _holdfast_payment_v1_ListOrderNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ListOrderNewsResponse>): grpc.ClientUnaryCall;
  
  ListRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  ListRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  ListRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  ListRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  listRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  listRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  listRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  listRefundNews(argument: _holdfast_payment_v1_ListRefundNewsRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ListRefundNewsResponse>): grpc.ClientUnaryCall;
  
  PutAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  PutAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  PutAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  PutAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  putAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  putAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  putAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  putAccount(argument: _holdfast_payment_v1_PutAccountRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_PutAccountResponse>): grpc.ClientUnaryCall;
  
  RefundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  RefundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  RefundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  RefundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  refundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  refundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  refundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  refundCharge(argument: _holdfast_payment_v1_RefundChargeRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_RefundChargeResponse>): grpc.ClientUnaryCall;
  
  RefundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  RefundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  RefundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  RefundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  refundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  refundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  refundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  refundPayment(argument: _holdfast_payment_v1_RefundPaymentRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_RefundPaymentResponse>): grpc.ClientUnaryCall;
  
  ReleaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  ReleaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  ReleaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  ReleaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  releaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  releaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  releaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  releaseCapture(argument: _holdfast_payment_v1_ReleaseCaptureRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseCaptureResponse>): grpc.ClientUnaryCall;
  
  ReleaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  ReleaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  ReleaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  ReleaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  releaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  releaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  releaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  releaseRefund(argument: _holdfast_payment_v1_ReleaseRefundRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReleaseRefundResponse>): grpc.ClientUnaryCall;
  
  ReserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  ReserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  ReserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  ReserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  reserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  reserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  reserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  reserveCapture(argument: _holdfast_payment_v1_ReserveCaptureRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveCaptureResponse>): grpc.ClientUnaryCall;
  
  ReserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  ReserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  ReserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  ReserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  reserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  reserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  reserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  reserveRefund(argument: _holdfast_payment_v1_ReserveRefundRequestInput, callback: grpc.requestCallback<_holdfast_payment_v1_ReserveRefundResponse>): grpc.ClientUnaryCall;
  
}

export interface PaymentServiceHandlers extends grpc.UntypedServiceImplementation {
  AdjustAccount: grpc.handleUnaryCall<_holdfast_payment_v1_AdjustAccountRequest, _holdfast_payment_v1_AdjustAccountResponseInput>;
  
  CapturePayment: grpc.handleUnaryCall<_holdfast_payment_v1_CapturePaymentRequest, _holdfast_payment_v1_CapturePaymentResponseInput>;
  
  ChargePayment: grpc.handleUnaryCall<_holdfast_payment_v1_ChargePaymentRequest, _holdfast_payment_v1_ChargePaymentResponseInput>;
  
  ForgetOrderNews: grpc.handleUnaryCall<_holdfast_payment_v1_ForgetOrderNewsRequest, _holdfast_payment_v1_ForgetOrderNewsResponseInput>;
  
  ForgetRefundNews: grpc.handleUnaryCall<_holdfast_payment_v1_ForgetRefundNewsRequest, _holdfast_payment_v1_ForgetRefundNewsResponseInput>;
  
  GetAccount: grpc.handleUnaryCall<_holdfast_payment_v1_GetAccountRequest, _holdfast_payment_v1_GetAccountResponseInput>;
  
  GetStep: grpc.handleUnaryCall<_holdfast_payment_v1_GetStepRequest, _holdfast_payment_v1_GetStepResponseInput>;
  
  ListOrderNews: grpc.handleUnaryCall<_holdfast_payment_v1_ListOrderNewsRequest, _holdfast_payment_v1_ListOrderNewsResponseInput>;
  
  ListRefundNews: grpc.handleUnaryCall<_holdfast_payment_v1_ListRefundNewsRequest, _holdfast_payment_v1_ListRefundNewsResponseInput>;
  
  PutAccount: grpc.handleUnaryCall<_holdfast_payment_v1_PutAccountRequest, _holdfast_payment_v1_PutAccountResponseInput>;
  
  RefundCharge: grpc.handleUnaryCall<_holdfast_payment_v1_RefundChargeRequest, _holdfast_payment_v1_RefundChargeResponseInput>;
  
  RefundPayment: grpc.handleUnaryCall<_holdfast_payment_v1_RefundPaymentRequest, _holdfast_payment_v1_RefundPaymentResponseInput>;
  
  ReleaseCapture: grpc.handleUnaryCall<_holdfast_payment_v1_ReleaseCaptureRequest, _holdfast_payment_v1_ReleaseCaptureResponseInput>;
  
  ReleaseRefund: grpc.handleUnaryCall<_holdfast_payment_v1_ReleaseRefundRequest, _holdfast_payment_v1_ReleaseRefundResponseInput>;
  
  ReserveCapture: grpc.handleUnaryCall<_holdfast_payment_v1_ReserveCaptureRequest, _holdfast_payment_v1_ReserveCaptureResponseInput>;
  
  ReserveRefund: grpc.handleUnaryCall<_holdfast_payment_v1_ReserveRefundRequest, _holdfast_payment_v1_ReserveRefundResponseInput>;
  
}

export interface PaymentServiceDefinition extends grpc.ServiceDefinition {
  AdjustAccount: MethodDefinition<_holdfast_payment_v1_AdjustAccountRequestInput, _holdfast_payment_v1_AdjustAccountResponseInput, _holdfast_payment_v1_AdjustAccountRequest, _holdfast_payment_v1_AdjustAccountResponse>
  CapturePayment: MethodDefinition<_holdfast_payment_v1_CapturePaymentRequestInput, _holdfast_payment_v1_CapturePaymentResponseInput, _holdfast_payment_v1_CapturePaymentRequest, _holdfast_payment_v1_CapturePaymentResponse>
  ChargePayment: MethodDefinition<_holdfast_payment_v1_ChargePaymentRequestInput, _holdfast_payment_v1_ChargePaymentResponseInput, _holdfast_payment_v1_ChargePaymentRequest, _holdfast_payment_v1_ChargePaymentResponse>
  ForgetOrderNews: MethodDefinition<_holdfast_payment_v1_ForgetOrderNewsRequestInput, _holdfast_payment_v1_ForgetOrderNewsResponseInput, _holdfast_payment_v1_ForgetOrderNewsRequest, _holdfast_payment_v1_ForgetOrderNewsResponse>
  ForgetRefundNews: MethodDefinition<_holdfast_payment_v1_ForgetRefundNewsRequestInput, _holdfast_payment_v1_ForgetRefundNewsResponseInput, _holdfast_payment_v1_ForgetRefundNewsRequest, _holdfast_payment_v1_ForgetRefundNewsResponse>
  GetAccount: MethodDefinition<_holdfast_payment_v1_GetAccountRequestInput, _holdfast_payment_v1_GetAccountResponseInput, _holdfast_payment_v1_GetAccountRequest, _holdfast_payment_v1_GetAccountResponse>
  GetStep: MethodDefinition<_holdfast_payment_v1_GetStepRequestInput, _holdfast_payment_v1_GetStepResponseInput, _holdfast_payment_v1_GetStepRequest, _holdfast_payment_v1_GetStepResponse>
  ListOrderNews: MethodDefinition<_holdfast_payment_v1_ListOrderNewsRequestInput, _holdfast_payment_v1_ListOrderNewsResponseInput, _holdfast_payment_v1_ListOrderNewsRequest, _holdfast_payment_v1_ListOrderNewsResponse>
  ListRefundNews: MethodDefinition<_holdfast_payment_v1_ListRefundNewsRequestInput, _holdfast_payment_v1_ListRefundNewsResponseInput, _holdfast_payment_v1_ListRefundNewsRequest, _holdfast_payment_v1_ListRefundNewsResponse>
  PutAccount: MethodDefinition<_holdfast_payment_v1_PutAccountRequestInput, _holdfast_payment_v1_PutAccountResponseInput, _holdfast_payment_v1_PutAccountRequest, _holdfast_payment_v1_PutAccountResponse>
  RefundCharge: MethodDefinition<_holdfast_payment_v1_RefundChargeRequestInput, _holdfast_payment_v1_RefundChargeResponseInput, _holdfast_payment_v1_RefundChargeRequest, _holdfast_payment_v1_RefundChargeResponse>
  RefundPayment: MethodDefinition<_holdfast_payment_v1_RefundPaymentRequestInput, _holdfast_payment_v1_RefundPaymentResponseInput, _holdfast_payment_v1_RefundPaymentRequest, _holdfast_payment_v1_RefundPaymentResponse>
  ReleaseCapture: MethodDefinition<_holdfast_payment_v1_ReleaseCaptureRequestInput, _holdfast_payment_v1_ReleaseCaptureResponseInput, _holdfast_payment_v1_ReleaseCaptureRequest, _holdfast_payment_v1_ReleaseCaptureResponse>
  ReleaseRefund: MethodDefinition<_holdfast_payment_v1_ReleaseRefundRequestInput, _holdfast_payment_v1_ReleaseRefundResponseInput, _holdfast_payment_v1_ReleaseRefundRequest, _holdfast_payment_v1_ReleaseRefundResponse>
  ReserveCapture: MethodDefinition<_holdfast_payment_v1_ReserveCaptureRequestInput, _holdfast_payment_v1_ReserveCaptureResponseInput, _holdfast_payment_v1_ReserveCaptureRequest, _holdfast_payment_v1_ReserveCaptureResponse>
  ReserveRefund: MethodDefinition<_holdfast_payment_v1_ReserveRefundRequestInput, _holdfast_payment_v1_ReserveRefundResponseInput, _holdfast_payment_v1_ReserveRefundRequest, _holdfast_payment_v1_ReserveRefundResponse>
}
