import { inventoryMigrations } from '@holdfast/inventory';
import { orchestratorMigrations, storeAnswer, storeAnswerAndEvent } from '@holdfast/orchestrator';
import { paymentMigrations } from '@holdfast/payment';
import { createPool, type Pool } from '@holdfast/postgres';
import { flushStatements } from '@holdfast/saga';
import { shippingMigrations } from '@holdfast/shipping';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

// A prepared statement settles on a generic plan after five executions, and one that was made while its table was empty
// would scan it whole ever after. So no plan of the way of an order that may be kept, whenever it was made, may read more
// than its keys' rows. (One that is made for an execution knows how large its table is then, and is thrown away.)

// Every statement of the modules above, as it is made.
const statements = vi.hoisted(() => new Map<string, string>());
vi.mock('@holdfast/postgres', async (original) => {
  const postgres = await original<typeof import('@holdfast/postgres')>();
  const statement: typeof postgres.statement = (name, text) => {
    statements.set(name, text);
    return postgres.statement(name, text);
  };
  return { ...postgres, statement };
});

/** Lists, and the work of recovery and of retention: they read many rows by design. */
const NOT_BY_KEY = new Set([
  'api-keys.list',
  'api-keys.count',
  'orders.list',
  'audit-log.list',
  'audit-log.list-of-actor',
  'audit-log.list-of-target',
  'sagas.list',
  'sagas.list-unended',
  'sagas.count-unended',
  'saga.read-attempts',
  'saga.read-interventions',
  'saga.dead-owners',
  'saga.sagas-of-owner',
  'saga.own-neglected',
  'saga.unknown-definitions',
  'saga.due',
  'saga.forget-owners',
  // By name, among the processes that there are: a handful of rows.
  'saga.end-leases-of',
  'saga.read',
  'saga.resume',
  'idempotency.lock-key',
  'idempotency.forget-messages',
  'idempotency.missing-days',
  'idempotency.past-days',
  'idempotency.purge-rest',
  'idempotency.purge-claims',
  'idempotency.lock-fences',
  'idempotency.delete-fences',
  'payment.pending-refunds',
  'payment.untold-refunds',
  // As many as one look takes, of those that are open: a disputed charge is rare.
  'payment.take-open-disputes',
  'messaging.next-batch',
  'messaging.relay-again',
  'messaging.forget-relayed',
]);

const ROWS = 100_000;
/** More than the five after which a plan may be kept. */
const EXECUTIONS = 7;
const BATCH = 64;

let database: TestDatabase;
const pools: Pool[] = [];
beforeAll(async () => {
  const migrations = [...orchestratorMigrations, ...inventoryMigrations, ...paymentMigrations, ...shippingMigrations];
  database = await testDatabase('plans', [...new Set(migrations)]);
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await database.drop();
});

function poolThat(keyLookupsOnly: boolean): Pool {
  const { databaseUrl } = database;
  const pool = createPool({
    databaseUrl,
    applicationName: 'test plans',
    max: 1,
    keyLookupsOnly,
    statementTimeoutMs: 60_000,
  });
  pools.push(pool);
  return pool;
}

function statementsByKey(): [string, string][] {
  const flushes = [storeAnswer, storeAnswerAndEvent].flatMap((hook) =>
    flushStatements(hook).map(({ name, text }): [string, string] => [name, text]),
  );
  return [...statements, ...flushes].filter(([name]) => !NOT_BY_KEY.has(name) && !/^(audit|saga-matrix)\./.test(name));
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Plans?: PlanNode[];
}

const SAMPLES: Record<string, string> = {
  // A name; and hexadecimal, where a statement decodes it.
  text: '17',
  bytea: '\\x17',
  jsonb: '{}',
  boolean: 'true',
  date: '2026-01-01',
  'timestamp with time zone': '2026-01-01',
};

