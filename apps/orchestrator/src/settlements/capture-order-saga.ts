import {
  defineSaga,
  type RetriableOutcome,
  type SagaDefinition,
  type StepContext,
  type UndoOutcome,
} from '@holdfast/saga';
import { actOutcome, callOptions, type Participants, retriableOutcome, undoOutcome } from '../saga/participants.ts';
import { type AcceptedCapture, CAPTURE_SAGA, type CaptureOutputs } from './settlement.ts';

/**
 * How an order whose payment is only authorised is captured, and leaves. The keys of its steps begin with its own id.
 *
 * | step              | act              | undo           | refusals                                                          |
 * |-------------------|------------------|----------------|-------------------------------------------------------------------|
 * | reserve-capture   | ReserveCapture   | ReleaseCapture | AUTHORIZATION_EXPIRED, CAPTURE_EXCEEDS_AUTHORIZED, NOT_CAPTURABLE |
 * | capture-payment   | CapturePayment   |                |                                                                   |
 * | dispatch-shipment | DispatchShipment |                |                                                                   |
 *
 * `reserve-capture` is the pivot: payment's books decide first, while nothing has left them (M1). From then on the provider is
 * asked until it has captured the amount, or has said for good that it won't: that is an answer, after which nothing leaves. The
 * parcel leaves last: what is not paid for stays.
 */
export function captureOrderSaga(participants: Participants): SagaDefinition<AcceptedCapture, CaptureOutputs> {
  const { reserve, release, capture, dispatch } = captureCalls(participants);
  return defineSaga<AcceptedCapture, CaptureOutputs>()({
    name: CAPTURE_SAGA,
    deadlineMs: SETTLEMENT_DEADLINE_MS,
    steps: [
      { name: 'reserve-capture', kind: 'pivot', act: reserve, undo: release, timeoutMs: 5_000, retry: RETRY },
      { name: 'capture-payment', kind: 'retriable', act: capture, timeoutMs: 10_000, retry: RETRY },
      { name: 'dispatch-shipment', kind: 'retriable', act: dispatch, timeoutMs: 5_000, retry: RETRY },
    ],
  });
}

/** For the books to decide, while payment is down: an hour, and nothing has happened when it is over. */
export const SETTLEMENT_DEADLINE_MS = 3_600_000;
/** Quick at first; given up for an operator after about half an hour. */
export const RETRY = { baseMs: 50, capMs: 2_000, maxAttempts: 1_800 };

type Attempt = StepContext<AcceptedCapture, CaptureOutputs>;

function captureCalls({ payment, shipping }: Participants) {
  const captureIn = ({ sagaId, input }: Attempt) => ({ orderId: input.orderId, captureId: sagaId });
  return {
    async reserve(attempt: Attempt) {
      const { amount, currency } = attempt.input;
      const request = { ...captureIn(attempt), amount, currency };
      return actOutcome(await payment.ReserveCapture(request, callOptions(attempt)), () => null);
    },
    async release(attempt: Attempt): Promise<UndoOutcome> {
      return undoOutcome(await payment.ReleaseCapture(captureIn(attempt), callOptions(attempt)));
    },
    async capture(attempt: Attempt): Promise<RetriableOutcome<CaptureOutputs['capture-payment']>> {
      const result = await payment.CapturePayment(captureIn(attempt), callOptions(attempt));
      return retriableOutcome(result, ({ status, amount, reason }) => ({
        status: status === 'CAPTURE_STATUS_CAPTURED' ? 'captured' : 'failed',
        amount,
        reason: reason || null,
      }));
    },
    async dispatch(attempt: Attempt): Promise<RetriableOutcome<CaptureOutputs['dispatch-shipment']>> {
      const { orderId, dispatchKey: key } = attempt.input;
      if (attempt.outputs['capture-payment']?.status !== 'captured') return { kind: 'completed', output: null };
      // Nothing of it can be returned yet: refunds begin when this saga has ended.
      const result = await shipping.DispatchShipment({ orderId, returning: false }, { ...callOptions(attempt), key });
      return retriableOutcome(result, ({ shipmentId, dispatchedAt }) => ({ shipmentId, dispatchedAt }));
    },
  };
}
