import { randomBytes } from 'node:crypto';
import { statement } from '@holdfast/postgres';
import type { FastifyInstance } from 'fastify';
import { changing, type PaymentApi, type Prepared, reading, type WithId } from './payment-api.ts';
import { INTENT_COLUMNS, type Intent, renderIntent } from './payment-intent.ts';
import { intentIdOf, listOf, noSuchIntent, TARGET_INTENT } from './payment-intents.ts';
import { type Decision, guarded } from './provider-idempotency.ts';
import { invalidRequest, noSuch, ok, type StripeAnswer } from './stripe-answer.ts';
import type { Params } from './stripe-params.ts';

/**
 * Refunds. Decided on the intent in one version and written only while it is in that version, so that refunds of one
 * charge that arrive together cannot give back more than was captured; the table's own check stands behind it.
 */

/** Amounts in minor units; `createdAt` in Unix seconds. */
interface Refund {
  refundId: string;
  intentId: string;
  chargeId: string;
  amount: number;
  currency: string;
  reason: string | null;
  metadata: Record<string, string>;
  createdAt: number;
}

const AMOUNT_MAX = 99_999_999;
const LIST_MAX = 100;
const LIST_DEFAULT = 10;
// A refund's id holds its intent's, as an address holds its town: it is found by the table's distribution column.
const REFUND_ID = /^re_([0-9a-f]{24})[0-9a-f]{8}$/;

const CREATE = guarded(
  'sandbox.create-refund',
  TARGET_INTENT,
  `changed as (
    update payment_intents i
       set version = i.version + 1, amount_refunded = i.amount_refunded + $9::bigint
      from mine where i.intent_id = mine.intent_id
    returning i.intent_id, i.charge_id, i.currency, i.metadata
  ),
  refunded as (
    insert into refunds (intent_id, refund_id, charge_id, amount, currency, reason, metadata, created_at)
    select intent_id, $10::text, charge_id, $9::bigint, currency, $11::text, $12::jsonb, to_timestamp($13::float8)
      from changed
  ),
  entered as (
    insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
    select intent_id, $10::text, 'refunded', $9::bigint, currency, metadata->>'order_id', metadata->>'tenant_id'
      from changed
  )`,
  'select count(*) = 1 from changed',
);

const COLUMNS = `
  r.refund_id as "refundId", r.intent_id as "intentId", r.charge_id as "chargeId", r.amount, r.currency, r.reason,
  r.metadata, extract(epoch from r.created_at)::bigint as "createdAt"`;
const READ = statement(
  'sandbox.read-refund',
  `select ${COLUMNS} from refunds r where r.intent_id = $1::text and r.refund_id = $2::text`,
);
const LIST = statement(
  'sandbox.list-refunds',
  `select ${COLUMNS} from refunds r
    where r.intent_id = $1::text
      and ($2::text is null
           or r.seq < (select c.seq from refunds c where c.intent_id = $1::text and c.refund_id = $2::text))
    order by r.seq desc limit $3::int`,
);

const LIST_ALL = statement(
  'sandbox.list-all-refunds',
  `select ${COLUMNS}, row_to_json(intent) as intent
     from (select * from refunds r
            where $1::text is null
               or r.seq < (select c.seq from refunds c where c.intent_id = $1::text and c.refund_id = $2::text)
            order by r.seq desc limit $3::int) r
    cross join lateral (select ${INTENT_COLUMNS} from payment_intents i where i.intent_id = r.intent_id) intent
    order by r.seq desc`,
);

export function refundRoutes(scope: FastifyInstance, api: PaymentApi): void {
  scope.post('/refunds', changing(api, prepareRefund));
  scope.get(
    '/refunds',
    reading((params) => list(api, params)),
  );
  scope.get<WithId>(
    '/refunds/:id',
    reading((params, id) => retrieve(api, params, id)),
  );
}

function prepareRefund(params: Params): Prepared {
  const paymentIntent = params.requiredText('payment_intent');
  const amount = params.integer('amount', 1, AMOUNT_MAX);
  const reason = params.oneOf('reason', ['duplicate', 'fraudulent', 'requested_by_customer']);
  const metadata = params.metadata();
  params.expand();
  const suffix = randomBytes(4).toString('hex');
  return {
    kind: 'ready',
    intentId: intentIdOf(paymentIntent),
    readFirst: true,
    decide: ({ intent, at }) => {
      if (intent === null) return { kind: 'invalid', answer: noSuchIntent(paymentIntent, 'payment_intent') };
      const refundId = `re_${intent.intentId.slice('pi_'.length)}${suffix}`;
      return refund(intent, amount, { refundId, reason, metadata, createdAt: at });
    },
  };
}

