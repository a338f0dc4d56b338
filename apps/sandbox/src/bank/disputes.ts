import { randomBytes } from 'node:crypto';
import { statement } from '@holdfast/postgres';
import type { FastifyInstance } from 'fastify';
import { changeByBank, type PaymentApi, reading, type WithId } from '../api/payment-api.ts';
import { guarded } from '../api/provider-idempotency.ts';
import { invalidRequest, noSuch, ok, type StripeAnswer } from '../api/stripe-answer.ts';
import type { Params } from '../api/stripe-params.ts';
import { INTENT_COLUMNS, type Intent } from '../cards/payment-intent.ts';
import { intentIdOf, listOf, noSuchIntent, outcome, unexpectedState } from '../cards/payment-intents.ts';
import { renderIntent } from '../cards/render-intent.ts';
import { TARGET_INTENT } from '../cards/write-intent.ts';

/** Disputes: the bank takes a payment back, and gives it again when the shop wins. Guarded by the intent's version. */

interface Dispute {
  disputeId: string;
  intentId: string;
  chargeId: string;
  amount: number;
  currency: string;
  reason: string;
  status: 'needs_response' | 'won' | 'lost';
  /** Unix seconds. */
  createdAt: number;
}

const DISPUTE_ID = /^du_([0-9a-f]{24})[0-9a-f]{8}$/;
const LIST_MAX = 100;
const LIST_DEFAULT = 10;

const OPEN = guarded(
  'sandbox.open-dispute',
  TARGET_INTENT,
  `changed as (
    update payment_intents i set version = i.version + 1, disputed = true, due = null, due_at = null
      from mine where i.intent_id = mine.intent_id
    returning i.intent_id, i.charge_id, i.currency, i.metadata
  ),
  opened as (
    insert into disputes (intent_id, dispute_id, charge_id, amount, currency, reason, status, created_at)
    select intent_id, $10::text, charge_id, $11::bigint, currency, $12::text, 'needs_response', to_timestamp($13::float8)
      from changed
  ),
  entered as (
    insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
    select intent_id, $10::text, 'disputed', $11::bigint, currency, metadata->>'order_id', metadata->>'tenant_id'
      from changed
  )`,
  'select count(*) = 1 from changed',
);

const CLOSE = guarded(
  'sandbox.close-dispute',
  `select i.intent_id from payment_intents i join disputes d on d.intent_id = i.intent_id, free
    where free.yes and i.intent_id = $8::text and i.version = $9::int and d.dispute_id = $10::text
      and d.status = 'needs_response' for update of i`,
  `closed as (
    update disputes d set status = $11::text from mine
     where d.intent_id = mine.intent_id and d.dispute_id = $10::text
    returning d.intent_id, d.dispute_id, d.amount, d.currency, d.status
  ),
  changed as (
    update payment_intents i set version = i.version + 1, disputed = closed.status <> 'won' from closed
     where i.intent_id = closed.intent_id
    returning i.intent_id, i.metadata, closed.dispute_id, closed.amount, closed.currency, closed.status
  ),
  entered as (
    insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
    select intent_id, dispute_id, 'dispute_won', amount, currency, metadata->>'order_id', metadata->>'tenant_id'
      from changed where status = 'won'
  )`,
  'select count(*) = 1 from changed',
);

const COLUMNS = `
  d.dispute_id as "disputeId", d.intent_id as "intentId", d.charge_id as "chargeId", d.amount, d.currency, d.reason,
  d.status, extract(epoch from d.created_at)::bigint as "createdAt"`;
const READ = statement(
  'sandbox.read-dispute',
  `select ${COLUMNS} from disputes d where d.intent_id = $1::text and d.dispute_id = $2::text`,
);
const LIST = statement(
  'sandbox.list-disputes',
  `select ${COLUMNS}, row_to_json(intent) as intent
     from (select * from disputes d
            where ($1::text is null or d.intent_id = $1::text)
              and ($2::text is null
                   or d.seq < (select c.seq from disputes c where c.intent_id = $3::text and c.dispute_id = $2::text))
            order by d.seq desc limit $4::int) d
    cross join lateral (select ${INTENT_COLUMNS} from payment_intents i where i.intent_id = d.intent_id) intent
    order by d.seq desc`,
);

