import { defineSaga, type SagaDefinition } from '@holdfast/saga';
import type { AcceptedOrder, OrderOutputs } from '../orders/order.ts';
import { actOutcome, callOptions, type Participants, undoOutcome } from './participants.ts';

/**
 * THE saga: how an order is placed, step by step, and what undoes each step.
 *
 * | step              | act              | undo             | refusals                                          |
 * |-------------------|------------------|------------------|---------------------------------------------------|
 * | reserve-inventory | ReserveInventory | ReleaseInventory | UNKNOWN_SKU, OUT_OF_STOCK, CURRENCY_MISMATCH      |
 * | charge-payment    | ChargePayment    | RefundPayment    | CARD_DECLINED, INSUFFICIENT_FUNDS, CURRENCY_MISMATCH |
 * | create-shipment   | CreateShipment   | CancelShipment   | ADDRESS_REFUSED                                   |
 *
 * `create-shipment` is the pivot: a shipment that is known to be booked means a completed order, and no way back.
 */
export function placeOrderSaga(
  { inventory, payment, shipping }: Participants,
  deadlineMs: number,
): SagaDefinition<AcceptedOrder, OrderOutputs> {
  return defineSaga<AcceptedOrder, OrderOutputs>()({
    name: 'place-order',
    deadlineMs,
    steps: [
      {
        name: 'reserve-inventory',
        kind: 'compensatable',
        timeoutMs: 5_000,
        retry: RETRY,
        async act(step) {
          const { currency, items } = step.input;
          const request = { orderId: step.sagaId, currency, lines: items };
          return actOutcome(await inventory.ReserveInventory(request, callOptions(step)), (reserved) => ({
            reservationId: reserved.reservationId,
            total: reserved.total,
            unitPrices: Object.fromEntries(reserved.lines.map((line) => [line.sku, line.unitPrice])),
          }));
        },
        async undo(step) {
          return undoOutcome(await inventory.ReleaseInventory({ orderId: step.sagaId }, callOptions(step)));
        },
      },
      {
        name: 'charge-payment',
        kind: 'compensatable',
        timeoutMs: 10_000,
        retry: RETRY,
        async act(step) {
          const { customerId, currency, payment: paidBy } = step.input;
          const amount = step.outputs['reserve-inventory']?.total;
          if (amount === undefined) throw new Error('charge-payment cannot start before the reservation has its total');
          const request = { orderId: step.sagaId, customerId, amount, currency, method: paidBy.method };
          return actOutcome(await payment.ChargePayment(request, callOptions(step)), ({ paymentId }) => ({
            paymentId,
          }));
        },
        async undo(step) {
          return undoOutcome(await payment.RefundPayment({ orderId: step.sagaId }, callOptions(step)));
        },
      },
      {
        name: 'create-shipment',
        kind: 'pivot',
        timeoutMs: 10_000,
        retry: RETRY,
        async act(step) {
          const { items, shipTo } = step.input;
          const request = { orderId: step.sagaId, shipTo, parcels: items };
          return actOutcome(await shipping.CreateShipment(request, callOptions(step)), ({ shipmentId }) => ({
            shipmentId,
          }));
        },
        async undo(step) {
          return undoOutcome(await shipping.CancelShipment({ orderId: step.sagaId }, callOptions(step)));
        },
      },
    ],
  });
}

/** Quick at first, since most faults are a restart away; an undo that fails for about half an hour is parked. */
const RETRY = { baseMs: 50, capMs: 2_000, maxAttempts: 1_800 };
