import { type Query, statement } from '@holdfast/postgres';
import type { Failure, Parked, SagaState } from '@holdfast/saga';
import { encodeCursor, type Page, type PageRequest } from './order-store.ts';

/** A tenant's saga in a list; its steps and attempts are shown one saga at a time. */
export interface SagaLine {
  id: string;
  definition: string;
  state: SagaState;
  position: number;
  epoch: number;
  failure: Failure | null;
  parked: Parked | null;
  startedAt: Date;
  updatedAt: Date;
  deadlineAt: Date;
  endedAt: Date | null;
}

const listSagas = statement(
  'sagas.list',
  `select sagas.id, definition, state, position, epoch, failure, parked, started_at as "startedAt",
          updated_at as "updatedAt", deadline_at as "deadlineAt", ended_at as "endedAt", orders.created_at as "createdAt"
     from orders join sagas on sagas.id = orders.id
    where orders.tenant_id = $1::text
      and ($2::text is null or sagas.state = $2::text)
      and ($3::timestamptz is null or (orders.created_at, orders.id) < ($3::timestamptz, $4::text))
    order by orders.created_at desc, orders.id desc
    limit $5::integer`,
);

/** A tenant's sagas, newest first. */
export async function readSagaLines(
  db: Query,
  tenantId: string,
  page: Omit<PageRequest, 'status'> & { state?: SagaState | undefined },
): Promise<Page<SagaLine>> {
  const { rows } = await db.query<SagaLine & { createdAt: Date }>({
    ...listSagas,
    values: [tenantId, page.state ?? null, page.after?.createdAt ?? null, page.after?.id ?? null, page.limit + 1],
  });
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return {
    rows: shown,
    nextCursor: more ? encodeCursor({ createdAt: last.createdAt.toISOString(), id: last.id }) : null,
  };
}

const ownsOrder = statement('sagas.owns', 'select true from orders where id = $1::text and tenant_id = $2::text');

/** Whether the saga is this tenant's; nobody else may see or steer it. */
export async function tenantOwns(db: Query, tenantId: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query({ ...ownsOrder, values: [id, tenantId] });
  return rowCount === 1;
}
