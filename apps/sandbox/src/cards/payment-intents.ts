import { randomBytes } from 'node:crypto';
import { statement } from '@holdfast/postgres';
import type { FastifyInstance } from 'fastify';
import type { FaultPlan } from '../faults.ts';
import { changing, type PaymentApi, type Prepared, reading, type WithId } from './payment-api.ts';
import {
  type Confirmed,
  cancelIntent,
  confirmIntent,
  INTENT_COLUMNS,
  type Intent,
  paymentMethodFault,
  renderIntent,
} from './payment-intent.ts';
import { type Change, type Decision, guarded, type Seen } from './provider-idempotency.ts';
import { failure, invalidRequest, noSuch, ok, type StripeAnswer } from './stripe-answer.ts';
import type { Params } from './stripe-params.ts';

/**
 * Payment intents over HTTP and in the database.
 *
 * - K1 A captured amount and its ledger entry are written in the statement that changes the intent (see `guarded`).
 * - K2 A change is guarded by the intent's version: of two that were decided on the same state, one is decided again.
 */

const INTENT_ID = /^pi_[0-9a-f]{24}$/;
const AMOUNT_MAX = 99_999_999;
const LIST_MAX = 100;
const LIST_DEFAULT = 10;

// Written beside the change of state, never later: what was captured and what is in the ledger cannot differ.
const CAPTURED = `
  captured as (
    insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
    select intent_id, charge_id, 'captured', amount_received, currency, metadata->>'order_id', metadata->>'tenant_id'
      from changed where status = 'succeeded'
  )`;

const CREATE = guarded(
  'sandbox.create-intent',
  'select 1 as one from free where free.yes',
  `changed as (
    insert into payment_intents
      (intent_id, version, amount, currency, status, payment_method, charge_id, amount_received, amount_refunded,
       last_payment_error, metadata, description, cancellation_reason, canceled_at, created_at)
    select $7::text, $8::int, $9::bigint, $10::text, $11::text, $12::text, $13::text, $14::bigint, 0,
           $15::jsonb, $16::jsonb, $17::text, null, null, to_timestamp($18::float8)
      from mine
    returning intent_id, charge_id, amount_received, currency, metadata, status
  ),${CAPTURED}`,
  'select count(*) = 1 from changed',
);

/** Locks the intent in the version that a change was decided on; $7 and $8. */
export const TARGET_INTENT = `
  select i.intent_id from payment_intents i, free
   where free.yes and i.intent_id = $7::text and i.version = $8::int for update of i`;

const CHANGE = guarded(
  'sandbox.change-intent',
  TARGET_INTENT,
  `changed as (
    update payment_intents i
       set version = i.version + 1, status = $9::text, payment_method = $10::text, charge_id = $11::text,
           amount_received = $12::bigint, last_payment_error = $13::jsonb, cancellation_reason = $14::text,
           canceled_at = to_timestamp($15::float8)
      from mine where i.intent_id = mine.intent_id
    returning i.intent_id, i.charge_id, i.amount_received, i.currency, i.metadata, i.status
  ),${CAPTURED}`,
  'select count(*) = 1 from changed',
);

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
  scope.post('/payment_intents', changing(api, prepareCreate));
  scope.get(
    '/payment_intents',
    reading((params) => list(api, params)),
  );
  scope.get<WithId>(
    '/payment_intents/:id',
    reading((params, id) => retrieve(api, params, id)),
  );
  scope.post<WithId>('/payment_intents/:id/confirm', changing(api, prepareConfirm));
  scope.post<WithId>('/payment_intents/:id/cancel', changing(api, prepareCancel));
}

function prepareCreate(params: Params): Prepared {
  const amount = params.requiredInteger('amount', 1, AMOUNT_MAX);
  const currency = params.requiredCurrency('currency');
  const paymentMethod = params.text('payment_method');
  const confirm = params.flag('confirm');
  const metadata = params.metadata();
  const description = params.text('description');
  const expand = params.expand('latest_charge');
  // Either name: integrations send the one that their API version has.
  for (const name of ['payment_method_types', 'allowed_payment_method_types']) params.listOf(name, ['card']);
  readCommonParams(params);
  const fault = paymentMethodFault(paymentMethod);
  if (fault) return invalid(fault);
  if (confirm && paymentMethod === null) {
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
        status: paymentMethod === null ? 'requires_payment_method' : 'requires_confirmation',
        paymentMethod,
        chargeId: null,
        amountReceived: 0,
        amountRefunded: 0,
        lastPaymentError: null,
        metadata,
        description,
        cancellationReason: null,
        canceledAt: null,
        createdAt: at,
      };
      if (!confirm) return outcome(ok(renderIntent(created, expand)), createOf(created));
      const confirmed = confirmIntent(created, { paymentMethod, chargeId, refused: faults.refused });
      return confirmedDecision(confirmed, created, expand, faults, createOf);
    },
  };
}

