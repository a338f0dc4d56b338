import { randomUUID } from 'node:crypto';
import type { Settlement } from '@holdfast/idempotency';
import {
  askStep,
  createStepRunner,
  keyedCall,
  type Participant,
  type StepSpec,
  stepAnswer,
} from '@holdfast/participant';
import { type Transaction, transaction } from '@holdfast/postgres';
import {
  checkCurrency,
  checkIdentifier,
  checkInteger,
  type Handlers,
  InvalidRequest,
  services,
  statusBytes,
} from '@holdfast/rpc';
import { adjustAccount, findAccount, MAX_BALANCE, putAccount } from './account.ts';
import type { CardOutcome, Cards, GivenBack } from './card.ts';
import type { CardPlan, ChargeOutcome, ChargeRequest } from './charge.ts';
import { beginCharges, createIntentStore, endCardCharges, type StoreIntent } from './charge-batch.ts';
import { beginRefunds, endRefund, type Refund, type RefundPlan, type RefundRequest } from './refund.ts';

/** How long the answer to a step is given again byte for byte; after that, what the effect's own row says. */
const KEEP_DAYS = 14;
const CHARGE = 'charge-payment';
const REFUND = 'refund-payment';
const ADJUST = 'adjust-account';

const METHOD = /^(balance|pm_[A-Za-z0-9_]{1,200})$/;

const payment = services.payment;

/** What each method checks, under which key it runs, and what it stores. */
export function paymentHandlers(
  { pool, singleFlight, keyedRunner, fingerprinter, reach }: Participant,
  cards: Cards,
): Handlers<typeof payment> {
  const runCharge = createStepRunner(pool, singleFlight, chargeStep(cards, createIntentStore(pool)), reach);
  const runRefund = createStepRunner(pool, singleFlight, refundStep(cards), reach);
  return {
    async ChargePayment(request, call) {
      const method = checkMethod(request.method);
      const charge: ChargeRequest = {
        tenantId: call.tenantId(),
        orderId: checkIdentifier('order_id', request.orderId),
        customerId: checkIdentifier('customer_id', request.customerId),
        methodKind: method === 'balance' ? 'balance' : 'card',
        amount: checkInteger('amount', request.amount, 0, Number.MAX_SAFE_INTEGER),
        currency: checkCurrency('currency', request.currency),
      };
      const keyed = keyedCall(call, { name: CHARGE, orderId: charge.orderId }, request, fingerprinter);
      return stepAnswer(await runCharge(keyed, { ...charge, method }));
    },

    async RefundPayment(request, call) {
      const orderId = checkIdentifier('order_id', request.orderId);
      const keyed = keyedCall(call, { name: REFUND, undo: true, orderId }, request, fingerprinter);
      return stepAnswer(await runRefund(keyed, { tenantId: keyed.tenantId, orderId }));
    },

    async GetStep(request, call) {
      const { state, refusal, executed } = await askStep(pool, call, request.key);
      const answer =
        executed === undefined
          ? {}
          : executed.operation === CHARGE
            ? { charged: payment.ChargePayment.responseDeserialize(executed.answer) }
            : executed.operation === REFUND
              ? { refunded: payment.RefundPayment.responseDeserialize(executed.answer) }
              : { adjusted: payment.AdjustAccount.responseDeserialize(executed.answer) };
      return { kind: 'completed', message: { state, ...(refusal && { refusal }), ...answer } };
    },

    async GetAccount(request, call) {
      const customerId = checkIdentifier('customer_id', request.customerId);
      return { kind: 'completed', message: { account: await findAccount(pool, call.tenantId(), customerId) } };
    },

    async PutAccount(request, call) {
      const wanted = {
        customerId: checkIdentifier('customer_id', request.customerId),
        balance: checkInteger('balance', request.balance, 0, MAX_BALANCE),
        currency: checkCurrency('currency', request.currency),
      };
      const tenantId = call.tenantId();
      const account = await transaction(pool, (tx) => putAccount(tx, tenantId, wanted, randomUUID()));
      return { kind: 'completed', message: { account } };
    },

    async AdjustAccount(request, call) {
      const customerId = checkIdentifier('customer_id', request.customerId);
      const delta = checkInteger('delta', request.delta, -MAX_BALANCE, MAX_BALANCE);
      if (delta === 0) throw new InvalidRequest('delta', 'send how much to add, or (below 0) to take');
      const keyed = keyedCall(call, { name: ADJUST }, request, fingerprinter);
      const adjust = async (tx: Transaction): Promise<Settlement> => {
        const adjusted = await adjustAccount(tx, keyed.tenantId, customerId, delta, keyed.key);
        if (adjusted.kind === 'refused') return refusedFor(adjusted);
        return { kind: 'completed', answer: payment.AdjustAccount.responseSerialize({ account: adjusted.account }) };
      };
      const outcome = await keyedRunner.run(keyed, adjust);
      if (outcome.kind !== 'answer_expired') return stepAnswer(outcome);
      // Its entry is unique (K5): asked again, it finds that it has counted.
      const { kind, answer } = await transaction(pool, adjust);
      return stepAnswer({ kind, answer, replayed: true });
    },
  };
}

