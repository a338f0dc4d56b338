/*
 * How finished orders are copied, in SQL: whatever the services have written of an order, with another id.
 *
 * Copied are the rows that really placed orders have left (the templates), column by column as the database describes them,
 * so that a column that is added later is copied too. An order's id is part of the ids of its reservation, payment and
 * shipment, and of bodies of answers; the copy's is put in its place wherever that appears.
 */
import type { Query } from '@holdfast/postgres';

const CLAIMED = { 'holdfast.claims': 't.scope', 'holdfast.answers': 't.scope', 'holdfast.fences': 't.order_id' };

/** Those with rows of orders. */
export const DATABASES = ['orchestrator', 'inventory', 'payment', 'shipping'] as const;
export type Database = (typeof DATABASES)[number];

/** The tables that grow with orders, and where in a row `t` the order's id is. */
const ORDER_ROWS: Readonly<Record<Database, Readonly<Record<string, string>>>> = {
  orchestrator: {
    'holdfast.claims': 't.scope',
    orders: 't.id',
    'holdfast.sagas': 't.id',
    'holdfast.saga_attempts': 't.saga_id',
    'holdfast.outbox': 't.order_id',
  },
  inventory: { ...CLAIMED, reservations: 't.order_id' },
  payment: { ...CLAIMED, charges: 't.order_id', account_entries: `split_part(t.entry_key, ':', 1)` },
  shipping: { ...CLAIMED, shipments: 't.order_id', 'holdfast.outbox': 't.order_id' },
};

/** An order that has been placed, to be copied. */
export interface Template {
  id: string;
  placedAt: Date;
}

/** How far a template's id may be from the instant it was placed at, to be known as one that begins with its time. */
const LAG_MS = 60_000;

/** What all databases must agree upon: each makes the same ids and instants by itself. */
export interface Copies {
  templates: Template[];
  total: number;
  /** Of the ids. */
  seed: string;
  /** The last copy's instant; the others are spread evenly over `spanMs` before it. */
  placedUntil: Date;
  spanMs: number;
}

const templateOf = (table: string) => `template_${table.replace('holdfast.', '')}`;

/** Makes the temporary tables `template_<table>`. For one connection, as is all that follows. */
export async function readTemplates(db: Query, database: Database, templates: Template[]): Promise<void> {
  // A few thousand rows are joined with those of a chunk: never by looking up one after the other.
  await db.query(`set enable_nestloop = off; set enable_mergejoin = off; set timezone = 'UTC'`);
  await db.query(
    'create temp table if not exists templates (at integer, id text, placed_at timestamptz, id_lag bigint)',
  );
  await db.query('truncate templates');
  await db.query(
    `insert into templates
     select ord - 1, id, placed_at, ${msOf('placed_at')} - ${timeOf('id')}
       from unnest($1::text[], $2::timestamptz[]) with ordinality as t(id, placed_at, ord)`,
    [templates.map(({ id }) => id), templates.map(({ placedAt }) => placedAt.toISOString())],
  );
  for (const [table, id] of Object.entries(ORDER_ROWS[database])) {
    await db.query(`drop table if exists ${templateOf(table)}`);
    await db.query(
      `create temp table ${templateOf(table)} as
       select templates.at as template_at, t.* from templates join ${table} t on ${id} = templates.id`,
    );
    await db.query(`analyze ${templateOf(table)}`);
  }
}

/** The time that an id begins with, where it does: milliseconds since 1970. */
const timeOf = (id: string) => `('x' || left(replace(${id}, '-', ''), 12))::bit(48)::bigint`;
const msOf = (instant: string) => `(extract(epoch from ${instant}) * 1000)::bigint`;

const RANDOM_ID = `overlay(overlay(md5($4::text || n)::uuid::text placing '8' from 15)
                           placing substr('89ab', 1 + (n % 4)::integer, 1) from 20)`;

/** The time that a copy's id begins with: as long before it was placed as the template's; null where that has a random id. */
const COPY_TIME = `case when abs(t.id_lag) < ${LAG_MS} then ${msOf('c.placed_at')} - t.id_lag end`;

/**
 * In the form of a derived id, a UUID of version 8, and in that of the template: it begins with a time as well, or is as random
 * as a digest. Either way it takes the place in every index that the order's own id would have had.
 */