/** An argument of this type, as SQL; an array has as many elements as a batch may well have. */
function sampleOf(type: string): string {
  const base = type.replace('[]', '');
  const value = SAMPLES[base] ?? '17';
  if (base === type) return `'${value}'::${type}`;
  return `array[${Array(BATCH).fill(`'${value}'::${base}`).join()}]`;
}

/** The plan that is kept, made for no values in particular; with `auto`, those that executions get until then. */
type Mode = 'force_generic_plan' | 'auto';

async function plansOf(pool: Pool, text: string, mode: Mode): Promise<PlanNode[]> {
  await pool.query(`set plan_cache_mode = ${mode}`);
  await pool.query(`prepare tested as ${text}`);
  const { rows } = await pool.query(
    `select coalesce(parameter_types::text[], '{}') as types from pg_prepared_statements where name = 'tested'`,
  );
  const values = (rows[0].types as string[]).map(sampleOf);
  const call = values.length === 0 ? 'tested' : `tested(${values.join()})`;
  const plans: PlanNode[] = [];
  for (let execution = 1; execution <= EXECUTIONS; execution++) {
    const explained = await pool.query(`explain (format json) execute ${call}`);
    plans.push(explained.rows[0]['QUERY PLAN'][0].Plan);
  }
  await pool.query('deallocate tested');
  return plans;
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

type Keys = Map<string, string[]>;

/** The columns of every index. */
async function keysOf(): Promise<Keys> {
  const { rows } = await database.pool.query(
    `select c.relname as name, array_agg(a.attname::text) as columns
       from pg_index i join pg_class c on c.oid = i.indexrelid join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace in ('public'::regnamespace, 'holdfast'::regnamespace) group by c.relname`,
  );
  return new Map(rows.map(({ name, columns }) => [name, columns]));
}

/** What belongs to one saga or one order and is few: a saga has a hundred signals at most, an order as many refunds as it has money for. */
const KEY_ENOUGH: Record<string, string[]> = {
  saga_signals_pkey: ['saga_id'],
  order_refunds_by_order: ['order_id'],
  refunds_pkey: ['tenant_id', 'order_id'],
  restocks_pkey: ['tenant_id', 'order_id'],
};

/** What in a plan reads more than the rows of a key; undefined when nothing does. */
function faultOf(node: PlanNode, keys: Keys): string | undefined {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index, 'Index Cond': condition = '' } = node;
  if (/^(Seq Scan|Hash Join|Merge Join|Tid|Sample)/.test(type)) return `${type} ${table ?? ''}`;
  if (index === undefined) return undefined;
  // An index that is read without all of its key is a scan by another name.
  const missing = (KEY_ENOUGH[index] ?? keys.get(index) ?? ['no such index']).filter(
    (column) => !condition.includes(column),
  );
  return missing.length === 0 ? undefined : `${type} ${index} without ${missing.join()}`;
}

async function faultsWith(pool: Pool, mode: Mode = 'force_generic_plan'): Promise<string[]> {
  const keys = await keysOf();
  const faults = new Set<string>();
  for (const [name, text] of statementsByKey()) {
    for (const node of (await plansOf(pool, text, mode)).flatMap(nodesOf)) {
      const fault = faultOf(node, keys);
      if (fault !== undefined) faults.add(`${name}: ${fault}`);
    }
  }
  return [...faults];
}

