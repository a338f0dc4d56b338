import { randomBytes } from 'node:crypto';
import { statement } from '@holdfast/postgres';
import type { FastifyInstance } from 'fastify';
import { changing, type PaymentApi, type Prepared, reading, type WithId } from '../api/payment-api.ts';
import type { Change, Decision, Seen } from '../api/provider-idempotency.ts';
import { failure, invalidRequest, noSuch, ok, type StripeAnswer } from '../api/stripe-answer.ts';
import type { Params } from '../api/stripe-params.ts';
import type { FaultPlan } from '../faults.ts';
import {
  type Attempt,
  type Confirmed,
  cancelIntent,
  captureIntent,
  confirmIntent,
  INTENT_COLUMNS,
  type Intent,
} from './payment-intent.ts';
import { paymentMethodFault } from './payment-methods.ts';
import { clientSecretOf, renderIntent } from './render-intent.ts';
import { changeOf, creationOf } from './write-intent.ts';

/**
 * Payment intents over HTTP.
 */

const INTENT_ID = /^pi_[0-9a-f]{24}$/;
const AMOUNT_MAX = 99_999_999;
const LIST_MAX = 100;
const LIST_DEFAULT = 10;

const READ = statement(
  'sandbox.read-intent',
  `select ${INTENT_COLUMNS} from payment_intents i where i.intent_id = $1::text`,
);

const LIST = statement(
  'sandbox.list-intents',
  `select ${INTENT_COLUMNS} from payment_intents i
    where $1::text is null or i.seq < (select c.seq from payment_intents c where c.intent_id = $1::text)
    order by i.seq desc limit $2::int`,
);

/** The id when it could be one of ours, else null: an intent that does not exist. */
export function intentIdOf(raw: string): string | null {
  return INTENT_ID.test(raw) ? raw : null;
}

export function noSuchIntent(id: string, param = 'intent'): StripeAnswer {
  return noSuch('payment_intent', id, param);
}

export function intentRoutes(scope: FastifyInstance, api: PaymentApi): void {
  scope.post(
    '/payment_intents',
    changing(api, (params) => prepareCreate(api, params)),
  );
  scope.get(
    '/payment_intents',
    reading((params) => list(api, params)),
  );
  scope.get<WithId>(
    '/payment_intents/:id',
    reading((params, id) => retrieve(api, params, id)),
  );
  scope.post<WithId>(
    '/payment_intents/:id/confirm',
    changing(api, (params, id) => prepareConfirm(api, params, id)),
  );
  scope.post<WithId>(
    '/payment_intents/:id/capture',
    changing(api, (params, id) => prepareCapture(api, params, id)),
  );
  scope.post<WithId>(
    '/payment_intents/:id/cancel',
    changing(api, (params, id) => prepareCancel(api, params, id)),
  );
}

function prepareCreate(api: PaymentApi, params: Params): Prepared {
  const amount = params.requiredInteger('amount', 1, AMOUNT_MAX);
  const currency = params.requiredCurrency('currency');
  const confirm = params.flag('confirm');
  const metadata = params.metadata();
  const description = params.text('description');
  const customer = params.text('customer', 255);
  const captureMethod = params.oneOf('capture_method', ['automatic', 'automatic_async', 'manual']);
  const expand = params.expand('latest_charge');
  // Either name: integrations send the one that their API version has.
  for (const name of ['payment_method_types', 'allowed_payment_method_types']) params.listOf(name, ['card']);
  params.ignore('automatic_payment_methods[enabled]', 'automatic_payment_methods[allow_redirects]');
  const given = readConfirmation(params);
  const fault = paymentMethodFault(given.paymentMethod) ?? tooSmall(amount, currency);
  if (fault) return invalid(fault);
  if (confirm && given.paymentMethod === null) {
    return invalid(
      invalidRequest('Send a payment_method to confirm with.', { code: 'parameter_missing', param: 'payment_method' }),
    );
  }
  const intentId = newId('pi_');
  const chargeId = newId('ch_');
  return {
    kind: 'ready',
    intentId: null,
    readFirst: false,
    decide: ({ at }, faults) => {
      const created: Intent = {
        intentId,
        version: 1,
        amount,
        currency,
        status: given.paymentMethod === null ? 'requires_payment_method' : 'requires_confirmation',
        captureMethod: captureMethod === 'manual' ? 'manual' : 'automatic',
        paymentMethod: given.paymentMethod,
        customer,
        returnUrl: given.returnUrl,
        nextAction: null,
        chargeId: null,
        amountReceived: 0,
        amountCapturable: 0,
        amountRefunded: 0,
        disputed: false,
        lastPaymentError: null,
        metadata,
        description,
        cancellationReason: null,
        canceledAt: null,
        createdAt: at,
        due: null,
        dueAt: null,
      };
      const createOf = (next: Intent) => creationOf(api, next, next === created);
      if (!confirm) return outcome(ok(renderIntent(created, expand)), createOf(created));
      const confirmed = confirmIntent(
        created,
        attemptOf(api, given, { intentId, chargeId, refused: faults.refused, at }),
      );
      return confirmedDecision(confirmed, created, expand, faults, createOf);
    },
  };
}