/** `GET /v1/disputes`, `GET /v1/disputes/{id}`. */
export function disputeRoutes(scope: FastifyInstance, api: PaymentApi): void {
  scope.get(
    '/disputes',
    reading((params) => list(api, params)),
  );
  scope.get<WithId>(
    '/disputes/:id',
    reading(async (params, id) => {
      params.expand();
      const fault = params.fault();
      if (fault) return fault;
      const found = await read(api, id);
      return found === undefined ? noSuch('dispute', id, 'id') : ok(renderDispute(found));
    }),
  );
}

/** The disputes of one intent, or all there are, newest first. */
async function list(api: PaymentApi, params: Params): Promise<StripeAnswer> {
  const paymentIntent = params.text('payment_intent');
  const limit = params.integer('limit', 1, LIST_MAX) ?? LIST_DEFAULT;
  const after = params.text('starting_after');
  const withIntents = params.expand('data.payment_intent').size > 0;
  const fault = params.fault();
  if (fault) return fault;
  const before = after === null ? undefined : await read(api, after);
  if (after !== null && before === undefined) return noSuch('dispute', after, 'starting_after');
  const { rows } = await api.pool.query<Dispute & { intent: Intent }>({
    ...LIST,
    values: [paymentIntent === null ? null : intentIdOf(paymentIntent), after, before?.intentId ?? null, limit + 1],
  });
  const render = (row: Dispute & { intent: Intent }) => ({
    ...renderDispute(row),
    ...(withIntents && { payment_intent: renderIntent(row.intent) }),
  });
  return ok(listOf('/v1/disputes', rows, limit, render));
}

async function read(api: PaymentApi, id: string): Promise<Dispute | undefined> {
  const [disputeId = null, core = ''] = DISPUTE_ID.exec(id) ?? [];
  const { rows } = await api.pool.query<Dispute>({ ...READ, values: [`pi_${core}`, disputeId] });
  return rows[0];
}

/** The customer takes back what was captured and not refunded. */
export function openDispute(api: PaymentApi, paymentIntent: string, reason: string): Promise<StripeAnswer> {
  const suffix = randomBytes(4).toString('hex');
  return changeByBank(api, intentIdOf(paymentIntent), ({ intent, at }) => {
    if (intent === null) return { kind: 'invalid', answer: noSuchIntent(paymentIntent) };
    const { intentId, chargeId, currency } = intent;
    const amount = intent.amountReceived - intent.amountRefunded;
    if (chargeId === null || amount === 0 || intent.disputed) {
      return outcome(unexpectedState('This PaymentIntent has nothing that could be disputed.', intent), null);
    }
    const disputeId = `du_${intentId.slice('pi_'.length)}${suffix}`;
    const opened: Dispute = {
      disputeId,
      intentId,
      chargeId,
      amount,
      currency,
      reason,
      status: 'needs_response',
      createdAt: at,
    };
    return outcome(ok(renderDispute(opened)), {
      statement: OPEN,
      events: api.webhooks.draw('charge.dispute.created', intentId, renderDispute(opened)),
      values: [intentId, intent.version, disputeId, amount, reason, at],
    });
  });
}

export async function closeDispute(api: PaymentApi, id: string, status: 'won' | 'lost'): Promise<StripeAnswer> {
  const found = await read(api, id);
  if (found === undefined) return noSuch('dispute', id, 'dispute');
  if (found.status !== 'needs_response') return invalidRequest('This dispute is closed.', { param: 'dispute' });
  const closed: Dispute = { ...found, status };
  return await changeByBank(api, found.intentId, ({ intent }) => {
    if (intent === null) return { kind: 'invalid', answer: noSuchIntent(found.intentId) };
    return outcome(ok(renderDispute(closed)), {
      statement: CLOSE,
      events: api.webhooks.draw('charge.dispute.closed', found.intentId, renderDispute(closed)),
      values: [found.intentId, intent.version, id, status],
    });
  });
}

/** In Stripe's shape. */
function renderDispute(dispute: Dispute): object {
  return {
    id: dispute.disputeId,
    object: 'dispute',
    amount: dispute.amount,
    balance_transactions: [],
    charge: dispute.chargeId,
    created: dispute.createdAt,
    currency: dispute.currency,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: dispute.intentId,
    reason: dispute.reason,
    status: dispute.status,
  };
}
