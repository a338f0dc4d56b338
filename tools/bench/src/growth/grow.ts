/*
 * Finished orders by the million: as many rows as the services would have written for them, copied in the server from
 * orders that were really placed (order-rows.ts). The indexes are there all the while, and every row goes to the place that its
 * id has in them: they end as full, and as scattered, as orders that came one by one would have left them.
 *
 * Every chunk is a transaction in each database. What is interrupted is half grown: its data folder is of no use.
 */
import { randomUUID } from 'node:crypto';
import { createPool, type Query } from '@holdfast/postgres';
import {
  type Copies,
  copyStatements,
  DATABASES,
  type Database,
  nextCopies,
  readTemplates,
  type Template,
} from './order-rows.ts';
import { PARK } from './parked.ts';

export interface GrowOptions {
  databaseUrl(name: Database): string;
  /** How many. */
  orders: number;
  /** `finished`: copies of completed orders. `parked`: of orders that have failed, as if their last undo never ended. */
  kind: 'finished' | 'parked';
  /** They were placed evenly over this time, up to now. */
  spanMs: number;
  /** Orders of one transaction. Default 50,000. */
  chunk?: number;
  onProgress?: (progress: GrowProgress) => void;
}

export interface GrowProgress {
  /** Orders that all databases have. */
  done: number;
  total: number;
  rows: number;
  seconds: number;
}

const CHUNK = 50_000;
const STATEMENT_TIMEOUT_MS = 600_000;
const MOST_TEMPLATES = { finished: 2_000, parked: 50 };

/** @throws Error when no order has been placed that could be copied; pg errors */
export async function grow(options: GrowOptions): Promise<GrowProgress> {
  const startedMs = performance.now();
  const { orders: total, spanMs } = options;
  const templates = await findTemplates(options);
  const copies: Copies = { templates, total, spanMs, seed: randomUUID(), placedUntil: new Date() };
  const progress: GrowProgress = { done: 0, total, rows: 0, seconds: 0 };
  const done = new Map<Database, number>(DATABASES.map((name) => [name, 0]));
  const grown = DATABASES.map((name) =>
    growDatabase(name, options, copies, (orders, rows) => {
      done.set(name, orders);
      const all = Math.min(...done.values());
      const isNews = all > progress.done;
      Object.assign(progress, {
        done: all,
        rows: progress.rows + rows,
        seconds: (performance.now() - startedMs) / 1_000,
      });
      if (isNews) options.onProgress?.({ ...progress });
    }),
  );
  await Promise.all(grown);
  return progress;
}

async function findTemplates({ databaseUrl, kind }: GrowOptions): Promise<Template[]> {
  const state = kind === 'finished' ? 'completed' : 'failed';
  const found = await withConnection(databaseUrl('orchestrator'), (db) =>
    db.query<{ id: string; at: Date }>(
      `select o.id, o.created_at as at from orders o join holdfast.sagas s on s.id = o.id where s.state = $1::text limit $2::integer`,
      [state, MOST_TEMPLATES[kind]],
    ),
  );
  if (found.rows.length === 0) throw new Error(`there is no ${state} order to copy: place some first`);
  return found.rows.map(({ id, at }) => ({ id, placedAt: at }));
}

async function growDatabase(
  name: Database,
  { databaseUrl, kind, chunk = CHUNK }: GrowOptions,
  copies: Copies,
  onChunk: (orders: number, rows: number) => void,
): Promise<void> {
  await withConnection(databaseUrl(name), async (db) => {
    await readTemplates(db, name, copies.templates);
    if (kind === 'parked') for (const change of PARK[name] ?? []) await db.query(change);
    const statements = await copyStatements(db, name);
    for (let from = 0; from < copies.total; from += chunk) {
      const to = Math.min(copies.total, from + chunk);
      let rows = 0;
      await db.query('begin');
      await nextCopies(db, from, to, copies);
      for (const copy of statements) rows += (await db.query(copy)).rowCount ?? 0;
      await db.query('commit');
      onChunk(to, rows);
    }
    const sum = SUMS[name];
    if (sum !== undefined) await db.query(sum, [copies.total, copies.templates.length]);
  });
}

/** How many orders have copied each template. */
const USES = `(select n % $2::integer as template_at, count(*) as uses from generate_series(0, $1::integer - 1) n group by 1)`;

/** What the orders' rows add up to. Once, at the end: a row of stock is written as often as it would be otherwise. */
const SUMS: Readonly<Partial<Record<Database, string>>> = {
  inventory: `
    update stock set reserved = stock.reserved + held.quantity, version = version + 1
      from (select t.tenant_id, line->>'sku' as sku, sum(uses * (line->>'quantity')::bigint) as quantity
              from template_reservations t join ${USES} u on u.template_at = t.template_at,
                   jsonb_array_elements(t.lines) line
             where t.state = 'held' group by 1, 2) held
     where stock.tenant_id = held.tenant_id and stock.sku = held.sku`,
  payment: `
    update accounts set balance = balance + paid.delta, version = version + 1
      from (select t.tenant_id, t.customer_id, sum(uses * t.delta) as delta
              from template_account_entries t join ${USES} u on u.template_at = t.template_at group by 1, 2) paid
     where accounts.tenant_id = paid.tenant_id and accounts.customer_id = paid.customer_id`,
};

/** Statistics, visibility, and all of it on the disk: nothing of the growth is left to do while something is measured. */
export async function settle(databaseUrl: (name: Database) => string): Promise<void> {
  const each = DATABASES.map((name) => withConnection(databaseUrl(name), (db) => db.query('vacuum (analyze)')));
  await Promise.all(each);
  await checkpoint(databaseUrl);
}

/** Of the whole server. A smaller limit of its log holds from the next one on: what is beyond it is removed then. */
export async function checkpoint(databaseUrl: (name: Database) => string): Promise<void> {
  await withConnection(databaseUrl('orchestrator'), (db) => db.query('checkpoint'));
}

/** One connection for all of `work`: temporary tables belong to it. */
async function withConnection<T>(databaseUrl: string, work: (db: Query) => Promise<T>): Promise<T> {
  const pool = createPool({
    databaseUrl,
    applicationName: 'bench-grow',
    max: 1,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: STATEMENT_TIMEOUT_MS,
    // Longer than a chunk of another database takes on a busy machine.
    idleInTransactionTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    const db = await pool.connect();
    try {
      return await work(db);
    } finally {
      // Never used again: whatever it had open ends with it.
      db.release(true);
    }
  } finally {
    await pool.end();
  }
}
