import { randomBytes } from 'node:crypto';
import { statement } from '@holdfast/postgres';
import type { FastifyInstance } from 'fastify';
import { changeByBank, changing, type PaymentApi, type Prepared, reading, type WithId } from '../api/payment-api.ts';
import { type Decision, guarded } from '../api/provider-idempotency.ts';
import { invalidRequest, noSuch, ok, type StripeAnswer } from '../api/stripe-answer.ts';
import type { Params } from '../api/stripe-params.ts';
import { INTENT_COLUMNS, type Intent } from './payment-intent.ts';
import { intentIdOf, listOf, noSuchIntent } from './payment-intents.ts';
import { bankOf, REFUND_COLUMNS, type Refund, renderRefund, settledRefund } from './refund.ts';
import { renderIntent } from './render-intent.ts';
import { TARGET_INTENT } from './write-intent.ts';

/**
 * Refunds. Decided on the intent in one version and written only while it is in that version, so that refunds of one
 * charge that arrive together cannot give back more than was captured; the table's own check stands behind it.
 */

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
       set version = i.version + 1, amount_refunded = i.amount_refunded + $10::bigint
      from mine where i.intent_id = mine.intent_id
    returning i.intent_id, i.charge_id, i.currency, i.metadata
  ),
  refunded as (
    insert into refunds (intent_id, refund_id, charge_id, amount, currency, reason, metadata, created_at, status, due,
                         due_at)
    select intent_id, $11::text, charge_id, $10::bigint, currency, $12::text, $13::jsonb, to_timestamp($14::float8),
           $15::text, $16::text, to_timestamp($17::float8)
      from changed
  ),
  entered as (
    insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
    select intent_id, $11::text, 'refunded', $10::bigint, currency, metadata->>'order_id', metadata->>'tenant_id'
      from changed where $15::text = 'succeeded'
  )`,
  'select count(*) = 1 from changed',
);

/** What the bank says later of a refund. What fails is not refunded any more, and can be refunded again. */
const SETTLE = guarded(
  'sandbox.settle-refund',
  `select i.intent_id from payment_intents i join refunds r on r.intent_id = i.intent_id, free
    where free.yes and i.intent_id = $8::text and i.version = $9::int and r.refund_id = $10::text
      and r.status = $11::text for update of i`,
  `settled as (
    update refunds r
       set status = $12::text, failure_reason = $13::text, due = null, due_at = null
      from mine where r.intent_id = mine.intent_id and r.refund_id = $10::text
    returning r.intent_id, r.refund_id, r.amount, r.currency
  ),
  changed as (
    update payment_intents i
       set version = i.version + 1,
           amount_refunded = i.amount_refunded - case when $12::text = 'failed' then settled.amount else 0 end
      from settled where i.intent_id = settled.intent_id
    returning i.intent_id, i.metadata, settled.refund_id, settled.amount, settled.currency
  ),
  entered as (
    insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
    select intent_id, refund_id, case when $12::text = 'succeeded' then 'refunded' else 'refund_failed' end, amount,
           currency, metadata->>'order_id', metadata->>'tenant_id'
      from changed where $12::text = 'succeeded' or $11::text = 'succeeded'
  )`,
  'select count(*) = 1 from changed',
);

const READ = statement(
  'sandbox.read-refund',
  `select ${REFUND_COLUMNS} from refunds r where r.intent_id = $1::text and r.refund_id = $2::text`,
);
const LIST = statement(
  'sandbox.list-refunds',
  `select ${REFUND_COLUMNS}, row_to_json(intent) as intent
     from (select * from refunds r
            where r.intent_id = $1::text
              and ($2::text is null
                   or r.seq < (select c.seq from refunds c where c.intent_id = $1::text and c.refund_id = $2::text))
            order by r.seq desc limit $3::int) r
    cross join lateral (select ${INTENT_COLUMNS} from payment_intents i where i.intent_id = r.intent_id) intent
    order by r.seq desc`,
);

const LIST_ALL = statement(
  'sandbox.list-all-refunds',
  `select ${REFUND_COLUMNS}, row_to_json(intent) as intent
     from (select * from refunds r
            where $1::text is null
               or r.seq < (select c.seq from refunds c where c.intent_id = $1::text and c.refund_id = $2::text)
            order by r.seq desc limit $3::int) r
    cross join lateral (select ${INTENT_COLUMNS} from payment_intents i where i.intent_id = r.intent_id) intent
    order by r.seq desc`,
);

export function refundRoutes(scope: FastifyInstance, api: PaymentApi): void {
  scope.post(
    '/refunds',
    changing(api, (params) => prepareRefund(api, params)),
  );
  scope.get(
    '/refunds',
    reading((params) => list(api, params)),
  );
  scope.get<WithId>(
    '/refunds/:id',
    reading((params, id) => retrieve(api, params, id)),
  );
}

function prepareRefund(api: PaymentApi, params: Params): Prepared {
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
      return refund(api, intent, amount, { refundId, reason, metadata, createdAt: at });
    },
  };
}

function refund(
  api: PaymentApi,
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
  if (intent.disputed) {
    const message = `Charge ${chargeId} has been charged back; cannot issue a refund.`;
    return refused(invalidRequest(message, { code: 'charge_disputed' }));
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
  const bank = bankOf(intent, api.faults.bankTimes(), given.createdAt);
  const made: Refund = {
    ...given,
    ...bank,
    intentId,
    chargeId,
    amount,
    currency,
    failureReason: null,
    isUncaptured: false,
  };
  return {
    kind: 'outcome',
    answer: ok(renderRefund(made)),
    change: {
      statement: CREATE,
      events: api.webhooks.draw('refund.created', intentId, renderRefund(made)),
      values: [
        intentId,
        intent.version,
        amount,
        made.refundId,
        made.reason,
        JSON.stringify(made.metadata),
        made.createdAt,
        made.status,
        made.due,
        made.dueAt,
      ],
    },
  };
}

/** What the bank says later. @returns undefined where there is no such refund, or nothing to decide any more */
export async function settleRefund(api: PaymentApi, id: string, succeeds: boolean): Promise<StripeAnswer | undefined> {
  const before = await readRefund(api, id);
  const settled = before && settledRefund(before, succeeds);
  if (before === undefined || settled === undefined) return undefined;
  const { intentId } = before;
  return await changeByBank(api, intentId, ({ intent }) => {
    if (intent === null) return { kind: 'invalid', answer: noSuchIntent(intentId) };
    return {
      kind: 'outcome',
      answer: ok(renderRefund(settled)),
      change: {
        statement: SETTLE,
        events: api.webhooks.draw(succeeds ? 'refund.updated' : 'refund.failed', intentId, renderRefund(settled)),
        values: [intentId, intent.version, id, before.status, settled.status, settled.failureReason],
      },
    };
  });
}

async function readRefund(api: PaymentApi, id: string): Promise<Refund | undefined> {
  const [refundId = null, core = ''] = REFUND_ID.exec(id) ?? [];
  const { rows } = await api.pool.query<Refund>({ ...READ, values: [`pi_${core}`, refundId] });
  return rows[0];
}

async function retrieve(api: PaymentApi, params: Params, id: string): Promise<StripeAnswer> {
  params.expand();
  const fault = params.fault();
  if (fault) return fault;
  const found = await readRefund(api, id);
  return found === undefined ? noSuch('refund', id, 'id') : ok(renderRefund(found));
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
  const { rows } = await api.pool.query<Listed>({ ...LIST, values: [intentId, after, limit + 1] });
  return ok(listOf('/v1/refunds', rows, limit, renderWith(expand.size > 0)));
}

type Listed = Refund & { intent: Intent };

const renderWith = (withIntents: boolean) => (row: Listed) => ({
  ...renderRefund(row),
  ...(withIntents && { payment_intent: renderIntent(row.intent) }),
});

interface AllRefunds {
  limit: number;
  after: string | null;
  withIntents: boolean;
}

async function listAll({ pool }: PaymentApi, { limit, after, withIntents }: AllRefunds): Promise<StripeAnswer> {
  const [, core = ''] = REFUND_ID.exec(after ?? '') ?? [];
  const before = after === null ? [] : (await pool.query<Refund>({ ...READ, values: [`pi_${core}`, after] })).rows;
  if (after !== null && before.length === 0) return noSuch('refund', after, 'starting_after');
  const { rows } = await pool.query<Listed>({
    ...LIST_ALL,
    values: [after === null ? null : `pi_${core}`, after, limit + 1],
  });
  return ok(listOf('/v1/refunds', rows, limit, renderWith(withIntents)));
}
