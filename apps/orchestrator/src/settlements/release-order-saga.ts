import { defineSaga, type RetriableOutcome, type SagaDefinition, type StepContext } from '@holdfast/saga';
import { callOptions, type Participants, retriableOutcome } from '../saga/participants.ts';
import { RETRY } from './capture-order-saga.ts';
import { type AcceptedRelease, RELEASE_SAGA, type ReleaseOutputs } from './settlement.ts';

/**
 * How a completed order is cancelled whose payment was never captured. It makes the undos of the order's own steps, under their own
 * keys, in reverse: so each act is sealed, and whatever arrives late of it changes nothing (K3).
 *
 * | step            | act                                                  |
 * |-----------------|------------------------------------------------------|
 * | decide-release  | nothing: it was decided when the saga was begun      |
 * | cancel-shipment | CancelShipment, the undo of the order's shipment     |
 * | release-payment | RefundPayment, the undo of its charge                |
 * | release-stock   | ReleaseInventory, the undo of its reservation        |
 *
 * The parcel is kept here first, then the money is given free. A payment that was captured at the provider by somebody else is
 * refunded by the same undo, once (M1). No step refuses, and there is no way back: that is why the first one is the pivot.
 */
export function releaseOrderSaga(participants: Participants): SagaDefinition<AcceptedRelease, ReleaseOutputs> {
  const { inventory, payment, shipping } = participants;
  const undoing =
    <Response>(step: string, call: (request: { orderId: string }, options: Options) => Promise<Called<Response>>) =>
    async (attempt: Attempt): Promise<RetriableOutcome<null>> =>
      retriableOutcome(await call({ orderId: attempt.input.orderId }, optionsOf(attempt, step)), () => null);
  const undo = { kind: 'retriable', timeoutMs: 10_000, retry: RETRY } as const;
  return defineSaga<AcceptedRelease, ReleaseOutputs>()({
    name: RELEASE_SAGA,
    deadlineMs: RELEASE_DEADLINE_MS,
    steps: [
      { name: 'decide-release', kind: 'pivot', act: decided, undo: decided, retry: RETRY },
      {
        ...undo,
        name: 'cancel-shipment',
        act: undoing('create-shipment', (request, options) => shipping.CancelShipment(request, options)),
      },
      {
        ...undo,
        name: 'release-payment',
        act: undoing('charge-payment', (request, options) => payment.RefundPayment(request, options)),
      },
      {
        ...undo,
        name: 'release-stock',
        act: undoing('reserve-inventory', (request, options) => inventory.ReleaseInventory(request, options)),
      },
    ],
  });
}

/** That the order is cancelled was told with the decision: after a long outage it still is (E1). As long as the column holds. */
export const RELEASE_DEADLINE_MS = 24 * 24 * 60 * 60 * 1_000;

type Attempt = StepContext<AcceptedRelease, ReleaseOutputs>;
type Options = ReturnType<typeof callOptions>;
type Called<Response> = Parameters<typeof retriableOutcome<Response, null>>[0];

const decided = () => Promise.resolve({ kind: 'completed', output: null } as const);

/** K4: higher than every epoch of the order's own saga, which has ended; so late calls of its former owners are fenced too. */
function optionsOf(attempt: Attempt, step: string): Options {
  const { orderId, orderEpoch } = attempt.input;
  return { ...callOptions(attempt), key: `${orderId}:${step}:undo`, epoch: orderEpoch + attempt.epoch };
}
