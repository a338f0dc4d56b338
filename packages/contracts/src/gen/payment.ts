import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AccountInput as _holdfast_payment_v1_AccountInput, Account as _holdfast_payment_v1_Account } from './holdfast/payment/v1/Account.ts';
import type { AdjustAccountRequestInput as _holdfast_payment_v1_AdjustAccountRequestInput, AdjustAccountRequest as _holdfast_payment_v1_AdjustAccountRequest } from './holdfast/payment/v1/AdjustAccountRequest.ts';
import type { AdjustAccountResponseInput as _holdfast_payment_v1_AdjustAccountResponseInput, AdjustAccountResponse as _holdfast_payment_v1_AdjustAccountResponse } from './holdfast/payment/v1/AdjustAccountResponse.ts';
import type { AuthorizationNewsInput as _holdfast_payment_v1_AuthorizationNewsInput, AuthorizationNews as _holdfast_payment_v1_AuthorizationNews } from './holdfast/payment/v1/AuthorizationNews.ts';
import type { CapturePaymentRequestInput as _holdfast_payment_v1_CapturePaymentRequestInput, CapturePaymentRequest as _holdfast_payment_v1_CapturePaymentRequest } from './holdfast/payment/v1/CapturePaymentRequest.ts';
import type { CapturePaymentResponseInput as _holdfast_payment_v1_CapturePaymentResponseInput, CapturePaymentResponse as _holdfast_payment_v1_CapturePaymentResponse } from './holdfast/payment/v1/CapturePaymentResponse.ts';
import type { ChargePaymentRequestInput as _holdfast_payment_v1_ChargePaymentRequestInput, ChargePaymentRequest as _holdfast_payment_v1_ChargePaymentRequest } from './holdfast/payment/v1/ChargePaymentRequest.ts';
import type { ChargePaymentResponseInput as _holdfast_payment_v1_ChargePaymentResponseInput, ChargePaymentResponse as _holdfast_payment_v1_ChargePaymentResponse } from './holdfast/payment/v1/ChargePaymentResponse.ts';
import type { DisputeNewsInput as _holdfast_payment_v1_DisputeNewsInput, DisputeNews as _holdfast_payment_v1_DisputeNews } from './holdfast/payment/v1/DisputeNews.ts';
import type { ForgetOrderNewsRequestInput as _holdfast_payment_v1_ForgetOrderNewsRequestInput, ForgetOrderNewsRequest as _holdfast_payment_v1_ForgetOrderNewsRequest } from './holdfast/payment/v1/ForgetOrderNewsRequest.ts';
import type { ForgetOrderNewsResponseInput as _holdfast_payment_v1_ForgetOrderNewsResponseInput, ForgetOrderNewsResponse as _holdfast_payment_v1_ForgetOrderNewsResponse } from './holdfast/payment/v1/ForgetOrderNewsResponse.ts';
import type { ForgetRefundNewsRequestInput as _holdfast_payment_v1_ForgetRefundNewsRequestInput, ForgetRefundNewsRequest as _holdfast_payment_v1_ForgetRefundNewsRequest } from './holdfast/payment/v1/ForgetRefundNewsRequest.ts';
import type { ForgetRefundNewsResponseInput as _holdfast_payment_v1_ForgetRefundNewsResponseInput, ForgetRefundNewsResponse as _holdfast_payment_v1_ForgetRefundNewsResponse } from './holdfast/payment/v1/ForgetRefundNewsResponse.ts';
import type { GetAccountRequestInput as _holdfast_payment_v1_GetAccountRequestInput, GetAccountRequest as _holdfast_payment_v1_GetAccountRequest } from './holdfast/payment/v1/GetAccountRequest.ts';
import type { GetAccountResponseInput as _holdfast_payment_v1_GetAccountResponseInput, GetAccountResponse as _holdfast_payment_v1_GetAccountResponse } from './holdfast/payment/v1/GetAccountResponse.ts';
import type { GetStepRequestInput as _holdfast_payment_v1_GetStepRequestInput, GetStepRequest as _holdfast_payment_v1_GetStepRequest } from './holdfast/payment/v1/GetStepRequest.ts';
import type { GetStepResponseInput as _holdfast_payment_v1_GetStepResponseInput, GetStepResponse as _holdfast_payment_v1_GetStepResponse } from './holdfast/payment/v1/GetStepResponse.ts';
import type { ListOrderNewsRequestInput as _holdfast_payment_v1_ListOrderNewsRequestInput, ListOrderNewsRequest as _holdfast_payment_v1_ListOrderNewsRequest } from './holdfast/payment/v1/ListOrderNewsRequest.ts';
import type { ListOrderNewsResponseInput as _holdfast_payment_v1_ListOrderNewsResponseInput, ListOrderNewsResponse as _holdfast_payment_v1_ListOrderNewsResponse } from './holdfast/payment/v1/ListOrderNewsResponse.ts';
import type { ListRefundNewsRequestInput as _holdfast_payment_v1_ListRefundNewsRequestInput, ListRefundNewsRequest as _holdfast_payment_v1_ListRefundNewsRequest } from './holdfast/payment/v1/ListRefundNewsRequest.ts';
import type { ListRefundNewsResponseInput as _holdfast_payment_v1_ListRefundNewsResponseInput, ListRefundNewsResponse as _holdfast_payment_v1_ListRefundNewsResponse } from './holdfast/payment/v1/ListRefundNewsResponse.ts';
import type { OrderNewsInput as _holdfast_payment_v1_OrderNewsInput, OrderNews as _holdfast_payment_v1_OrderNews } from './holdfast/payment/v1/OrderNews.ts';
import type { PaymentServiceClient as _holdfast_payment_v1_PaymentServiceClient, PaymentServiceDefinition as _holdfast_payment_v1_PaymentServiceDefinition } from './holdfast/payment/v1/PaymentService.ts';
import type { PutAccountRequestInput as _holdfast_payment_v1_PutAccountRequestInput, PutAccountRequest as _holdfast_payment_v1_PutAccountRequest } from './holdfast/payment/v1/PutAccountRequest.ts';
import type { PutAccountResponseInput as _holdfast_payment_v1_PutAccountResponseInput, PutAccountResponse as _holdfast_payment_v1_PutAccountResponse } from './holdfast/payment/v1/PutAccountResponse.ts';
import type { RefundChargeRequestInput as _holdfast_payment_v1_RefundChargeRequestInput, RefundChargeRequest as _holdfast_payment_v1_RefundChargeRequest } from './holdfast/payment/v1/RefundChargeRequest.ts';
import type { RefundChargeResponseInput as _holdfast_payment_v1_RefundChargeResponseInput, RefundChargeResponse as _holdfast_payment_v1_RefundChargeResponse } from './holdfast/payment/v1/RefundChargeResponse.ts';
import type { RefundNewsInput as _holdfast_payment_v1_RefundNewsInput, RefundNews as _holdfast_payment_v1_RefundNews } from './holdfast/payment/v1/RefundNews.ts';
import type { RefundPaymentRequestInput as _holdfast_payment_v1_RefundPaymentRequestInput, RefundPaymentRequest as _holdfast_payment_v1_RefundPaymentRequest } from './holdfast/payment/v1/RefundPaymentRequest.ts';
import type { RefundPaymentResponseInput as _holdfast_payment_v1_RefundPaymentResponseInput, RefundPaymentResponse as _holdfast_payment_v1_RefundPaymentResponse } from './holdfast/payment/v1/RefundPaymentResponse.ts';
import type { ReleaseCaptureRequestInput as _holdfast_payment_v1_ReleaseCaptureRequestInput, ReleaseCaptureRequest as _holdfast_payment_v1_ReleaseCaptureRequest } from './holdfast/payment/v1/ReleaseCaptureRequest.ts';
import type { ReleaseCaptureResponseInput as _holdfast_payment_v1_ReleaseCaptureResponseInput, ReleaseCaptureResponse as _holdfast_payment_v1_ReleaseCaptureResponse } from './holdfast/payment/v1/ReleaseCaptureResponse.ts';
import type { ReleaseRefundRequestInput as _holdfast_payment_v1_ReleaseRefundRequestInput, ReleaseRefundRequest as _holdfast_payment_v1_ReleaseRefundRequest } from './holdfast/payment/v1/ReleaseRefundRequest.ts';
import type { ReleaseRefundResponseInput as _holdfast_payment_v1_ReleaseRefundResponseInput, ReleaseRefundResponse as _holdfast_payment_v1_ReleaseRefundResponse } from './holdfast/payment/v1/ReleaseRefundResponse.ts';
import type { ReserveCaptureRequestInput as _holdfast_payment_v1_ReserveCaptureRequestInput, ReserveCaptureRequest as _holdfast_payment_v1_ReserveCaptureRequest } from './holdfast/payment/v1/ReserveCaptureRequest.ts';
import type { ReserveCaptureResponseInput as _holdfast_payment_v1_ReserveCaptureResponseInput, ReserveCaptureResponse as _holdfast_payment_v1_ReserveCaptureResponse } from './holdfast/payment/v1/ReserveCaptureResponse.ts';
import type { ReserveRefundRequestInput as _holdfast_payment_v1_ReserveRefundRequestInput, ReserveRefundRequest as _holdfast_payment_v1_ReserveRefundRequest } from './holdfast/payment/v1/ReserveRefundRequest.ts';
import type { ReserveRefundResponseInput as _holdfast_payment_v1_ReserveRefundResponseInput, ReserveRefundResponse as _holdfast_payment_v1_ReserveRefundResponse } from './holdfast/payment/v1/ReserveRefundResponse.ts';
import type { ToldNewsInput as _holdfast_payment_v1_ToldNewsInput, ToldNews as _holdfast_payment_v1_ToldNews } from './holdfast/payment/v1/ToldNews.ts';
import type { ToldRefundInput as _holdfast_payment_v1_ToldRefundInput, ToldRefund as _holdfast_payment_v1_ToldRefund } from './holdfast/payment/v1/ToldRefund.ts';
import type { RefusalInput as _holdfast_step_v1_RefusalInput, Refusal as _holdfast_step_v1_Refusal } from './holdfast/step/v1/Refusal.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    payment: {
      v1: {
        Account: MessageTypeDefinition<_holdfast_payment_v1_AccountInput, _holdfast_payment_v1_Account>
        AdjustAccountRequest: MessageTypeDefinition<_holdfast_payment_v1_AdjustAccountRequestInput, _holdfast_payment_v1_AdjustAccountRequest>
        AdjustAccountResponse: MessageTypeDefinition<_holdfast_payment_v1_AdjustAccountResponseInput, _holdfast_payment_v1_AdjustAccountResponse>
        AuthorizationNews: MessageTypeDefinition<_holdfast_payment_v1_AuthorizationNewsInput, _holdfast_payment_v1_AuthorizationNews>
        CapturePaymentRequest: MessageTypeDefinition<_holdfast_payment_v1_CapturePaymentRequestInput, _holdfast_payment_v1_CapturePaymentRequest>
        CapturePaymentResponse: MessageTypeDefinition<_holdfast_payment_v1_CapturePaymentResponseInput, _holdfast_payment_v1_CapturePaymentResponse>
        CaptureStatus: EnumTypeDefinition
        ChargePaymentRequest: MessageTypeDefinition<_holdfast_payment_v1_ChargePaymentRequestInput, _holdfast_payment_v1_ChargePaymentRequest>
        ChargePaymentResponse: MessageTypeDefinition<_holdfast_payment_v1_ChargePaymentResponseInput, _holdfast_payment_v1_ChargePaymentResponse>
        DisputeNews: MessageTypeDefinition<_holdfast_payment_v1_DisputeNewsInput, _holdfast_payment_v1_DisputeNews>
        ForgetOrderNewsRequest: MessageTypeDefinition<_holdfast_payment_v1_ForgetOrderNewsRequestInput, _holdfast_payment_v1_ForgetOrderNewsRequest>
        ForgetOrderNewsResponse: MessageTypeDefinition<_holdfast_payment_v1_ForgetOrderNewsResponseInput, _holdfast_payment_v1_ForgetOrderNewsResponse>
        ForgetRefundNewsRequest: MessageTypeDefinition<_holdfast_payment_v1_ForgetRefundNewsRequestInput, _holdfast_payment_v1_ForgetRefundNewsRequest>
        ForgetRefundNewsResponse: MessageTypeDefinition<_holdfast_payment_v1_ForgetRefundNewsResponseInput, _holdfast_payment_v1_ForgetRefundNewsResponse>
        GetAccountRequest: MessageTypeDefinition<_holdfast_payment_v1_GetAccountRequestInput, _holdfast_payment_v1_GetAccountRequest>
        GetAccountResponse: MessageTypeDefinition<_holdfast_payment_v1_GetAccountResponseInput, _holdfast_payment_v1_GetAccountResponse>
        GetStepRequest: MessageTypeDefinition<_holdfast_payment_v1_GetStepRequestInput, _holdfast_payment_v1_GetStepRequest>
        GetStepResponse: MessageTypeDefinition<_holdfast_payment_v1_GetStepResponseInput, _holdfast_payment_v1_GetStepResponse>
        ListOrderNewsRequest: MessageTypeDefinition<_holdfast_payment_v1_ListOrderNewsRequestInput, _holdfast_payment_v1_ListOrderNewsRequest>
        ListOrderNewsResponse: MessageTypeDefinition<_holdfast_payment_v1_ListOrderNewsResponseInput, _holdfast_payment_v1_ListOrderNewsResponse>
        ListRefundNewsRequest: MessageTypeDefinition<_holdfast_payment_v1_ListRefundNewsRequestInput, _holdfast_payment_v1_ListRefundNewsRequest>
        ListRefundNewsResponse: MessageTypeDefinition<_holdfast_payment_v1_ListRefundNewsResponseInput, _holdfast_payment_v1_ListRefundNewsResponse>
        OrderNews: MessageTypeDefinition<_holdfast_payment_v1_OrderNewsInput, _holdfast_payment_v1_OrderNews>
        PaymentService: SubtypeConstructor<typeof grpc.Client, _holdfast_payment_v1_PaymentServiceClient> & { service: _holdfast_payment_v1_PaymentServiceDefinition }
        PutAccountRequest: MessageTypeDefinition<_holdfast_payment_v1_PutAccountRequestInput, _holdfast_payment_v1_PutAccountRequest>
        PutAccountResponse: MessageTypeDefinition<_holdfast_payment_v1_PutAccountResponseInput, _holdfast_payment_v1_PutAccountResponse>
        RefundChargeRequest: MessageTypeDefinition<_holdfast_payment_v1_RefundChargeRequestInput, _holdfast_payment_v1_RefundChargeRequest>
        RefundChargeResponse: MessageTypeDefinition<_holdfast_payment_v1_RefundChargeResponseInput, _holdfast_payment_v1_RefundChargeResponse>
        RefundNews: MessageTypeDefinition<_holdfast_payment_v1_RefundNewsInput, _holdfast_payment_v1_RefundNews>
        RefundPaymentRequest: MessageTypeDefinition<_holdfast_payment_v1_RefundPaymentRequestInput, _holdfast_payment_v1_RefundPaymentRequest>
        RefundPaymentResponse: MessageTypeDefinition<_holdfast_payment_v1_RefundPaymentResponseInput, _holdfast_payment_v1_RefundPaymentResponse>
        RefundStatus: EnumTypeDefinition
        ReleaseCaptureRequest: MessageTypeDefinition<_holdfast_payment_v1_ReleaseCaptureRequestInput, _holdfast_payment_v1_ReleaseCaptureRequest>
        ReleaseCaptureResponse: MessageTypeDefinition<_holdfast_payment_v1_ReleaseCaptureResponseInput, _holdfast_payment_v1_ReleaseCaptureResponse>
        ReleaseRefundRequest: MessageTypeDefinition<_holdfast_payment_v1_ReleaseRefundRequestInput, _holdfast_payment_v1_ReleaseRefundRequest>
        ReleaseRefundResponse: MessageTypeDefinition<_holdfast_payment_v1_ReleaseRefundResponseInput, _holdfast_payment_v1_ReleaseRefundResponse>
        ReserveCaptureRequest: MessageTypeDefinition<_holdfast_payment_v1_ReserveCaptureRequestInput, _holdfast_payment_v1_ReserveCaptureRequest>
        ReserveCaptureResponse: MessageTypeDefinition<_holdfast_payment_v1_ReserveCaptureResponseInput, _holdfast_payment_v1_ReserveCaptureResponse>
        ReserveRefundRequest: MessageTypeDefinition<_holdfast_payment_v1_ReserveRefundRequestInput, _holdfast_payment_v1_ReserveRefundRequest>
        ReserveRefundResponse: MessageTypeDefinition<_holdfast_payment_v1_ReserveRefundResponseInput, _holdfast_payment_v1_ReserveRefundResponse>
        ToldNews: MessageTypeDefinition<_holdfast_payment_v1_ToldNewsInput, _holdfast_payment_v1_ToldNews>
        ToldRefund: MessageTypeDefinition<_holdfast_payment_v1_ToldRefundInput, _holdfast_payment_v1_ToldRefund>
      }
    }
    step: {
      v1: {
        Refusal: MessageTypeDefinition<_holdfast_step_v1_RefusalInput, _holdfast_step_v1_Refusal>
        StepState: EnumTypeDefinition
      }
    }
  }
}

