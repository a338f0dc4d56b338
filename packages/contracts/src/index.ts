export { CURRENCIES } from './currencies.ts';
export {
  CAPTURE_REFUSALS,
  FAILURE_REASONS,
  REFUND_FAILURE_REASONS,
  REFUND_REFUSALS,
  STEP_REFUSALS,
} from './failure-reasons.ts';
export type { InventoryServiceDefinition } from './gen/holdfast/inventory/v1/InventoryService.ts';
export type { OrderInput as OrderMessage } from './gen/holdfast/orders/v1/Order.ts';
export type { OrderServiceDefinition } from './gen/holdfast/orders/v1/OrderService.ts';
export type { PlaceOrderRequest } from './gen/holdfast/orders/v1/PlaceOrderRequest.ts';
export type { RefundInput as RefundMessage } from './gen/holdfast/orders/v1/Refund.ts';
export type { ShipTo as ShipToMessage } from './gen/holdfast/orders/v1/ShipTo.ts';
export type { PaymentServiceDefinition } from './gen/holdfast/payment/v1/PaymentService.ts';
export type { ShippingServiceDefinition } from './gen/holdfast/shipping/v1/ShippingService.ts';
export type { Refusal } from './gen/holdfast/step/v1/Refusal.ts';
export type { RunStepsRequest, RunStepsRequestInput } from './gen/holdfast/step/v1/RunStepsRequest.ts';
export type { RunStepsResponse, RunStepsResponseInput } from './gen/holdfast/step/v1/RunStepsResponse.ts';
export type { StepCall, StepCallInput } from './gen/holdfast/step/v1/StepCall.ts';
export type { StepReply, StepReplyInput } from './gen/holdfast/step/v1/StepReply.ts';
export type { StepServiceDefinition } from './gen/holdfast/step/v1/StepService.ts';
export type { StepState } from './gen/holdfast/step/v1/StepState.ts';
export {
  BLIND_KEY,
  type ChangedBook,
  changeProofParts,
  dispatchProofParts,
  KEY_PATTERN,
  KEY_RULE,
} from './key.ts';
export { KEYED_OPERATIONS, type KeyedOperation } from './operations.ts';
export { type PricesNow, pricesIn, pricesMetadata } from './prices-now.ts';
export { isRetryable, type Reason, type ReasonEntry, reasons } from './reasons.ts';
export { SCOPES, type Scope } from './scopes.ts';
export { RETURN_URL_PATTERN, SHOP_ID_PATTERN, SHOP_ID_RULE, TEXT_PATTERN } from './shop-text.ts';
export { ORDER_EVENTS, PAYMENT_EVENTS, SHIPMENT_EVENTS, streamKeyOf } from './streams.ts';
