import { type Query, statement } from '@holdfast/postgres';
import { type Failure, hasEnded, type Parked, type SagaState } from '@holdfast/saga';
import type { PageRequest } from '../orders/order-store.ts';
import { encodeCursor, type Page } from '../orders/page.ts';
import { REFUND_SAGA } from '../refunds/refund.ts';
import { CAPTURE_SAGA, RELEASE_SAGA } from '../settlements/settlement.ts';

/** A tenant's saga in a list; its steps and attempts are shown one saga at a time. */
export interface SagaLine {
  id: string;
  definition: string;
  state: SagaState;
  position: number;
  epoch: number;
  failure: Failure | null;
  parked: (Parked & { at: string }) | null;
  startedAt: Date;
  changedAt: Date;
  deadlineAt: Date;
  endedAt: Date | null;
}

const LINE = `sagas.id, sagas.definition, sagas.state, sagas.position, sagas.epoch, sagas.failure, sagas.parked,
          sagas.started_at as "startedAt", sagas.changed_at as "changedAt", sagas.deadline_at as "deadlineAt",
          sagas.ended_at as "endedAt", owned.created_at as "createdAt"`;

/** Whose sagas there are: each has the id of an order, of a refund that the API made, or of what was decided about a payment. */
const OWNED = `(select id, tenant_id, created_at from orders
          union all
          select id, tenant_id, created_at from order_refunds where origin = 'api'
          union all
          select saga_id, tenant_id, created_at from order_settlements) owned`;

/** @param source a `from` item; its rows are looked through, so it must be an index's worth or the tenant's orders */
const listFrom = (source: string) => `
  select ${LINE}
    from ${source}
   where owned.tenant_id = $1::text
     and ($2::text is null or sagas.state = $2::text)
     and ($3::timestamptz is null or (owned.created_at, owned.id) < ($3::timestamptz, $4::text))
     and ($5::jsonb is null or $5::jsonb @> jsonb_build_array(jsonb_build_object('definition', sagas.definition, 'position', sagas.position)))
     and ($6::bigint is null or sagas.started_at <= clock_timestamp() - $6::bigint * interval '1 second')
   order by owned.created_at desc, owned.id desc
   limit $7::integer`;

const listSagas = statement('sagas.list', listFrom(`${OWNED} join holdfast.sagas on sagas.id = owned.id`));
// What has not ended is a small part of all and has indexes of its own: it is read whole and then sorted.
const listUnended = statement(
  'sagas.list-unended',
  `with unended as materialized (
     select * from holdfast.sagas where ended_at is null and state <> 'parked' and state <> 'waiting'
     union all
     select * from holdfast.sagas where state = 'waiting'
     union all
     select * from holdfast.sagas where state = 'parked'
   )
   ${listFrom(`unended as sagas join ${OWNED} on owned.id = sagas.id`)}`,
);

/** A step of a definition. */
export interface SagaPlace {
  definition: string;
  position: number;
}

export interface SagaPageRequest extends Omit<PageRequest, 'status'> {
  state?: SagaState | undefined;
  /** Only sagas that have not ended and stand at one of these places. */
  at?: SagaPlace[] | undefined;
  minAgeSeconds?: number | undefined;
}

/** A tenant's sagas, newest first. */
export async function readSagaLines(db: Query, tenantId: string, page: SagaPageRequest): Promise<Page<SagaLine>> {
  const { state, at, minAgeSeconds, after, limit } = page;
  const isUnended = at !== undefined || (state !== undefined && !hasEnded(state));
  const { rows } = await db.query<SagaLine & { createdAt: Date }>({
    ...(isUnended ? listUnended : listSagas),
    values: [
      tenantId,
      state ?? null,
      after?.createdAt ?? null,
      after?.id ?? null,
      at === undefined ? null : JSON.stringify(at),
      minAgeSeconds ?? null,
      limit + 1,
    ],
  });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    rows: shown,
    nextCursor: more ? encodeCursor({ createdAt: last.createdAt.toISOString(), id: last.id }) : null,
  };
}

// Bounded: a backlog of more than this is read as this.
const COUNTED_AT_MOST = 100_000;
const countUnended = statement(
  'sagas.count-unended',
  `select state, count(*) as sagas, (extract(epoch from clock_timestamp() - min(started_at)))::float8 as "oldestSeconds"
     from ((select state, started_at from holdfast.sagas
             where ended_at is null and state <> 'parked' and state <> 'waiting' limit ${COUNTED_AT_MOST})
           union all
           (select state, started_at from holdfast.sagas where state = 'waiting' order by wake_at, id limit ${COUNTED_AT_MOST})
           union all
           (select state, started_at from holdfast.sagas where state = 'parked' order by started_at, id limit ${COUNTED_AT_MOST}))
    as unended
    group by state`,
);

export interface UnendedCount {
  state: SagaState;
  sagas: number;
  /** Age of the oldest. */
  oldestSeconds: number;
}

/** Sagas of all tenants that have not ended, by state; none of a state that no saga is in. */
export async function countUnendedSagas(db: Query): Promise<UnendedCount[]> {
  return (await db.query<UnendedCount>(countUnended)).rows;
}

const ownsOrder = statement(
  'sagas.owns',
  `select true from orders where id = $1::text and (tenant_id = $2::text) is true
   union all
   select true from holdfast.sagas where id = $1::text and definition in ('${REFUND_SAGA}', '${CAPTURE_SAGA}', '${RELEASE_SAGA}') and input ->> 'tenantId' = $2::text`,
);

/** Whether the saga is this tenant's; no other tenant may see or steer it. */
export async function tenantOwns(db: Query, tenantId: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query({ ...ownsOrder, values: [id, tenantId] });
  return rowCount === 1;
}
