/*
 * The orders in Postgres.
 *
 * S1  A key, its order and the order's saga are ONE statement (many orders at once, each whole or not at all): once it has
 *     committed, the saga runs to its end without the client.
 * K1  The first answer is stored before anyone hears it: in that statement, or in the saga's terminal checkpoint, or
 *     (a caller that stopped waiting first) by settleKey(). It is written once and replayed byte for byte (K2).
 * K2  The order's id is derived from tenant and key, and its claim has it as its key: one operation per key.
 */

import { type Fingerprint, newClaimsSql, settleClaimsSql } from '@holdfast/idempotency';
import { newEventsSql } from '@holdfast/messaging';
import { type Query, type Statement, statement } from '@holdfast/postgres';
import {
  type CommitHook,
  type Failure,
  flushStatements,
  type Inserted,
  type SagaRow,
  type SagaState,
  type StoredWait,
  startSagaSql,
} from '@holdfast/saga';
import { findStoredKeys, PLACE_ORDER, type StoredKey } from '../keys/key-store.ts';
import { type DisputeView, disputesOfOrderSql, viewOfDispute } from '../news/dispute.ts';
import { type RefundRow, refundsOfOrderSql, viewOfRefund } from '../refunds/refund-rows.ts';
import {
  SETTLEMENT_COLUMNS,
  type SettlementRow,
  settlementOfOrderSql,
  settlementOfRow,
} from '../settlements/settlement-store.ts';
import {
  type AcceptedOrder,
  type OrderOutputs,
  type OrderRequest,
  type OrderStatus,
  type OrderView,
  viewOrder,
} from './order.ts';
import { encodeCursor, type Page } from './page.ts';

export interface NewOrder {
  id: string;
  order: AcceptedOrder;
  fingerprint: Fingerprint;
  /** The first answer, when it can be given at once; null leaves it open until the caller stops waiting. */
  answer: string | null;
  deadlineMs: number;
}

/** `ownerId`: the engine that will run it. */
export type OwnedOrder = NewOrder & { ownerId: number };

const acceptSql = (outbox: string) => `
   with r as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::smallint[], $6::text[],
                          $7::timestamptz[], $8::jsonb[], $9::bigint[], $10::integer[])
       as r (id, tenant_id, customer_id, fingerprint, fingerprint_version, answer, created_at, input, owner_id,
             deadline_ms)
   ), claimed as (${
     // Without the request's members: the order itself shows what differs from it (readRequest).
     newClaimsSql({
       tenantId: 'r.tenant_id',
       key: 'r.id',
       operation: `'${PLACE_ORDER}'`,
       fingerprint: 'r.fingerprint',
       fingerprintVersion: 'r.fingerprint_version',
       answer: `convert_to(r.answer, 'UTF8')`,
       claimedAt: 'r.created_at',
       source: 'r',
     })
   }), accepted as (
     insert into orders (id, tenant_id, customer_id, created_at)
     select id, tenant_id, customer_id, created_at from r where (id in (select key from claimed)) is true
     returning id
   ), started as (${startSagaSql({
     id: 'r.id',
     definition: `'place-order'`,
     input: 'r.input',
     ownerId: 'r.owner_id',
     deadlineMs: 'r.deadline_ms',
     changedAt: 'r.created_at',
     source: '(select * from r where (id in (select id from accepted)) is true) r',
   })})${outbox}
   -- Without the input, which is the largest part of the row and is here already.
   select id, definition, state, position, outputs, failure, epoch, revision, cancel_requested, remaining_ms, age_ms,
          changed_at from started`;

const acceptOrders = statement('orders.accept', acceptSql(''));
/** E1: an order's event is committed with it. */
const acceptOrdersAndEvents = statement(
  'orders.accept-with-outbox',
  acceptSql(
    `, outboxed as (${newEventsSql({
      tenantId: 'tenant_id',
      orderId: 'id',
      kind: `'accepted'`,
      source: 'r where (id in (select id from accepted)) is true',
    })})`,
  ),
);