function refund(
  intent: Intent,
  wanted: number | null,
  given: Pick<Refund, 'refundId' | 'reason' | 'metadata' | 'createdAt'>,
): Decision {
  const refused = (answer: StripeAnswer): Decision => ({ kind: 'outcome', answer, change: null });
  const { intentId, chargeId, currency } = intent;
  if (intent.status !== 'succeeded' || chargeId === null) {
    const message = `This PaymentIntent (${intentId}) does not have a successful charge to refund.`;
    return refused(invalidRequest(message, { param: 'payment_intent' }));
  }
  const left = intent.amountReceived - intent.amountRefunded;
  if (left === 0) {
    const message = `Charge ${chargeId} has already been refunded.`;
    return refused(invalidRequest(message, { code: 'charge_already_refunded' }));
  }
  const amount = wanted ?? left;
  if (amount > left) {
    const message =
      `Refund amount (${amount} ${currency}, in minor units) is greater than unrefunded amount on charge ` +
      `(${left} ${currency}).`;
    return refused(invalidRequest(message, { param: 'amount' }));
  }
  const made: Refund = { ...given, intentId, chargeId, amount, currency };
  return {
    kind: 'outcome',
    answer: ok(renderRefund(made)),
    change: {
      statement: CREATE,
      values: [
        intentId,
        intent.version,
        amount,
        made.refundId,
        made.reason,
        JSON.stringify(made.metadata),
        made.createdAt,
      ],
    },
  };
}

async function retrieve(api: PaymentApi, params: Params, id: string): Promise<StripeAnswer> {
  params.expand();
  const fault = params.fault();
  if (fault) return fault;
  const [refundId = null, core = ''] = REFUND_ID.exec(id) ?? [];
  const { rows } = await api.pool.query<Refund>({ ...READ, values: [`pi_${core}`, refundId] });
  return rows[0] ? ok(renderRefund(rows[0])) : noSuch('refund', id, 'id');
}

/** The refunds of one intent, or all there are, newest first. */
async function list(api: PaymentApi, params: Params): Promise<StripeAnswer> {
  const paymentIntent = params.text('payment_intent');
  const limit = params.integer('limit', 1, LIST_MAX) ?? LIST_DEFAULT;
  const after = params.text('starting_after');
  const expand = params.expand('data.payment_intent');
  const fault = params.fault();
  if (fault) return fault;
  if (paymentIntent === null) return await listAll(api, { limit, after, withIntents: expand.size > 0 });
  const intentId = intentIdOf(paymentIntent);
  if (after !== null && (await api.pool.query({ ...READ, values: [intentId, after] })).rowCount === 0) {
    return noSuch('refund', after, 'starting_after');
  }
  const { rows } = await api.pool.query<Refund>({ ...LIST, values: [intentId, after, limit + 1] });
  return ok(listOf('/v1/refunds', rows, limit, renderRefund));
}

interface AllRefunds {
  limit: number;
  after: string | null;
  withIntents: boolean;
}

async function listAll({ pool }: PaymentApi, { limit, after, withIntents }: AllRefunds): Promise<StripeAnswer> {
  const [, core = ''] = REFUND_ID.exec(after ?? '') ?? [];
  const before = after === null ? [] : (await pool.query<Refund>({ ...READ, values: [`pi_${core}`, after] })).rows;
  if (after !== null && before.length === 0) return noSuch('refund', after, 'starting_after');
  const { rows } = await pool.query<Refund & { intent: Intent }>({
    ...LIST_ALL,
    values: [after === null ? null : `pi_${core}`, after, limit + 1],
  });
  const render = (row: Refund & { intent: Intent }) => ({
    ...renderRefund(row),
    ...(withIntents && { payment_intent: renderIntent(row.intent) }),
  });
  return ok(listOf('/v1/refunds', rows, limit, render));
}

/** In Stripe's shape. */
function renderRefund(made: Refund): object {
  return {
    id: made.refundId,
    object: 'refund',
    amount: made.amount,
    balance_transaction: null,
    charge: made.chargeId,
    created: made.createdAt,
    currency: made.currency,
    metadata: made.metadata,
    payment_intent: made.intentId,
    reason: made.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  };
}
