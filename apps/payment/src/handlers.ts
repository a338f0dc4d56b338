import { RETURN_URL_PATTERN } from '@holdfast/contracts';
import {
  type Bound,
  getStep,
  keyedCall,
  type OrderId,
  type Participant,
  runAlone,
  type StepSpec,
  settlementOf,
  stepMethod,
} from '@holdfast/participant';
import { checkCurrency, checkInteger, checkShopId, InvalidRequest, service, services } from '@holdfast/rpc';
import { type HttpRoutes, onShutdown } from '@holdfast/service';
import { adjustAccount, findAccount, MAX_BALANCE, putAccount } from './account.ts';
import { CAPTURE, captureMethods, RELEASE_CAPTURE, RESERVE_CAPTURE } from './captures/capture-methods.ts';
import { type AuthorizationLook, lookAtAuthorizations } from './captures/look-at-authorizations.ts';
import type { CardOutcome, GivenBack } from './card/card-payment.ts';
import { type Cards, cardsFor, type ProviderSettings, providerFor } from './card.ts';
import type { CardPlan, ChargeRequest, Payment } from './charge.ts';
import { beginCharges, createIntentStore, endCardCharges, type StoreIntent } from './charge-batch.ts';
import { type DisputeLook, lookAtDisputes } from './disputes/learn-disputes.ts';
import { keepLooking, type Look } from './keep-looking.ts';
import { newsMethods } from './news/order-news.ts';
import type { Provider } from './provider.ts';
import { beginRefunds, endRefund, type Refund, type RefundPlan } from './refund.ts';
import { type Learner, lookOnce, undoFailedTeller } from './refunds/learn-refunds.ts';
import { GIVE, RELEASE, RESERVE, refundMethods } from './refunds/refund-methods.ts';
import { webhookRoutes } from './webhooks/endpoint.ts';
import { hearEvent } from './webhooks/hear-event.ts';

/** The payment method is given on the shop's page, which confirms the payment there. */
const PAGE = 'card';
/** How long the answer to a step is given again byte for byte; after that, what the effect's own row says. */
const KEEP_DAYS = 14;
const CHARGE = 'charge-payment';
const REFUND = 'refund-payment';
const ADJUST = 'adjust-account';
const PUT = 'put-account';

const METHOD = /^(balance|card|pm_[A-Za-z0-9_]{1,200})$/;
const CUSTOMER = /^(cus_[A-Za-z0-9]{1,200})?$/;
const RETURN_URL = new RegExp(`^$|${RETURN_URL_PATTERN}`, 'u');

const payment = services.payment;

/**
 * `holdfast.payment.v1.PaymentService`: what each method checks, under which key it runs, and what it stores.
 * @param settings of the card provider
 * @param events whether what the provider tells is published
 */
