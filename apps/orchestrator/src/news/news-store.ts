/*
 * What payment has told of orders, in Postgres.
 *
 * E1  A change and its event are one statement.
 * E2  Stored by the number of the change: twice, late or out of order changes nothing, and is published once.
 */
import { newEventsSql } from '@holdfast/messaging';
import { type Query, statement } from '@holdfast/postgres';

export interface DisputeNews {
  tenantId: string;
  orderId: string;
  disputeId: string;
  amount: number;
  currency: string;
  reason: string;
  status: string;
  openedAt: string;
  revision: number;
}

export interface AuthorizationNews {
  tenantId: string;
  orderId: string;
  state: 'expiring' | 'expired';
  revision: number;
}

// Of an order that is not here nothing is kept: it is none of ours.
const disputesSql = (outbox: string) => `
   with r as (
     select r.* from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                            $8::timestamptz[], $9::integer[])
       as r (tenant_id, order_id, id, amount, currency, reason, status, opened_at, revision)
       join orders o on o.id = r.order_id and (o.tenant_id = r.tenant_id) is true
   ), stored as (
     insert into order_disputes as d (order_id, id, tenant_id, amount, currency, reason, status, opened_at, revision)
     select order_id, id, tenant_id, amount, currency, reason, status, opened_at, revision from r order by order_id, id
     on conflict (order_id, id) do update
       set amount = excluded.amount, reason = excluded.reason, status = excluded.status, revision = excluded.revision,
           told_at = clock_timestamp()
     where d.revision < excluded.revision
     returning tenant_id, order_id, id, status
   )${outbox}
   select status from stored`;

const storeDisputes = statement('news.store-disputes', disputesSql(''));
const storeAndPublishDisputes = statement(
  'news.store-disputes-with-outbox',
  disputesSql(
    `, published as (${newEventsSql({
      tenantId: 'tenant_id',
      orderId: 'order_id',
      kind: `'disputed:' || id || ':' || status`,
      source: 'stored',
    })} on conflict do nothing)`,
  ),
);

/** @param news each dispute once in the list. @returns the status of each that is new or has changed. @throws pg errors */
export async function storeDisputeNews(
  db: Query,
  news: DisputeNews[],
  { publishesEvents }: { publishesEvents: boolean },
): Promise<string[]> {
  if (news.length === 0) return [];
  const { rows } = await db.query<{ status: string }>({
    ...(publishesEvents ? storeAndPublishDisputes : storeDisputes),
    values: [
      news.map(({ tenantId }) => tenantId),
      news.map(({ orderId }) => orderId),
      news.map(({ disputeId }) => disputeId),
      news.map(({ amount }) => amount),
      news.map(({ currency }) => currency),
      news.map(({ reason }) => reason),
      news.map(({ status }) => status),
      news.map(({ openedAt }) => openedAt),
      news.map(({ revision }) => revision),
    ],
  });
  return rows.map(({ status }) => status);
}

const authorizationsSql = (outbox: string) => `
   with r as (
     select r.* from unnest($1::text[], $2::text[], $3::text[], $4::integer[]) as r (tenant_id, order_id, state, revision)
       join orders o on o.id = r.order_id and (o.tenant_id = r.tenant_id) is true
   ), stored as (
     insert into order_authorizations as a (order_id, tenant_id, state, revision)
     select order_id, tenant_id, state, revision from r order by order_id
     on conflict (order_id) do update
       set state = excluded.state, revision = excluded.revision, told_at = clock_timestamp()
     where a.revision < excluded.revision
     returning tenant_id, order_id, state
   )${outbox}
   select state from stored`;

const storeAuthorizations = statement('news.store-authorizations', authorizationsSql(''));
const storeAndPublishAuthorizations = statement(
  'news.store-authorizations-with-outbox',
  authorizationsSql(
    `, published as (${newEventsSql({
      tenantId: 'tenant_id',
      orderId: 'order_id',
      kind: `'authorization-' || state`,
      source: 'stored',
    })} on conflict do nothing)`,
  ),
);

/** @param news each order once in the list. @returns the state of each that is new or has changed. @throws pg errors */
export async function storeAuthorizationNews(
  db: Query,
  news: AuthorizationNews[],
  { publishesEvents }: { publishesEvents: boolean },
): Promise<AuthorizationNews['state'][]> {
  if (news.length === 0) return [];
  const { rows } = await db.query<{ state: AuthorizationNews['state'] }>({
    ...(publishesEvents ? storeAndPublishAuthorizations : storeAuthorizations),
    values: [
      news.map(({ tenantId }) => tenantId),
      news.map(({ orderId }) => orderId),
      news.map(({ state }) => state),
      news.map(({ revision }) => revision),
    ],
  });
  return rows.map(({ state }) => state);
}