/** One statement for all. A key that stands for something already is answered with what is stored under it. */
export type InsertOrders = (entries: OwnedOrder[]) => Promise<Inserted<StoredKey | undefined>[]>;

/** Orders that arrive together are one statement and one commit; each has its own outcome. */
export function createInsertOrders(db: Query, { publishesEvents }: { publishesEvents: boolean }): InsertOrders {
  const accept = publishesEvents ? acceptOrdersAndEvents : acceptOrders;
  return (entries) => insertOrders(db, accept, entries);
}

async function insertOrders(db: Query, accept: Statement, entries: OwnedOrder[]): ReturnType<InsertOrders> {
  const { rows } = await db.query<Omit<SagaRow, 'input'>>({
    ...accept,
    values: [
      entries.map(({ id }) => id),
      entries.map(({ order }) => order.tenantId),
      entries.map(({ order }) => order.customerId),
      entries.map(({ fingerprint }) => fingerprint.digest),
      entries.map(({ fingerprint }) => fingerprint.version),
      entries.map(({ answer }) => answer),
      entries.map(({ order }) => order.createdAt),
      entries.map(({ order }) => JSON.stringify(order)),
      entries.map(({ ownerId }) => ownerId),
      entries.map(({ deadlineMs }) => deadlineMs),
    ],
  });
  const started = new Map(rows.map((row) => [row.id, row]));
  // Repeated requests look their keys up together, in a statement that sees the rows of a faster request.
  const others = entries.flatMap(({ id, order: { tenantId } }) => (started.has(id) ? [] : [{ tenantId, id }]));
  const found = others.length === 0 ? undefined : await findStoredKeys(db, others);
  return entries.map(({ id, order }) => {
    const row = started.get(id);
    if (row === undefined) return { kind: 'exists', existing: found?.get(id) };
    return { kind: 'begun', row: { ...row, input: order } };
  });
}

/** What the commit hook stores: where the key's claim is, and the answer. No tenant's id has a line break. */
export function answerPayload(tenantId: string, answer: string): string {
  return `${tenantId}\n${answer}`;
}

/** The other way. */
export function answerOfPayload(payload: string): string {
  return payload.slice(payload.indexOf('\n') + 1);
}

/**
 * Commits the open answer with the terminal checkpoint, so that no caller hears of an end that is not stored. It stores the
 * bytes that it is handed, and says whose: an answer that stands already stays (K2), and its caller has to read it.
 */
export const storeAnswer: CommitHook = {
  name: 'store-answer',
  text: settleClaimsSql({
    tenantId: `split_part(w.payload, E'\\n', 1)`,
    key: 'w.id',
    answer: `convert_to(substr(w.payload, strpos(w.payload, E'\\n') + 1), 'UTF8')`,
    source: 'written w',
    returning: 'id',
  }),
  returnsStored: true,
};

/** E1: the end of an order is committed with its event. A flush that is sent twice inserts it once. */
export const storeAnswerAndEvent: CommitHook = {
  ...storeAnswer,
  name: 'store-answer-and-event',
  beside: `${newEventsSql({
    tenantId: 'orders.tenant_id',
    orderId: 'w.id',
    kind: 'w.state',
    source: 'written w join orders on orders.id = w.id where w.ended',
  })} on conflict do nothing`,
};

/** What is put together from the library's parts and this file's. */
export const orderStatements: readonly Statement[] = [
  acceptOrders,
  acceptOrdersAndEvents,
  ...flushStatements(storeAnswer),
  ...flushStatements(storeAnswerAndEvent),
];

interface OrderRow extends SettlementRow {
  id: string;
  input: AcceptedOrder;
  state: SagaState;
  outputs: Partial<OrderOutputs>;
  failure: Failure | null;
  waiting: StoredWait | null;
  changed_at: Date;
  refunded: number;
  refunds: RefundRow[] | null;
  disputes: DisputeView[] | null;
}