export const paymentService =
  (settings: ProviderSettings, { publishes }: { publishes: boolean } = { publishes: false }) =>
  (participant: Participant): Bound => {
    const { pool, fingerprinter } = participant;
    const provider = providerFor(settings, participant);
    const hearsWebhooks = publishes && settings.STRIPE_WEBHOOK_SECRET !== null;
    const cards = cardsFor(provider, settings, { hearsWebhooks });
    const storeIntent = createIntentStore(pool, settings.PAYMENT_WINDOW_MS);
    const learner: Learns = {
      ...{ pool, refunds: cards.refunds, onUndoFailed: undoFailedTeller(participant) },
      ...{ publishes, onDispute: disputeTeller(participant), onAuthorization: authorizationTeller(participant) },
    };
    const http = webhooksFor(provider, settings, participant, learner);
    if (settings.PROVIDER_LOOK_MS !== undefined && provider !== null) {
      const { CAPTURE_WARNING_MS: warningMs = DEFAULT_WARNING_MS, PROVIDER_LOOK_MS: everyMs } = settings;
      onShutdown(lookAtProvider({ ...learner, provider, log: participant.log, warningMs }, everyMs));
    }
    const binding = service(payment, {
      ChargePayment: stepMethod(participant, chargeStep(cards, storeIntent), (request) => {
        const method = checkMethod(request.method);
        return {
          method,
          methodKind: method === 'balance' ? 'balance' : 'card',
          customerId: checkShopId('customer_id', request.customerId),
          amount: checkInteger('amount', request.amount, 0, Number.MAX_SAFE_INTEGER),
          currency: checkCurrency('currency', request.currency),
          providerCustomer: checkShape('provider_customer', request.providerCustomer, CUSTOMER, 'send cus_…'),
          offSession: request.offSession,
          returnUrl: checkShape('return_url', request.returnUrl, RETURN_URL, 'send an absolute URL'),
          authorizeOnly: checkAuthorizeOnly(request.authorizeOnly, method),
        };
      }),

      RefundPayment: stepMethod(participant, refundStep(cards), () => ({})),

      ...refundMethods(participant, { ...cards.refunds, leaseMs: cards.leaseMs }),

      ...captureMethods(participant, cards),

      ...newsMethods(pool),

      GetStep: getStep(pool, {
        [CHARGE]: (answer) => ({ charged: payment.ChargePayment.responseDeserialize(answer) }),
        [REFUND]: (answer) => ({ refunded: payment.RefundPayment.responseDeserialize(answer) }),
        [RESERVE]: (answer) => ({ refundReserved: payment.ReserveRefund.responseDeserialize(answer) }),
        [RELEASE]: (answer) => ({ refundReleased: payment.ReleaseRefund.responseDeserialize(answer) }),
        [GIVE]: (answer) => ({ chargeRefunded: payment.RefundCharge.responseDeserialize(answer) }),
        [RESERVE_CAPTURE]: (answer) => ({ captureReserved: payment.ReserveCapture.responseDeserialize(answer) }),
        [RELEASE_CAPTURE]: (answer) => ({ captureReleased: payment.ReleaseCapture.responseDeserialize(answer) }),
        [CAPTURE]: (answer) => ({ paymentCaptured: payment.CapturePayment.responseDeserialize(answer) }),
        [ADJUST]: (answer) => ({ adjusted: payment.AdjustAccount.responseDeserialize(answer) }),
        [PUT]: (answer) => ({ put: payment.PutAccount.responseDeserialize(answer) }),
      }),

      async GetAccount(request, call) {
        const customerId = checkShopId('customer_id', request.customerId);
        return { kind: 'completed', message: { account: await findAccount(pool, call.tenantId(), customerId) } };
      },

      async PutAccount(request, call) {
        const { currency } = request;
        const wanted = {
          customerId: checkShopId('customer_id', request.customerId),
          balance: checkInteger('balance', request.balance, 0, MAX_BALANCE),
          currency: currency === undefined ? currency : checkCurrency('currency', currency),
        };
        const condition = { versions: request.ifVersions, opened: request.ifOpened };
        const keyed = keyedCall(call, { name: PUT }, request, fingerprinter);
        return await runAlone(
          participant,
          keyed,
          (tx) => putAccount(tx, keyed.tenantId, wanted, { condition, key: keyed.key, proof: request.proof }),
          (changed) => payment.PutAccount.responseSerialize(changed),
        );
      },

      async AdjustAccount(request, call) {
        const customerId = checkShopId('customer_id', request.customerId);
        const delta = checkInteger('delta', request.delta, -MAX_BALANCE, MAX_BALANCE);
        if (delta === 0) throw new InvalidRequest('delta', 'send how much to add, or (below 0) to take');
        const keyed = keyedCall(call, { name: ADJUST }, request, fingerprinter);
        return await runAlone(
          participant,
          keyed,
          (tx) => adjustAccount(tx, keyed.tenantId, customerId, delta, { key: keyed.key, proof: request.proof }),
          (changed) => payment.AdjustAccount.responseSerialize(changed),
        );
      },
    });
    return { ...binding, http };
  };

/** What is learned from the provider, by its webhooks or by asking. */
type Learns = Learner & Pick<DisputeLook, 'publishes' | 'onDispute'> & Pick<AuthorizationLook, 'onAuthorization'>;