/** The payment method goes to the provider and is kept nowhere. */
type Charge = ChargeRequest & { method: string };

/** From an account at once; by card it is written down, made at the provider, and written down again with its answer. */
function chargeStep(cards: Cards, storeIntent: StoreIntent): StepSpec<Charge, CardPlan, CardOutcome> {
  return {
    operation: CHARGE,
    keepDays: KEEP_DAYS,
    async prepare(tx, calls) {
      const begun = await beginCharges(tx, calls);
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : chargeSettlement(outcome)));
    },
    outside: {
      leaseMs: cards.leaseMs,
      perform(plan, held, charge) {
        const { tenantId, orderId } = charge;
        const attach = (intentId: string) => storeIntent({ held, tenantId, orderId, intentId });
        return cards.charge({ ...charge, ...plan, key: held.key }, attach);
      },
      record: async (tx, charged) => (await endCardCharges(tx, charged)).map(chargeSettlement),
    },
  };
}

/** The undo of any charge: at once where the money is here, at the provider where it isn't. */
function refundStep(cards: Cards): StepSpec<RefundRequest, RefundPlan, GivenBack> {
  const done = (refund: Refund) => ({
    kind: 'completed' as const,
    answer: payment.RefundPayment.responseSerialize(refund),
  });
  return {
    operation: REFUND,
    keepDays: KEEP_DAYS,
    undoes: CHARGE,
    async prepare(tx, calls) {
      const begun = await beginRefunds(
        tx,
        calls.map(({ request, call }) => ({ ...request, undoKey: call.key })),
      );
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : done(outcome.refund)));
    },
    outside: {
      leaseMs: cards.leaseMs,
      perform: (plan, held) => cards.giveBack({ ...plan, tenantId: held.tenantId, key: held.key }),
      async record(tx, refunded) {
        const refunds: Refund[] = [];
        for (const { request, result } of refunded) refunds.push(await endRefund(tx, request, result));
        return refunds.map(done);
      },
    },
  };
}

/** @throws InvalidRequest */
function checkMethod(method: string): string {
  if (!METHOD.test(method)) {
    throw new InvalidRequest('method', 'send `balance`, or a payment method of the card provider, pm_…');
  }
  return method;
}

function chargeSettlement(outcome: ChargeOutcome): Settlement {
  if (outcome.kind === 'refused') return refusedFor(outcome);
  return { kind: 'completed', answer: payment.ChargePayment.responseSerialize(outcome.payment) };
}

function refusedFor(refusal: { reason: string; message: string }): Settlement {
  return { kind: 'refused', answer: statusBytes(refusal.reason, refusal.message) };
}