/** The smallest charge that Stripe takes is about half a dollar; it does not name the parameter. */
function tooSmall(amount: number, currency: string): StripeAnswer | null {
  const least = SMALLEST.get(currency);
  if (least === undefined || amount >= least || amount < 1) return null;
  return invalidRequest(`Amount must be at least ${least} ${currency}, in minor units`, { code: 'amount_too_small' });
}
// https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, of the currencies in which shops here sell.
const SMALLEST = new Map([
  ['hkd', 400],
  ['jpy', 50],
  ['mxn', 1_000],
]);

function prepareConfirm(api: PaymentApi, params: Params, id: string): Prepared {
  const given = readConfirmation(params);
  const expand = params.expand('latest_charge');
  const fault = paymentMethodFault(given.paymentMethod);
  if (fault) return invalid(fault);
  const chargeId = newId('ch_');
  const confirm = (intent: Intent, at: number, faults: FaultPlan) => {
    const { intentId } = intent;
    const confirmed = confirmIntent(intent, attemptOf(api, given, { intentId, chargeId, refused: faults.refused, at }));
    return confirmedDecision(confirmed, intent, expand, faults, (next) => changeOf(api, intent, next));
  };
  return onIntent(id, confirm, false);
}

function prepareCapture(api: PaymentApi, params: Params, id: string): Prepared {
  const amount = params.integer('amount_to_capture', 1, AMOUNT_MAX);
  const expand = params.expand('latest_charge');
  return onIntent(id, (intent, at) => {
    if (intent.status === 'requires_capture' && amount !== null && amount > intent.amountCapturable) {
      const message = `The amount to capture (${amount}) is more than what can be captured (${intent.amountCapturable}).`;
      return outcome(invalidRequest(message, { code: 'amount_too_large', param: 'amount_to_capture' }), null);
    }
    const captured = captureIntent(intent, amount, api.faults.bankTimes(), at);
    if (captured.kind === 'unexpected-state') return outcome(unexpectedState(captured.message, intent), null);
    return outcome(ok(renderIntent(captured.intent, expand)), changeOf(api, intent, captured.intent));
  });
}

