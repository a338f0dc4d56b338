// Original file: protos/holdfast/payment/v1/payment.proto

import type { StepStateInput as _holdfast_step_v1_StepStateInput, StepState as _holdfast_step_v1_StepState } from '../../../holdfast/step/v1/StepState.ts';
import type { ChargePaymentResponseInput as _holdfast_payment_v1_ChargePaymentResponseInput, ChargePaymentResponse as _holdfast_payment_v1_ChargePaymentResponse } from '../../../holdfast/payment/v1/ChargePaymentResponse.ts';
import type { RefundPaymentResponseInput as _holdfast_payment_v1_RefundPaymentResponseInput, RefundPaymentResponse as _holdfast_payment_v1_RefundPaymentResponse } from '../../../holdfast/payment/v1/RefundPaymentResponse.ts';
import type { AdjustAccountResponseInput as _holdfast_payment_v1_AdjustAccountResponseInput, AdjustAccountResponse as _holdfast_payment_v1_AdjustAccountResponse } from '../../../holdfast/payment/v1/AdjustAccountResponse.ts';
import type { RefusalInput as _holdfast_step_v1_RefusalInput, Refusal as _holdfast_step_v1_Refusal } from '../../../holdfast/step/v1/Refusal.ts';
import type { PutAccountResponseInput as _holdfast_payment_v1_PutAccountResponseInput, PutAccountResponse as _holdfast_payment_v1_PutAccountResponse } from '../../../holdfast/payment/v1/PutAccountResponse.ts';
import type { ReserveRefundResponseInput as _holdfast_payment_v1_ReserveRefundResponseInput, ReserveRefundResponse as _holdfast_payment_v1_ReserveRefundResponse } from '../../../holdfast/payment/v1/ReserveRefundResponse.ts';
import type { ReleaseRefundResponseInput as _holdfast_payment_v1_ReleaseRefundResponseInput, ReleaseRefundResponse as _holdfast_payment_v1_ReleaseRefundResponse } from '../../../holdfast/payment/v1/ReleaseRefundResponse.ts';
import type { RefundChargeResponseInput as _holdfast_payment_v1_RefundChargeResponseInput, RefundChargeResponse as _holdfast_payment_v1_RefundChargeResponse } from '../../../holdfast/payment/v1/RefundChargeResponse.ts';
import type { ReserveCaptureResponseInput as _holdfast_payment_v1_ReserveCaptureResponseInput, ReserveCaptureResponse as _holdfast_payment_v1_ReserveCaptureResponse } from '../../../holdfast/payment/v1/ReserveCaptureResponse.ts';
import type { ReleaseCaptureResponseInput as _holdfast_payment_v1_ReleaseCaptureResponseInput, ReleaseCaptureResponse as _holdfast_payment_v1_ReleaseCaptureResponse } from '../../../holdfast/payment/v1/ReleaseCaptureResponse.ts';
import type { CapturePaymentResponseInput as _holdfast_payment_v1_CapturePaymentResponseInput, CapturePaymentResponse as _holdfast_payment_v1_CapturePaymentResponse } from '../../../holdfast/payment/v1/CapturePaymentResponse.ts';

export interface GetStepResponseInput {
  'state'?: (_holdfast_step_v1_StepStateInput);
  'charged'?: (_holdfast_payment_v1_ChargePaymentResponseInput | null);
  'refunded'?: (_holdfast_payment_v1_RefundPaymentResponseInput | null);
  'adjusted'?: (_holdfast_payment_v1_AdjustAccountResponseInput | null);
  'refusal'?: (_holdfast_step_v1_RefusalInput | null);
  'put'?: (_holdfast_payment_v1_PutAccountResponseInput | null);
  'refundReserved'?: (_holdfast_payment_v1_ReserveRefundResponseInput | null);
  'refundReleased'?: (_holdfast_payment_v1_ReleaseRefundResponseInput | null);
  'chargeRefunded'?: (_holdfast_payment_v1_RefundChargeResponseInput | null);
  'captureReserved'?: (_holdfast_payment_v1_ReserveCaptureResponseInput | null);
  'captureReleased'?: (_holdfast_payment_v1_ReleaseCaptureResponseInput | null);
  'paymentCaptured'?: (_holdfast_payment_v1_CapturePaymentResponseInput | null);
  'answer'?: "charged"|"refunded"|"adjusted"|"refusal"|"put"|"refundReserved"|"refundReleased"|"chargeRefunded"|"captureReserved"|"captureReleased"|"paymentCaptured";
}

export interface GetStepResponse {
  'state': (_holdfast_step_v1_StepState);
  'charged'?: (_holdfast_payment_v1_ChargePaymentResponse | null);
  'refunded'?: (_holdfast_payment_v1_RefundPaymentResponse | null);
  'adjusted'?: (_holdfast_payment_v1_AdjustAccountResponse | null);
  'refusal'?: (_holdfast_step_v1_Refusal | null);
  'put'?: (_holdfast_payment_v1_PutAccountResponse | null);
  'refundReserved'?: (_holdfast_payment_v1_ReserveRefundResponse | null);
  'refundReleased'?: (_holdfast_payment_v1_ReleaseRefundResponse | null);
  'chargeRefunded'?: (_holdfast_payment_v1_RefundChargeResponse | null);
  'captureReserved'?: (_holdfast_payment_v1_ReserveCaptureResponse | null);
  'captureReleased'?: (_holdfast_payment_v1_ReleaseCaptureResponse | null);
  'paymentCaptured'?: (_holdfast_payment_v1_CapturePaymentResponse | null);
  'answer'?: "charged"|"refunded"|"adjusted"|"refusal"|"put"|"refundReserved"|"refundReleased"|"chargeRefunded"|"captureReserved"|"captureReleased"|"paymentCaptured";
}
