/*
 * The refunds in Postgres.
 *
 * S1  A key, its refund and the refund's saga are ONE statement: once it has committed, the saga runs to its end.
 * K1  The first answer is stored in that statement, before anyone hears it, and replayed byte for byte (K2).
 * T4  So are the entry that says who asked for it, and that it was accepted.
 * M1  What payment tells is stored by the number of its change: twice, late or out of order changes nothing.
 */
import { type Fingerprint, newClaimsSql } from '@holdfast/idempotency';
import { type Query, type Statement, statement } from '@holdfast/postgres';
import { type Inserted, type SagaRow, startSagaSql } from '@holdfast/saga';
import type { AuditEntry, AuditOutcome } from '../audit/audit-entry.ts';
import { auditEntrySql, auditOutcomeSql, entryValue, outcomeValue } from '../audit/audit-store.ts';
import { findStoredKey, REFUND_ORDER, type StoredKey } from '../keys/key-store.ts';
import { encodeCursor, type Page } from '../orders/page.ts';
import { type AcceptedRefund, REFUND_SAGA, type RefundView } from './refund.ts';
import { REFUND_COLUMNS, type RefundRow, viewOfRefund } from './refund-rows.ts';

export interface NewRefund {
  id: string;
  refund: AcceptedRefund;
  fingerprint: Fingerprint;
  answer: string;
  ownerId: number;
  deadlineMs: number;
  /** Who asks for it. */
  entry: AuditEntry;
}

const AUDIT_ID = {
  tenantId: 'r.tenant_id',
  at: 'r.created_at',
  id: 'r.id',
  source: '(select * from r where (id in (select id from accepted)) is true) r',
};

const acceptRefund = statement(
  'refunds.accept',
  `with r as (
     select $1::text as id, $2::text as tenant_id, $3::text as order_id, $4::bigint as amount, $5::text as currency,
            $6::jsonb as lines, $7::text as reason, $8::timestamptz as created_at, $9::jsonb as input,
            $10::bytea as fingerprint, $11::smallint as fingerprint_version, $12::jsonb as members, $13::text as answer,
            $14::bigint as owner_id, $15::integer as deadline_ms, $16::jsonb as entry, $17::jsonb as outcome
   ), claimed as (${newClaimsSql({
     tenantId: 'r.tenant_id',
     key: 'r.id',
     operation: `'${REFUND_ORDER}'`,
     resource: `'/v1/orders/' || r.order_id || '/refunds/' || r.id`,
     fingerprint: 'r.fingerprint',
     fingerprintVersion: 'r.fingerprint_version',
     members: 'r.members',
     answer: `convert_to(r.answer, 'UTF8')`,
     claimedAt: 'r.created_at',
     source: 'r',
   })}), accepted as (
     insert into order_refunds (id, order_id, tenant_id, origin, amount, currency, lines, reason, created_at)
     select id, order_id, tenant_id, 'api', amount, currency, lines, reason, created_at
       from r where (id in (select key from claimed)) is true
     returning id
   ), entered as (${auditEntrySql({ ...AUDIT_ID, entry: 'r.entry' })}
   ), decided as (${auditOutcomeSql({ ...AUDIT_ID, outcome: 'r.outcome' })}
   ), started as (${startSagaSql({
     id: 'r.id',
     definition: `'${REFUND_SAGA}'`,
     input: 'r.input',
     ownerId: 'r.owner_id',
     deadlineMs: 'r.deadline_ms',
     changedAt: 'r.created_at',
     source: '(select * from r where (id in (select id from accepted)) is true) r',
   })})
   select * from started`,
);

/** @returns the saga's row, or what the key stood for before */
export async function insertRefund(db: Query, accepted: NewRefund): Promise<Inserted<StoredKey | undefined>> {
  const { id, refund, fingerprint, answer, ownerId, deadlineMs } = accepted;
  const { tenantId, orderId, amount, currency, lines, reason, createdAt } = refund;
  const outcome: AuditOutcome = { kind: 'done', after: { refundId: id, amount, currency } };
  const { rows } = await db.query<SagaRow>({
    ...acceptRefund,
    values: [
      ...[id, tenantId, orderId, amount, currency, JSON.stringify(lines), reason, createdAt, JSON.stringify(refund)],
      ...[fingerprint.digest, fingerprint.version, fingerprint.members && JSON.stringify(fingerprint.members)],
      ...[answer, ownerId, deadlineMs, entryValue(accepted.entry), outcomeValue(outcome)],
    ],
  });
  if (rows[0] !== undefined) return { kind: 'begun', row: rows[0] };
  return { kind: 'exists', existing: await findStoredKey(db, { tenantId, id }) };
}

/** What is put together from the library's parts and this file's. */
export const refundStatements: readonly Statement[] = [acceptRefund];