function disputeTeller({ metrics }: Participant): Learns['onDispute'] {
  const disputes = metrics.counter(
    'payment_disputes_total',
    'Disputes at the card provider, each time that one is new or has changed',
    ['status'],
  );
  return (status) => disputes.inc({ status });
}

const DEFAULT_WARNING_MS = 86_400_000;

function authorizationTeller({ metrics }: Participant): AuthorizationLook['onAuthorization'] {
  const authorizations = metrics.counter(
    'payment_authorizations_total',
    'Authorisations that run out soon, or have run out uncaptured',
    ['state'],
  );
  return (state) => authorizations.inc({ state });
}

function lookAtProvider(look: Learns & DisputeLook & AuthorizationLook, everyMs: number): () => Promise<void> {
  const looks: Record<string, Look> = {
    refunds: (after) => lookOnce(look, after),
    disputes: (after) => lookAtDisputes(look, after),
    authorizations: () => lookAtAuthorizations(look),
  };
  return keepLooking({ looks, everyMs, log: look.log });
}

/** `POST /webhooks/stripe`; nothing where there is no secret that could have signed one. */
function webhooksFor(
  provider: Provider | null,
  { STRIPE_WEBHOOK_SECRET: secrets }: ProviderSettings,
  { log, metrics }: Participant,
  learner: Learns,
): HttpRoutes {
  if (provider === null || secrets === null) return {};
  const parts = { ...learner, provider };
  return webhookRoutes({ secrets: secrets.split(','), log, metrics, hear: (told) => hearEvent(parts, told) });
}

/** What goes to the provider and is kept nowhere. */
type Charge = ChargeRequest & {
  method: string;
  providerCustomer: string | null;
  offSession: boolean;
  returnUrl: string | null;
};

/** From an account at once; by card it is written down, made at the provider, and written down again with its answer. */
function chargeStep(cards: Cards, storeIntent: StoreIntent): StepSpec<Charge, CardPlan, CardOutcome> {
  const serialize = ({ authorizedUntil, ...charged }: Payment) =>
    payment.ChargePayment.responseSerialize({ ...charged, authorizedUntil: authorizedUntil?.toISOString() ?? '' });
  return {
    operation: CHARGE,
    keepDays: KEEP_DAYS,
    async prepare(tx, calls) {
      const begun = await beginCharges(tx, calls);
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : settlementOf(outcome, serialize)));
    },
    outside: {
      leaseMs: cards.leaseMs,
      perform(plan, held, charge) {
        const { tenantId, orderId } = charge;
        const attach = (intentId: string) => storeIntent({ held, tenantId, orderId, intentId });
        const method = charge.method === PAGE ? null : charge.method;
        return cards.charge({ ...charge, ...plan, method, key: held.key }, attach);
      },
      record: async (tx, charged) =>
        (await endCardCharges(tx, charged)).map((outcome) => settlementOf(outcome, serialize)),
    },
  };
}

/** The undo of any charge: at once where the money is here, at the provider where it isn't. */
function refundStep(cards: Cards): StepSpec<OrderId, RefundPlan, GivenBack> {
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
      return begun.map((outcome) => (outcome.kind === 'perform' ? outcome : done(outcome.result)));
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
function checkMethod(sent: string): string {
  const method = sent === '' ? PAGE : sent;
  if (METHOD.test(method)) return method;
  throw new InvalidRequest('method', 'send `balance`, `card`, or a payment method of the card provider, pm_…');
}

/** @throws InvalidRequest */
function checkAuthorizeOnly(authorizeOnly: boolean, method: string): boolean {
  if (authorizeOnly && method === 'balance') {
    throw new InvalidRequest('authorize_only', 'only for a payment by card: an account is debited at once');
  }
  return authorizeOnly;
}

/** @returns null for what was not sent. @throws InvalidRequest */
function checkShape(field: string, sent: string, shape: RegExp, hint: string): string | null {
  if (!shape.test(sent)) throw new InvalidRequest(field, `${hint}, or nothing`);
  return sent === '' ? null : sent;
}
