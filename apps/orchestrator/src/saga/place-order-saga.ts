import { defineSaga, type SagaDefinition } from '@holdfast/saga';
import type { AcceptedOrder, OrderOutputs } from '../orders/order.ts';
import { type Participants, stepCalls } from './participants.ts';

/** Stored data. */
export const PLACE_ORDER_SAGA = 'place-order';

/**
 * THE saga: how an order is placed, step by step, and what undoes each step.
 *
 * | step              | act              | undo             | refusals                                          |
 * |-------------------|------------------|------------------|---------------------------------------------------|
 * | reserve-inventory | ReserveInventory | ReleaseInventory | UNKNOWN_SKU, OUT_OF_STOCK, CURRENCY_MISMATCH, PRICE_CHANGED |
 * | charge-payment    | ChargePayment    | RefundPayment    | CARD_DECLINED, PAYMENT_NOT_CONFIRMED, INSUFFICIENT_FUNDS, CURRENCY_MISMATCH |
 * | create-shipment   | CreateShipment   | CancelShipment   | ADDRESS_REFUSED                                   |
 *
 * `charge-payment` may wait, for the customer to confirm the payment or for the bank: the stock stays reserved, and the order
 * says what is to be done.
 *
 * `create-shipment` is the pivot: a shipment that is known to be booked means a completed order, and no way back.
 */
export function placeOrderSaga(
  participants: Participants,
  { deadlineMs, paymentWaitMs }: { deadlineMs: number; paymentWaitMs: number },
): SagaDefinition<AcceptedOrder, OrderOutputs> {
  const { reserve, release, charge, refund, ship, cancel } = stepCalls(participants);
  return defineSaga<AcceptedOrder, OrderOutputs>()({
    name: PLACE_ORDER_SAGA,
    deadlineMs,
    steps: [
      { name: 'reserve-inventory', kind: 'compensatable', act: reserve, undo: release, timeoutMs: 5_000, retry: RETRY },
      {
        name: 'charge-payment',
        kind: 'compensatable',
        act: charge,
        undo: refund,
        timeoutMs: 10_000,
        retry: RETRY,
        // Payment itself ends the customer's time; this is for a bank that does not decide.
        waits: { maxMs: paymentWaitMs, exceededReason: 'PAYMENT_NOT_CONFIRMED' },
      },
      { name: 'create-shipment', kind: 'pivot', act: ship, undo: cancel, timeoutMs: 10_000, retry: RETRY },
    ],
  });
}

/** Quick at first, since most faults are a restart away; an undo that fails for about half an hour is parked. */
const RETRY = { baseMs: 50, capMs: 2_000, maxAttempts: 1_800 };