const listRefunds = statement(
  'refunds.list',
  `select ${REFUND_COLUMNS} from order_refunds f left join holdfast.sagas s on s.id = f.id and f.origin = 'api'
    where f.order_id = $1::text and (f.tenant_id = $2::text) is true
      and ($3::timestamptz is null or (f.created_at, f.id) < ($3::timestamptz, $4::text))
    order by f.created_at desc, f.id desc limit $5::integer`,
);

export interface RefundPageRequest {
  limit: number;
  after?: { createdAt: string; id: string } | undefined;
}

/** An order's refunds, newest first. */
export async function readRefunds(
  db: Query,
  order: { tenantId: string; orderId: string },
  { limit, after }: RefundPageRequest,
): Promise<Page<RefundView>> {
  const { rows } = await db.query<RefundRow>({
    ...listRefunds,
    values: [order.orderId, order.tenantId, after?.createdAt ?? null, after?.id ?? null, limit + 1],
  });
  const shown = rows.slice(0, limit).map(viewOfRefund);
  const last = shown.at(-1);
  return { rows: shown, nextCursor: rows.length > limit && last ? encodeCursor(last) : null };
}

const findRefund = statement(
  'refunds.find',
  `select ${REFUND_COLUMNS} from order_refunds f left join holdfast.sagas s on s.id = f.id and f.origin = 'api'
    where f.order_id = $1::text and f.id = $2::text and (f.tenant_id = $3::text) is true`,
);

/** @returns undefined when this order of this tenant has no such refund */
export async function readRefund(
  db: Query,
  { tenantId, orderId, id }: { tenantId: string; orderId: string; id: string },
): Promise<RefundView | undefined> {
  const { rows } = await db.query<RefundRow>({ ...findRefund, values: [orderId, id, tenantId] });
  return rows[0] && viewOfRefund(rows[0]);
}

const findReturns = statement(
  'refunds.returning',
  `select exists (
     select from order_refunds f left join holdfast.sagas s on s.id = f.id
      where f.order_id = $1::text and (f.tenant_id = $2::text) is true and f.origin = 'api'
        and f.lines @> '[{"restock": true}]'
        and (s.state in ('failed', 'cancelled')
             or (s.state = 'completed' and s.outputs -> 'refund-payment' ->> 'status' = 'failed')) is not true
   ) as returning`,
);

/** Whether goods of this order go back to stock, or have gone, by a refund that has not failed. */
export async function isReturning(db: Query, order: { tenantId: string; orderId: string }): Promise<boolean> {
  const { rows } = await db.query<{ returning: boolean }>({ ...findReturns, values: [order.orderId, order.tenantId] });
  return rows[0]?.returning === true;
}

export interface RefundNews {
  tenantId: string;
  orderId: string;
  refundId: string;
  origin: 'api' | 'provider';
  amount: number;
  currency: string;
  status: 'pending' | 'succeeded' | 'failed';
  reason: string | null;
  revision: number;
  createdAt: string;
}

// One of the API that is not here is no refund of ours, and none is made of it.
const storeNews = statement(
  'refunds.store-news',
  `with r as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
                          $9::integer[], $10::timestamptz[])
       as r (tenant_id, order_id, id, origin, amount, currency, status, reason, revision, created_at)
   ), changed as (
     update order_refunds f
        set told_status = r.status, told_reason = r.reason, told_revision = r.revision, told_at = clock_timestamp()
       from r where f.order_id = r.order_id and f.id = r.id and (f.tenant_id = r.tenant_id) is true and r.origin = 'api'
        and f.told_revision < r.revision
   )
   insert into order_refunds as f (id, order_id, tenant_id, origin, amount, currency, created_at, told_status, told_reason,
                             told_revision, told_at)
   select id, order_id, tenant_id, origin, amount, currency, created_at, status, reason, revision, clock_timestamp()
     from r where origin = 'provider' order by order_id, id
   on conflict (order_id, id) do update
     set told_status = excluded.told_status, told_reason = excluded.told_reason, told_revision = excluded.told_revision,
         told_at = excluded.told_at
   where f.told_revision < excluded.told_revision`,
);

/** Stores what payment tells of these refunds, each once in the list. @throws pg errors */
export async function storeRefundNews(db: Query, news: RefundNews[]): Promise<void> {
  await db.query({
    ...storeNews,
    values: [
      news.map(({ tenantId }) => tenantId),
      news.map(({ orderId }) => orderId),
      news.map(({ refundId }) => refundId),
      news.map(({ origin }) => origin),
      news.map(({ amount }) => amount),
      news.map(({ currency }) => currency),
      news.map(({ status }) => status),
      news.map(({ reason }) => reason),
      news.map(({ revision }) => revision),
      news.map(({ createdAt }) => createdAt),
    ],
  });
}
