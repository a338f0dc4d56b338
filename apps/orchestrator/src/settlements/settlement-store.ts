/*
 * What was decided about the payment of orders, in Postgres.
 *
 * S1  A decision and its saga are ONE statement: once it has committed, the saga runs to its end.
 * M1  Two decisions at the same time have the same number, and the primary key lets one be.
 */
import { newEventsSql } from '@holdfast/messaging';
import { type Query, type Statement, statement } from '@holdfast/postgres';
import { type Failure, type Inserted, type SagaRow, type SagaState, startSagaSql } from '@holdfast/saga';
import {
  type AcceptedCapture,
  CAPTURE_SAGA,
  type CaptureOutputs,
  type KnownSettlement,
  RELEASE_SAGA,
} from './settlement.ts';

export interface SettlementRow {
  kind: 'capture' | 'release' | null;
  number: number | null;
  sagaId: string | null;
  amount: number | null;
  settlementState: SagaState | null;
  settlementOutputs: Partial<CaptureOutputs> | null;
  settlementFailure: Failure | null;
  settledAt: Date | null;
  told: 'expiring' | 'expired' | null;
  toldAt: Date | null;
}

/** A lateral item with the last decision about an order's payment, and what payment has told of its authorisation. One row. */
export function settlementOfOrderSql(orderId: string): string {
  return `lateral (
     select t.kind, t.number, t.saga_id as "sagaId", t.amount, s.state as "settlementState",
            s.outputs as "settlementOutputs", s.failure as "settlementFailure", s.changed_at as "settledAt",
            a.state as told, a.told_at as "toldAt"
       from (select ${orderId} as order_id) o
       left join lateral (select * from order_settlements t where t.order_id = o.order_id order by t.number desc limit 1) t on true
       left join lateral (select * from holdfast.sagas s where s.id = t.saga_id offset 0) s on true
       left join lateral (select * from order_authorizations a where a.order_id = o.order_id offset 0) a on true)`;
}

export const SETTLEMENT_COLUMNS = `settled.kind, settled.number, settled."sagaId", settled.amount, settled."settlementState",
          settled."settlementOutputs", settled."settlementFailure", settled."settledAt", settled.told, settled."toldAt"`;

/** @returns null where nothing is decided or told */
export function settlementOfRow(row: SettlementRow): KnownSettlement | null {
  const { kind, settlementState: state, settlementOutputs, settlementFailure: failure, told } = row;
  if (kind === null && told === null) return null;
  const saga = state === null ? undefined : { state, outputs: settlementOutputs ?? {}, failure };
  return { kind, saga, told };
}

const findSettlement = statement(
  'settlements.find',
  `select ${SETTLEMENT_COLUMNS} from ${settlementOfOrderSql('$1::text')} settled`,
);

export interface Settlement extends KnownSettlement {
  kind: 'capture' | 'release';
  number: number;
  sagaId: string;
  amount: number;
}

/** @returns the last decision about this order; undefined when there is none */
export async function readSettlement(db: Query, orderId: string): Promise<Settlement | undefined> {
  const [row] = (await db.query<SettlementRow>({ ...findSettlement, values: [orderId] })).rows;
  if (row === undefined || row.kind === null || row.number === null || row.sagaId === null) return undefined;
  const known = settlementOfRow(row);
  return {
    ...(known as KnownSettlement),
    kind: row.kind,
    number: row.number,
    sagaId: row.sagaId,
    amount: row.amount ?? 0,
  };
}

// Of a release: the order has ended, so that its saga's epoch is what it will stay.
const decideSql = (outbox: string) => `
   with r as (
     select $1::text as saga_id, $2::text as order_id, $3::integer as number, $4::text as tenant_id, $5::text as kind,
            $6::bigint as amount, $7::timestamptz as created_at, $8::jsonb as input, $9::bigint as owner_id,
            $10::integer as deadline_ms
   ), decided as (
     insert into order_settlements (order_id, number, tenant_id, kind, saga_id, amount, created_at)
     select order_id, number, tenant_id, kind, saga_id, amount, created_at from r
     on conflict (order_id, number) do nothing
     returning saga_id
   ), started as (${startSagaSql({
     id: 'r.saga_id',
     definition: `case r.kind when 'capture' then '${CAPTURE_SAGA}' else '${RELEASE_SAGA}' end`,
     input: `case r.kind when 'capture' then r.input
                         else r.input || jsonb_build_object('orderEpoch', (select o.epoch from holdfast.sagas o where o.id = r.order_id)) end`,
     ownerId: 'r.owner_id',
     deadlineMs: 'r.deadline_ms',
     changedAt: 'r.created_at',
     source: '(select * from r where (saga_id in (select saga_id from decided)) is true) r',
   })})${outbox}
   select * from started`;

const decide = statement('settlements.decide', decideSql(''));
/** E1: a release is never taken back, so that the order's event is committed with the decision. */
const decideAndPublish = statement(
  'settlements.decide-with-outbox',
  decideSql(
    `, published as (${newEventsSql({
      tenantId: 'tenant_id',
      orderId: 'order_id',
      kind: `'cancelled'`,
      source: `r where kind = 'release' and (saga_id in (select saga_id from decided)) is true`,
    })} on conflict do nothing)`,
  ),
);

export interface NewSettlement {
  sagaId: string;
  orderId: string;
  number: number;
  tenantId: string;
  kind: 'capture' | 'release';
  amount: number;
  createdAt: string;
  input: AcceptedCapture | { tenantId: string; orderId: string; traceparent: string };
  ownerId: number;
  deadlineMs: number;
}

/** @returns the saga's row; `exists` where another decision was faster */
export async function insertSettlement(
  db: Query,
  entry: NewSettlement,
  { publishesEvents }: { publishesEvents: boolean },
): Promise<Inserted<undefined>> {
  const { sagaId, orderId, number, tenantId, kind, amount, createdAt, input, ownerId, deadlineMs } = entry;
  const { rows } = await db.query<SagaRow>({
    ...(publishesEvents ? decideAndPublish : decide),
    values: [sagaId, orderId, number, tenantId, kind, amount, createdAt, JSON.stringify(input), ownerId, deadlineMs],
  });
  return rows[0] === undefined ? { kind: 'exists', existing: undefined } : { kind: 'begun', row: rows[0] };
}

/** What is put together from the library's parts and this file's. */
export const settlementStatements: readonly Statement[] = [decide, decideAndPublish];