function prepareCancel(api: PaymentApi, params: Params, id: string): Prepared {
  const reason = params.oneOf('cancellation_reason', ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']);
  const expand = params.expand('latest_charge');
  return onIntent(id, (intent, at) => {
    const canceled = cancelIntent(intent, reason, at);
    if (canceled.kind === 'unexpected-state') return outcome(unexpectedState(canceled.message, intent), null);
    return outcome(ok(renderIntent(canceled.intent, expand)), changeOf(api, intent, canceled.intent));
  });
}

/** What a confirmation brings, in a call of its own or with the creation. */
export interface Confirmation {
  paymentMethod: string | null;
  offSession: boolean;
  errorOnAction: boolean;
  returnUrl: string | null;
}

function readConfirmation(params: Params): Confirmation {
  params.oneOf('confirmation_method', ['automatic']);
  return {
    paymentMethod: params.text('payment_method'),
    offSession: params.flag('off_session'),
    errorOnAction: params.flag('error_on_requires_action'),
    returnUrl: params.text('return_url'),
  };
}

/** One attempt to pay an intent with what was given. */
export function attemptOf(
  api: PaymentApi,
  given: Confirmation,
  about: { intentId: string; chargeId: string; refused: boolean; at: number },
): Attempt {
  const { intentId, ...attempt } = about;
  return {
    ...given,
    ...attempt,
    challengeUrl: api.challengeUrl(clientSecretOf(intentId)),
    times: api.faults.bankTimes(),
  };
}

function onIntent(
  id: string,
  decide: (intent: Intent, at: number, faults: FaultPlan) => Decision,
  readFirst = true,
): Prepared {
  return {
    kind: 'ready',
    intentId: intentIdOf(id),
    readFirst,
    decide: ({ intent, at }: Seen, faults) =>
      intent === null ? { kind: 'invalid', answer: noSuchIntent(id) } : decide(intent, at, faults),
  };
}

export function confirmedDecision(
  confirmed: Confirmed,
  before: Intent,
  expand: ReadonlySet<string>,
  faults: Pick<FaultPlan, 'refused' | 'error500' | 'happened'>,
  changeTo: (next: Intent) => Change,
): Decision {
  switch (confirmed.kind) {
    case 'unexpected-state':
      return outcome(unexpectedState(confirmed.message, before), null);
    case 'moved':
      return outcome(ok(renderIntent(confirmed.intent, expand)), changeTo(confirmed.intent));
    case 'declined': {
      if (faults.refused && faults.error500 !== 'before') faults.happened('refused');
      const answer = failure(402, { ...confirmed.error, payment_intent: renderIntent(confirmed.intent) });
      return outcome(answer, changeTo(confirmed.intent));
    }
  }
}

export function unexpectedState(message: string, intent: Intent): StripeAnswer {
  return invalidRequest(message, { code: 'payment_intent_unexpected_state', payment_intent: renderIntent(intent) });
}

async function retrieve(api: PaymentApi, params: Params, id: string): Promise<StripeAnswer> {
  const expand = params.expand('latest_charge');
  params.ignore('client_secret');
  const fault = params.fault();
  if (fault) return fault;
  const { rows } = await api.pool.query<Intent>({ ...READ, values: [intentIdOf(id)] });
  return rows[0] ? ok(renderIntent(rows[0], expand)) : noSuchIntent(id);
}

/** Newest first. */
async function list(api: PaymentApi, params: Params): Promise<StripeAnswer> {
  const limit = params.integer('limit', 1, LIST_MAX) ?? LIST_DEFAULT;
  const after = params.text('starting_after');
  const expand = params.expand('data.latest_charge');
  const fault = params.fault();
  if (fault) return fault;
  const { pool } = api;
  if (after !== null && (await pool.query({ ...READ, values: [intentIdOf(after)] })).rowCount === 0) {
    return noSuchIntent(after, 'starting_after');
  }
  const { rows } = await pool.query<Intent>({ ...LIST, values: [after, limit + 1] });
  const expandEach = new Set(expand.size > 0 ? ['latest_charge'] : []);
  return ok(listOf('/v1/payment_intents', rows, limit, (intent) => renderIntent(intent, expandEach)));
}

/** @param rows one more than `limit` when there are more */
export function listOf<T>(url: string, rows: T[], limit: number, render: (row: T) => object): object {
  return { object: 'list', url, has_more: rows.length > limit, data: rows.slice(0, limit).map(render) };
}

export function outcome(answer: StripeAnswer, change: Change | null): Decision {
  return { kind: 'outcome', answer, change };
}

function invalid(answer: StripeAnswer): Prepared {
  return { kind: 'invalid', answer };
}

export function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString('hex')}`;
}
