import {
  defineSaga,
  type RetriableOutcome,
  type SagaDefinition,
  type StepContext,
  type UndoOutcome,
  type Waiting,
} from '@holdfast/saga';
import {
  actOutcome,
  callOptions,
  type Participants,
  retriableOutcome,
  undoOutcome,
  waitingOutcome,
} from '../saga/participants.ts';
import { type AcceptedRefund, REFUND_PAYMENT, REFUND_SAGA, type RefundOutputs } from './refund.ts';

/**
 * How a completed order, or a part of it, is given back. Its id is the refund's, and the keys of its steps begin with it.
 *
 * | step            | act                       | undo           | refusals                                |
 * |-----------------|---------------------------|----------------|-----------------------------------------|
 * | reserve-restock | ReserveRestock            | ReleaseRestock | RESTOCK_EXCEEDS_SOLD, NOT_REFUNDABLE    |
 * | reserve-refund  | ReserveRefund             | ReleaseRefund  | REFUND_EXCEEDS_CAPTURED, NOT_REFUNDABLE |
 * | refund-payment  | RefundCharge              |                |                                         |
 * | restock         | WithholdShipment, Restock |                |                                         |
 *
 * `reserve-refund` is the pivot. Before it everything is in our own books and can be put back; money that has left can't be
 * called back, and whether it has left is not known while the provider is silent. So the books decide first (M1), and from then
 * on the provider is asked until it has given the money back, or has said for good that it won't: that is an answer, after
 * which the goods are not counted and the amount is free again. Goods are counted last: they could be sold to somebody else
 * before an undo came for them. Before that the order's shipment is kept from leaving, if it has not left: what is free for others
 * is not sent (A1).
 */
export function refundOrderSaga(participants: Participants): SagaDefinition<AcceptedRefund, RefundOutputs> {
  const { reserveRestock, releaseRestock, reserveRefund, releaseRefund, give, restock } = refundCalls(participants);
  return defineSaga<AcceptedRefund, RefundOutputs>()({
    name: REFUND_SAGA,
    deadlineMs: REFUND_DEADLINE_MS,
    steps: [
      {
        name: 'reserve-restock',
        kind: 'compensatable',
        act: reserveRestock,
        undo: releaseRestock,
        timeoutMs: 5_000,
        retry: RETRY,
      },
      {
        name: 'reserve-refund',
        kind: 'pivot',
        act: reserveRefund,
        undo: releaseRefund,
        timeoutMs: 5_000,
        retry: RETRY,
      },
      {
        name: REFUND_PAYMENT,
        kind: 'retriable',
        act: give,
        waits: { maxMs: PENDING_MS },
        timeoutMs: 10_000,
        retry: RETRY,
      },
      { name: 'restock', kind: 'retriable', act: restock, timeoutMs: 5_000, retry: RETRY },
    ],
  });
}

/** For the books to decide, while a service is down: an hour, and nothing has happened when it is over. */
export const REFUND_DEADLINE_MS = 3_600_000;
/** Banks take up to two weeks; a refund that is pending for longer is parked, for somebody to ask at the provider. */
const PENDING_MS = 24 * 24 * 3_600_000;
/** Quick at first. */
const RETRY = { baseMs: 50, capMs: 2_000, maxAttempts: 1_800 };

type Attempt = StepContext<AcceptedRefund, RefundOutputs>;

/** Of each step: the request that a refund makes of its participant, and what the answer means to the saga. */
function refundCalls({ inventory, payment, shipping }: Participants) {
  const refundIn = ({ sagaId, input }: Attempt) => ({ orderId: input.orderId, refundId: sagaId });
  const nothing = () => null;
  return {
    async reserveRestock(attempt: Attempt) {
      const lines = restockedLines(attempt.input);
      if (lines.length === 0) return DONE;
      return actOutcome(await inventory.ReserveRestock({ ...refundIn(attempt), lines }, callOptions(attempt)), nothing);
    },
    async releaseRestock(attempt: Attempt): Promise<UndoOutcome> {
      if (restockedLines(attempt.input).length === 0) return DONE;
      return undoOutcome(await inventory.ReleaseRestock(refundIn(attempt), callOptions(attempt)));
    },
    async reserveRefund(attempt: Attempt) {
      const { amount, currency } = attempt.input;
      const request = { ...refundIn(attempt), amount, currency };
      return actOutcome(await payment.ReserveRefund(request, callOptions(attempt)), nothing);
    },
    async releaseRefund(attempt: Attempt): Promise<UndoOutcome> {
      return undoOutcome(await payment.ReleaseRefund(refundIn(attempt), callOptions(attempt)));
    },
    async give(attempt: Attempt): Promise<RetriableOutcome<RefundOutputs['refund-payment']> | Waiting> {
      const result = await payment.RefundCharge(refundIn(attempt), callOptions(attempt));
      // The provider has taken it on: asked again when payment tells that it has ended, or after a pause.
      return (
        waitingOutcome(result) ??
        retriableOutcome(result, (given) => ({
          status: given.status === 'REFUND_STATUS_SUCCEEDED' ? 'succeeded' : 'failed',
          providerRefundId: given.providerRefundId || null,
          reason: given.reason || null,
        }))
      );
    },
    async restock(attempt: Attempt): Promise<RetriableOutcome<null>> {
      if (restockedLines(attempt.input).length === 0) return DONE;
      const giveUp = attempt.outputs['refund-payment']?.status !== 'succeeded';
      if (!giveUp) {
        const { orderId } = attempt.input;
        const withheld = await shipping.WithholdShipment({ orderId }, callOptions(attempt));
        if (withheld.kind !== 'completed') return retriableOutcome(withheld, nothing);
        // crash here: it is not sent, and its goods are not counted yet; the next attempt counts them.
      }
      return retriableOutcome(await inventory.Restock({ ...refundIn(attempt), giveUp }, callOptions(attempt)), nothing);
    },
  };
}

const DONE = { kind: 'completed', output: null } as const;

function restockedLines({ lines }: AcceptedRefund): { sku: string; quantity: number }[] {
  return lines.flatMap(({ sku, quantity, restock }) => (restock ? [{ sku, quantity }] : []));
}