const COPY_ID = `
  case when id_ms is null then random_id
       else regexp_replace(lpad(to_hex(id_ms), 12, '0'), '(.{8})(.{4})', '\\1-\\2') || substr(random_id, 14) end`;

// Whoever came first is written first, as services do: what is accepted together is written in the order of its ids.
const PLACED_FIRST = `coalesce(id_ms, ${msOf('new_at')}), n`;

/** Makes the temporary table `copies`: of the orders `from` to `to`, which template each copies and what it changes. */
export async function nextCopies(db: Query, from: number, to: number, copies: Copies): Promise<void> {
  const { templates, total, seed, placedUntil, spanMs } = copies;
  await db.query(
    `create temp table if not exists copies (template_at integer, old_id text, new_id text, old_hex text, new_hex text,
                                             old_at timestamptz, new_at timestamptz)`,
  );
  await db.query('truncate copies');
  await db.query(
    `insert into copies
     select template_at, old_id, new_id, encode(old_id::bytea, 'hex'), encode(new_id::bytea, 'hex'), old_at, new_at
       from (select *, ${COPY_ID} as new_id
               from (select c.n, t.at as template_at, t.id as old_id, c.id as random_id, ${COPY_TIME} as id_ms,
                            t.placed_at as old_at, c.placed_at as new_at
                       from (select n, n % $3::integer as at, ${RANDOM_ID} as id,
                                    $5::timestamptz - ($6::float8 * ($7::float8 - n - 1) / $7) * interval '1 millisecond'
                                      as placed_at
                               from generate_series($1::integer, $2::integer - 1) n) c
                       join templates t on t.at = c.at) timed) named
      order by ${PLACED_FIRST}`,
    [from, to, templates.length, seed, placedUntil.toISOString(), spanMs, total],
  );
  await db.query('analyze copies');
}

/** @returns the statements that write the rows of what `copies` holds, in the order of the copies */
export async function copyStatements(db: Query, database: Database): Promise<string[]> {
  const statements: string[] = [];
  for (const table of Object.keys(ORDER_ROWS[database])) {
    const columns = await columnsOf(db, table);
    const values = columns.map((column) => copied(column));
    statements.push(
      `insert into ${table} (${columns.map(({ name }) => name).join()})
       select ${values.join()} from copies c join ${templateOf(table)} t on t.template_at = c.template_at`,
    );
  }
  return statements;
}

interface Column {
  name: string;
  type: string;
  /** Whether the order's id appears in it. */
  namesOrder: boolean;
}

async function columnsOf(db: Query, table: string): Promise<Column[]> {
  const { rows } = await db.query<{ name: string; type: string }>(
    `select quote_ident(attname) as name, format_type(atttypid, null) as type from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''
      order by attnum`,
    [table],
  );
  const columns: Column[] = [];
  for (const { name, type } of rows) columns.push({ name, type, namesOrder: await namesOrder(db, table, name, type) });
  return columns;
}

async function namesOrder(db: Query, table: string, column: string, type: string): Promise<boolean> {
  const places: Record<string, string> = {
    text: `strpos(t.${column}, o.id)`,
    jsonb: `strpos(t.${column}::text, o.id)`,
    bytea: `strpos(encode(t.${column}, 'hex'), encode(o.id::bytea, 'hex'))`,
  };
  const place = places[type];
  if (place === undefined) return false;
  const { rows } = await db.query<{ found: boolean | null }>(
    `select bool_or(${place} > 0) as found from ${templateOf(table)} t join templates o on o.at = t.template_at`,
  );
  return rows[0]?.found === true;
}

/** The column's value in the copy, as SQL. */
function copied({ name, type, namesOrder }: Column): string {
  const value = `t.${name}`;
  // Another order has another print; as random as the template's.
  if (name === 'fingerprint') return `case when ${value} is not null then sha256(c.new_id::bytea) end`;
  if (type === 'timestamp with time zone') return `${value} + (c.new_at - c.old_at)`;
  if (type === 'date') return `${value} + (c.new_at::date - c.old_at::date)`;
  if (!namesOrder) return value;
  if (type === 'bytea') return `decode(replace(encode(${value}, 'hex'), c.old_hex, c.new_hex), 'hex')`;
  if (type === 'jsonb') return `replace(${value}::text, c.old_id, c.new_id)::jsonb`;
  return `replace(${value}, c.old_id, c.new_id)`;
}
