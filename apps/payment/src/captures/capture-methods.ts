import { type Participant, type StepSpec, settlementOf, stepMethod } from '@holdfast/participant';
import { checkCurrency, checkIdentifier, checkInteger, type Handlers, services } from '@holdfast/rpc';
import { beginCaptures, type CaptureAnswer, type CapturePlan, endCaptures, spendCaptureKey } from './capture-charge.ts';
import type { CaptureId } from './capture-store.ts';
import type { Captured, CardCaptures } from './provider-capture.ts';
import { type ReserveCapture, releaseCaptures, reserveCaptures } from './reserve-capture.ts';

const KEEP_DAYS = 14;
/** Names of operations: stored data. */
export const RESERVE_CAPTURE = 'reserve-capture';
export const RELEASE_CAPTURE = 'release-capture';
export const CAPTURE = 'capture-payment';

const payment = services.payment;

type CaptureMethods = Pick<Handlers<typeof payment>, 'ReserveCapture' | 'ReleaseCapture' | 'CapturePayment'>;

/** The methods of captures. @param cards of the card provider, with how long an attempt there may take */
export function captureMethods(
  participant: Participant,
  cards: { capture: CardCaptures; leaseMs: number },
): CaptureMethods {
  // A capture has a saga of its own: its keys begin with its id, and its fence is its own.
  const sagaOf = ({ captureId }: { captureId: string }) => checkIdentifier('capture_id', captureId);
  const captureIn = (request: { captureId: string }) => ({ captureId: sagaOf(request) });
  return {
    ReserveCapture: stepMethod(
      participant,
      reserveStep,
      (request) => ({
        ...captureIn(request),
        amount: checkInteger('amount', request.amount, 0, Number.MAX_SAFE_INTEGER),
        currency: checkCurrency('currency', request.currency),
      }),
      sagaOf,
    ),
    ReleaseCapture: stepMethod(participant, releaseStep, (request) => captureIn(request), sagaOf),
    CapturePayment: stepMethod(participant, captureStep(participant, cards), (request) => captureIn(request), sagaOf),
  };
}

const reserveStep: StepSpec<ReserveCapture, never, never> = {
  operation: RESERVE_CAPTURE,
  keepDays: KEEP_DAYS,
  async prepare(tx, calls) {
    const outcomes = await reserveCaptures(
      tx,
      calls.map(({ request }) => request),
    );
    return outcomes.map((outcome) => settlementOf(outcome, payment.ReserveCapture.responseSerialize));
  },
};

const releaseStep: StepSpec<CaptureId, never, never> = {
  operation: RELEASE_CAPTURE,
  keepDays: KEEP_DAYS,
  undoes: RESERVE_CAPTURE,
  async prepare(tx, calls) {
    await releaseCaptures(
      tx,
      calls.map(({ request }) => request),
    );
    return calls.map(() => ({ kind: 'completed', answer: payment.ReleaseCapture.responseSerialize({}) }));
  },
};

function captureStep(
  { pool }: Participant,
  { capture, leaseMs }: { capture: CardCaptures; leaseMs: number },
): StepSpec<CaptureId, CapturePlan, Captured> {
  const done = (answer: CaptureAnswer) => ({
    kind: 'completed' as const,
    answer: payment.CapturePayment.responseSerialize(answer),
  });
  return {
    operation: CAPTURE,
    keepDays: KEEP_DAYS,
    async prepare(tx, calls) {
      const begun = await beginCaptures(tx, calls);
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : done(outcome.result)));
    },
    outside: {
      leaseMs,
      perform: (plan, held, request) =>
        capture({ ...plan, tenantId: request.tenantId, key: held.key }, () =>
          spendCaptureKey(pool, held, { ...request, keyNumber: plan.keyNumber }),
        ),
      record: async (tx, captured) => (await endCaptures(tx, captured)).map(done),
    },
  };
}