/** Fills every table that grows with orders, and keeps the statistics from being taken. */
async function fill(): Promise<void> {
  const key = `'shop', 'k' || n`;
  const from = `from generate_series(1, ${ROWS}) as n`;
  const inserts: [string, string][] = [
    ['holdfast.claims (tenant_id, scope, name, operation, state)', `${key}, 'act', 'act', 'completed'`],
    ['holdfast.inbox (tenant_id, scope, consumer, message_id)', `${key}, 'k', 'k'`],
    ['holdfast.fences (tenant_id, order_id, epoch)', `${key}, 1`],
    ['stock (tenant_id, sku, on_hand, unit_price, currency)', `${key}, 1, 1, 'EUR'`],
    ['stock_entries (tenant_id, sku, entry_key, kind, delta)', `${key}, 'k', 'adjust', 1`],
    [
      'reservations (tenant_id, order_id, reservation_id, state, currency, total, lines)',
      `${key}, 'r', 'held', 'EUR', 1, '[]'`,
    ],
    ['restocks (tenant_id, order_id, refund_id, state, lines)', `${key}, 'r', 'reserved', '[]'`],
    ['accounts (tenant_id, customer_id, balance, currency)', `${key}, 1, 'EUR'`],
    ['account_entries (tenant_id, customer_id, entry_key, kind, delta)', `${key}, 'k', 'adjust', 1`],
    [
      'charges (tenant_id, order_id, customer_id, method_kind, amount, currency, state)',
      `${key}, 'c', 'card', 1, 'EUR', 'created'`,
    ],
    [
      'shipments (tenant_id, order_id, shipment_id, carrier, state, ship_to, parcels)',
      `${key}, 's', false, 'booked', '{}', '[]'`,
    ],
    ['refunds (tenant_id, order_id, refund_id, origin, amount, state)', `${key}, 'r', 'api', 1, 'succeeded'`],
    [
      'order_refunds (id, order_id, tenant_id, origin, amount, currency, created_at)',
      `'r' || n, 'k' || n, 'shop', 'api', 1, 'EUR', now()`,
    ],
    ['orders (id, tenant_id, customer_id, created_at)', `'k' || n, 'shop', 'c', now()`],
    [
      'holdfast.sagas (id, definition, input, owner_id, deadline_at, changed_at)',
      `'k' || n, 'place-order', '{}', 1, now(), now()`,
    ],
    ['holdfast.saga_signals (saga_id, step, key)', `'k' || n, 'charge', 'k'`],
    ['holdfast.outbox (tenant_id, order_id, kind)', `${key}, 'dispatched'`],
    [
      'holdfast.saga_attempts (saga_id, epoch, seq, step, direction, attempt, outcome, started_at, ended_at)',
      `'k' || n, 1, 1, 'charge', 'act', 1, 'completed', now(), now()`,
    ],
  ];
  const pool = poolThat(false);
  for (const [columns, values] of inserts) {
    await pool.query(`alter table ${columns.split(' ')[0]} set (autovacuum_enabled = false)`);
    await pool.query(`insert into ${columns} select ${values} ${from}`);
  }
}

describe('the statements of an order’s way', () => {
  it('are all here', () => {
    const modules = new Set(statementsByKey().map(([name]) => name.split('.')[0]));
    expect([...modules].sort()).toEqual([
      'api-keys',
      'audit-log',
      'idempotency',
      'inventory',
      'keys',
      'messaging',
      'orders',
      'payment',
      'refunds',
      'saga',
      'sagas',
      'shipping',
    ]);
    expect(statementsByKey().length).toBeGreaterThan(55);
  });

  it('find their rows by key alone when they are prepared on an empty database', async () => {
    expect(await faultsWith(poolThat(true))).toEqual([]);
    // Seen to matter: without the setting, the same statements settle on plans that scan.
    expect(await faultsWith(poolThat(false))).not.toEqual([]);
  });

  it('find their rows by key alone on an empty database, however few rows its pages are guessed to hold', async () => {
    const { rows } = await database.pool.query<{ name: string }>(
      `select oid::regclass::text as name from pg_class
        where relnamespace in ('public'::regnamespace, 'holdfast'::regnamespace) and relkind = 'r'`,
    );
    // 10 is the least; pages that are guessed to hold few rows make reading all of an index look cheap.
    for (const { name } of rows) await database.pool.query(`alter table ${name} set (fillfactor = 10)`);
    expect(await faultsWith(poolThat(true))).toEqual([]);
  });

  it(`find their rows by key alone among ${ROWS} rows of which there are no statistics`, async () => {
    await fill();
    for (const mode of ['force_generic_plan', 'auto'] as const)
      expect(await faultsWith(poolThat(true), mode)).toEqual([]);
  });
});