const ORDER_COLUMNS = `orders.id, sagas.input, sagas.state, sagas.outputs, sagas.failure, sagas.waiting, sagas.changed_at,
          back.refunded, back.refunds, disputed.disputes, ${SETTLEMENT_COLUMNS}`;
const WITH_REFUNDS = `orders join holdfast.sagas on sagas.id = orders.id cross join ${refundsOfOrderSql('orders.id')} back
     cross join ${disputesOfOrderSql('orders.id')} disputed cross join ${settlementOfOrderSql('orders.id')} settled`;

const findOrder = statement(
  'orders.find',
  `select ${ORDER_COLUMNS} from ${WITH_REFUNDS}
    where orders.id = $1::text and (orders.tenant_id = $2::text) is true`,
);

/** @returns undefined when this tenant has no such order */
export async function readOrder(db: Query, tenantId: string, id: string): Promise<OrderView | undefined> {
  const { rows } = await db.query<OrderRow>({ ...findOrder, values: [id, tenantId] });
  return rows[0] && viewOfRow(rows[0]);
}

/** What was asked for when the order was placed. @returns undefined when this tenant has no such order */
export async function readRequest(db: Query, tenantId: string, id: string): Promise<OrderRequest | undefined> {
  const { rows } = await db.query<OrderRow>({ ...findOrder, values: [id, tenantId] });
  if (rows[0] === undefined) return undefined;
  const { tenantId: _tenantId, createdAt: _createdAt, traceparent: _traceparent, ...request } = rows[0].input;
  return request;
}

function viewOfRow(row: OrderRow): OrderView {
  const { id, input, refunded, refunds, disputes, changed_at: changedAt, settledAt, toldAt } = row;
  const updatedAt = new Date(Math.max(...[changedAt, settledAt, toldAt].map((at) => at?.getTime() ?? 0)));
  return viewOrder(id, input, row, updatedAt.toISOString(), {
    refunded,
    refunds: (refunds ?? []).map(viewOfRefund),
    disputes: (disputes ?? []).map(viewOfDispute),
    settlement: settlementOfRow(row),
  });
}

/** Of an order that was released after it had been completed, as releasedStatus() says. */
const SHOWN_STATE = `case when settled.kind is distinct from 'release' or sagas.state <> 'completed' then sagas.state
                       when settled."settlementState" = 'completed' then 'cancelled'
                       when settled."settlementState" = 'parked' then 'parked' else 'compensating' end`;

const listOrders = statement(
  'orders.list',
  `select ${ORDER_COLUMNS} from ${WITH_REFUNDS}
    where orders.tenant_id = $1::text
      and ($2::text is null or ${SHOWN_STATE} = $2::text)
      and ($3::timestamptz is null or (orders.created_at, orders.id) < ($3::timestamptz, $4::text))
    order by orders.created_at desc, orders.id desc
    limit $5::integer`,
);

export interface PageRequest {
  status?: OrderStatus | undefined;
  limit: number;
  after?: { createdAt: string; id: string } | undefined;
}

/** A tenant's orders, newest first. */
export async function readOrders(db: Query, tenantId: string, page: PageRequest): Promise<Page<OrderView>> {
  const state = page.status === undefined ? null : stateOf(page.status);
  const { rows } = await db.query<OrderRow>({
    ...listOrders,
    values: [tenantId, state, page.after?.createdAt ?? null, page.after?.id ?? null, page.limit + 1],
  });
  const shown = rows.slice(0, page.limit).map(viewOfRow);
  const last = shown.at(-1);
  return { rows: shown, nextCursor: rows.length > page.limit && last ? encodeCursor(last) : null };
}

function stateOf(status: OrderStatus): SagaState {
  if (status === 'processing') return 'running';
  return status === 'awaiting_payment' ? 'waiting' : status;
}
