import { randomUUID } from 'node:crypto';
import {
  type Claim,
  type KeyedCall,
  type OutsideAct,
  type OutsideUndo,
  runAct,
  runOutsideAct,
  runOutsideUndo,
  type Settlement,
} from '@holdfast/idempotency';
import { type Pool, transaction } from '@holdfast/postgres';
import {
  askStep,
  checkCurrency,
  checkIdentifier,
  checkInteger,
  type Handlers,
  InvalidRequest,
  keyedCall,
  type Participant,
  services,
  statusBytes,
  stepAnswer,
} from '@holdfast/rpc';
import { adjustAccount, findAccount, MAX_BALANCE, putAccount } from './account.ts';
import type { CardOutcome, Cards, GivenBack } from './card.ts';
import {
  attachIntent,
  beginCardCharge,
  type CardPlan,
  type ChargeOutcome,
  type ChargeRequest,
  chargeAccount,
  endCardCharge,
} from './charge.ts';
import { beginRefund, endRefund, type Refund, type RefundPlan } from './refund.ts';

const CHARGE = 'charge-payment';
const REFUND = 'refund-payment';
const ADJUST = 'adjust-account';

const METHOD = /^(balance|pm_[A-Za-z0-9_]{1,200})$/;

const payment = services.payment;

/** What each method checks, under which key it runs, and what it stores. */
export function paymentHandlers({ pool, flights, fingerprinter }: Participant, cards: Cards): Handlers<typeof payment> {
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
      // An amount of 0 is captured here, whatever the method: the provider takes nothing below its smallest unit.
      const staysHere = method === 'balance' || charge.amount === 0;
      const outcome = staysHere
        ? await runAct(pool, flights, keyed, async (tx) => chargeSettlement(await chargeAccount(tx, charge, keyed.key)))
        : await runOutsideAct(pool, flights, keyed, cardCharge(pool, cards, charge, method, keyed));
      return stepAnswer(outcome);
    },

    async RefundPayment(request, call) {
      const orderId = checkIdentifier('order_id', request.orderId);
      const keyed = keyedCall(call, { name: REFUND, undo: true, orderId }, request, fingerprinter);
      const outcome = await runOutsideUndo(pool, flights, keyed, CHARGE, refund(cards, orderId, keyed));
      return stepAnswer(outcome);
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
      return { kind: 'ok', message: { state, ...(refusal && { refusal }), ...answer } };
    },

    async GetAccount(request, call) {
      const customerId = checkIdentifier('customer_id', request.customerId);
      return { kind: 'ok', message: { account: await findAccount(pool, call.tenantId(), customerId) } };
    },

    async PutAccount(request, call) {
      const wanted = {
        customerId: checkIdentifier('customer_id', request.customerId),
        balance: checkInteger('balance', request.balance, 0, MAX_BALANCE),
        currency: checkCurrency('currency', request.currency),
      };
      const tenantId = call.tenantId();
      const account = await transaction(pool, (tx) => putAccount(tx, tenantId, wanted, randomUUID()));
      return { kind: 'ok', message: { account } };
    },

    async AdjustAccount(request, call) {
      const customerId = checkIdentifier('customer_id', request.customerId);
      const delta = checkInteger('delta', request.delta, -MAX_BALANCE, MAX_BALANCE);
      if (delta === 0) throw new InvalidRequest('delta', 'send how much to add, or (below 0) to take');
      const keyed = keyedCall(call, { name: ADJUST }, request, fingerprinter);
      const outcome = await runAct(pool, flights, keyed, async (tx) => {
        const adjusted = await adjustAccount(tx, keyed.tenantId, customerId, delta, keyed.key);
        if (adjusted.kind === 'refused') return refusedFor(adjusted);
        return { kind: 'done', answer: payment.AdjustAccount.responseSerialize({ account: adjusted.account }) };
      });
      return stepAnswer(outcome);
    },
  };
}

/** A charge by card: written down, made at the provider, and written down again with its answer. */
function cardCharge(
  pool: Pool,
  cards: Cards,
  charge: ChargeRequest,
  method: string,
  { key }: KeyedCall,
): OutsideAct<CardPlan, { held: Claim; outcome: CardOutcome }> {
  return {
    leaseMs: cards.leaseMs,
    async prepare(tx) {
      const begun = await beginCardCharge(tx, charge);
      return begun.kind === 'perform' ? begun : chargeSettlement(begun);
    },
    async perform(plan, held) {
      const attach = (intentId: string) => attachIntent(pool, held, charge, intentId);
      const performed = await cards.charge({ ...charge, ...plan, method, key }, attach);
      return performed.kind === 'known' ? { kind: 'known', result: { held, outcome: performed.result } } : performed;
    },
    record: async (tx, { held, outcome }) => chargeSettlement(await endCardCharge(tx, held, charge, outcome)),
  };
}

/** The undo of any charge: at once where the money is here, at the provider where it isn't. */
function refund(
  cards: Cards,
  orderId: string,
  { tenantId, key }: KeyedCall,
): OutsideUndo<RefundPlan, { held: Claim; givenBack: GivenBack }> {
  return {
    leaseMs: cards.leaseMs,
    async prepare(tx) {
      const begun = await beginRefund(tx, tenantId, orderId, key);
      return begun.kind === 'perform' ? begun : { kind: 'done', answer: refundAnswer(begun.refund) };
    },
    async perform(plan, held) {
      const performed = await cards.giveBack({ ...plan, tenantId, key });
      return performed.kind === 'known' ? { kind: 'known', result: { held, givenBack: performed.result } } : performed;
    },
    record: async (tx, { held, givenBack }) =>
      refundAnswer(await endRefund(tx, held, { tenantId, orderId }, givenBack)),
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
  return { kind: 'done', answer: payment.ChargePayment.responseSerialize(outcome.payment) };
}

function refusedFor(refusal: { reason: string; message: string }): Settlement {
  return { kind: 'refused', answer: statusBytes(refusal.reason, refusal.message) };
}

function refundAnswer(refund: Refund): Buffer {
  return payment.RefundPayment.responseSerialize(refund);
}
