import { type Participant, type StepSpec, settlementOf, stepMethod } from '@holdfast/participant';
import { checkCurrency, checkIdentifier, checkInteger, type Handlers, InvalidRequest, services } from '@holdfast/rpc';
import { beginGiving, endGiving, type Given, type GivePlan, noteRefund } from './give-back.ts';
import type { CardRefunds, GaveBack } from './provider-refunds.ts';
import { markRefundsTold, untoldRefunds } from './refund-news.ts';
import type { RefundId } from './refund-store.ts';
import { type ReserveRefund, releaseRefunds, reserveRefunds } from './reserve-refund.ts';

const KEEP_DAYS = 14;
/** Names of operations: stored data. The undo of a charge is called `refund-payment`. */
export const RESERVE = 'reserve-refund';
export const RELEASE = 'release-refund';
export const GIVE = 'refund-charge';
const NEWS_MAX = 500;

const payment = services.payment;

type RefundMethods = Pick<
  Handlers<typeof payment>,
  'ReserveRefund' | 'ReleaseRefund' | 'RefundCharge' | 'ListRefundNews' | 'ForgetRefundNews'
>;

/** The methods of refunds. @param refunds of the card provider, with how long an attempt there may take */
export function refundMethods(participant: Participant, refunds: CardRefunds & { leaseMs: number }): RefundMethods {
  const { pool } = participant;
  // A refund has a saga of its own: its keys begin with its id, and its fence is its own.
  const sagaOf = ({ refundId }: { refundId: string }) => checkIdentifier('refund_id', refundId);
  const refundIn = (request: { refundId: string }) => ({ refundId: sagaOf(request) });
  return {
    ReserveRefund: stepMethod(
      participant,
      reserveStep,
      (request) => ({
        ...refundIn(request),
        amount: checkInteger('amount', request.amount, 0, Number.MAX_SAFE_INTEGER),
        currency: checkCurrency('currency', request.currency),
      }),
      sagaOf,
    ),
    ReleaseRefund: stepMethod(participant, releaseStep, (request) => refundIn(request), sagaOf),
    RefundCharge: stepMethod(participant, giveStep(participant, refunds), (request) => refundIn(request), sagaOf),

    async ListRefundNews({ limit }) {
      const news = await untoldRefunds(pool, checkInteger('limit', limit, 1, NEWS_MAX));
      return {
        kind: 'completed',
        message: {
          news: news.map(({ state, reason, createdAt, ...change }) => ({
            ...change,
            state: STATES[state],
            reason: reason ?? '',
            createdAt: createdAt.toISOString(),
          })),
        },
      };
    },

    async ForgetRefundNews({ news }) {
      if (news.length > NEWS_MAX) throw new InvalidRequest('news', `send at most ${NEWS_MAX}`);
      await markRefundsTold(pool, news);
      return { kind: 'completed', message: {} };
    },
  };
}

const STATES = {
  pending: 'REFUND_STATUS_PENDING',
  succeeded: 'REFUND_STATUS_SUCCEEDED',
  failed: 'REFUND_STATUS_FAILED',
} as const;

const reserveStep: StepSpec<ReserveRefund, never, never> = {
  operation: RESERVE,
  keepDays: KEEP_DAYS,
  async prepare(tx, calls) {
    const outcomes = await reserveRefunds(
      tx,
      calls.map(({ request }) => request),
    );
    return outcomes.map((outcome) => settlementOf(outcome, payment.ReserveRefund.responseSerialize));
  },
};

const releaseStep: StepSpec<RefundId, never, never> = {
  operation: RELEASE,
  keepDays: KEEP_DAYS,
  undoes: RESERVE,
  async prepare(tx, calls) {
    await releaseRefunds(
      tx,
      calls.map(({ request }) => request),
    );
    return calls.map(() => ({ kind: 'completed', answer: payment.ReleaseRefund.responseSerialize({}) }));
  },
};

function giveStep(
  { pool }: Participant,
  refunds: CardRefunds & { leaseMs: number },
): StepSpec<RefundId, GivePlan, GaveBack> {
  const done = (given: Given) => ({
    kind: 'completed' as const,
    answer: payment.RefundCharge.responseSerialize(given),
  });
  return {
    operation: GIVE,
    keepDays: KEEP_DAYS,
    async prepare(tx, calls) {
      const begun = await beginGiving(tx, calls);
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : done(outcome.result)));
    },
    outside: {
      leaseMs: refunds.leaseMs,
      perform: (plan, held, request) =>
        refunds.give({ ...request, ...plan, key: held.key }, (learned) =>
          noteRefund(pool, held, { ...request, ...plan }, learned),
        ),
      record: async (tx, gave) => (await endGiving(tx, gave)).map(done),
    },
  };
}