function prepareConfirm(params: Params, id: string): Prepared {
  const paymentMethod = params.text('payment_method');
  const expand = params.expand('latest_charge');
  readCommonParams(params);
  const fault = paymentMethodFault(paymentMethod);
  if (fault) return invalid(fault);
  const chargeId = newId('ch_');
  const confirm = (intent: Intent, _at: number, faults: FaultPlan) => {
    const confirmed = confirmIntent(intent, { paymentMethod, chargeId, refused: faults.refused });
    return confirmedDecision(confirmed, intent, expand, faults, (next) => changeOf(intent, next));
  };
  return onIntent(id, confirm, false);
}

function prepareCancel(params: Params, id: string): Prepared {
  const reason = params.oneOf('cancellation_reason', ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']);
  const expand = params.expand('latest_charge');
  return onIntent(id, (intent, at) => {
    const canceled = cancelIntent(intent, reason, at);
    if (canceled.kind === 'unexpected-state') return outcome(unexpectedState(canceled.message, intent), null);
    return outcome(ok(renderIntent(canceled.intent, expand)), changeOf(intent, canceled.intent));
  });
}

/** Parameters that integrations send and that say what is always so here. */
function readCommonParams(params: Params): void {
  params.oneOf('capture_method', ['automatic', 'automatic_async']);
  params.oneOf('confirmation_method', ['automatic']);
  params.ignore(
    'automatic_payment_methods[enabled]',
    'automatic_payment_methods[allow_redirects]',
    'error_on_requires_action',
    'off_session',
    'return_url',
  );
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

function confirmedDecision(
  confirmed: Confirmed,
  before: Intent,
  expand: ReadonlySet<string>,
  faults: FaultPlan,
  changeTo: (next: Intent) => Change,
): Decision {
  switch (confirmed.kind) {
    case 'unexpected-state':
      return outcome(unexpectedState(confirmed.message, before), null);
    case 'captured':
      return outcome(ok(renderIntent(confirmed.intent, expand)), changeTo(confirmed.intent));
    case 'declined': {
      if (faults.refused && faults.error500 !== 'before') faults.happened('refused');
      const answer = failure(402, { ...confirmed.error, payment_intent: renderIntent(confirmed.intent) });
      return outcome(answer, changeTo(confirmed.intent));
    }
  }
}

function unexpectedState(message: string, intent: Intent): StripeAnswer {
  return invalidRequest(message, { code: 'payment_intent_unexpected_state', payment_intent: renderIntent(intent) });
}

function createOf(intent: Intent): Change {
  const { lastPaymentError, metadata } = intent;
  return {
    statement: CREATE,
    made: intent,
    values: [
      intent.intentId,
      intent.version,
      intent.amount,
      intent.currency,
      intent.status,
      intent.paymentMethod,
      intent.chargeId,
      intent.amountReceived,
      lastPaymentError && JSON.stringify(lastPaymentError),
      JSON.stringify(metadata),
      intent.description,
      intent.createdAt,
    ],
  };
}

function changeOf(before: Intent, next: Intent): Change {
  return {
    statement: CHANGE,
    values: [
      before.intentId,
      before.version,
      next.status,
      next.paymentMethod,
      next.chargeId,
      next.amountReceived,
      next.lastPaymentError && JSON.stringify(next.lastPaymentError),
      next.cancellationReason,
      next.canceledAt,
    ],
  };
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

function outcome(answer: StripeAnswer, change: Change | null): Decision {
  return { kind: 'outcome', answer, change };
}

function invalid(answer: StripeAnswer): Prepared {
  return { kind: 'invalid', answer };
}

function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString('hex')}`;
}
