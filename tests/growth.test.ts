import { randomUUID } from 'node:crypto';
import { DATABASES, type Database, type GrowProgress, grow, settle } from '@holdfast/bench';
import { newKey } from '@holdfast/idempotency';
import { createPool, type Pool } from '@holdfast/postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectSound, type System, setUpCatalogue, startSystem } from './system.ts';

// What the bench grows must be what the services would have left: else it measures something else.

const PLACED = 40;
const GROWN = 520;
const CHUNK = 200;
const PARKED = 3;

let system: System;
const pools = new Map<Database, Pool>();
beforeAll(async () => {
  system = await startSystem({ env: { shipping: { CARRIER_URL: undefined } } });
  await setUpCatalogue(system);
  for (const name of DATABASES) {
    const databaseUrl = system.cluster.databaseUrl(name);
    pools.set(name, createPool({ databaseUrl, applicationName: 'test growth', max: 1 }));
  }
});
afterAll(async () => {
  for (const pool of pools.values()) await pool.end();
  await system?.stop();
});

async function place(customerId: string, status: string, key = newKey()): Promise<void> {
  const placed = await system.place({ customerId, payment: { method: 'balance' } }, { key, prefer: 'wait=20' });
  expect(placed.body).toMatchObject({ status });
}

/** How many rows each table that grows with orders has. */
async function countRows(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, pool] of pools) {
    for (const { table, count } of await countsIn(pool)) counts[`${name}.${table}`] = count;
  }
  return counts;
}

async function countsIn(pool: Pool): Promise<{ table: string; count: number }[]> {
  const { rows } = await pool.query<{ table: string }>(
    `select oid::regclass::text as table from pg_class
      where relkind = 'r' and relnamespace in ('public'::regnamespace, 'holdfast'::regnamespace)`,
  );
  const counts: { table: string; count: number }[] = [];
  for (const { table } of rows) {
    const found = await pool.query<{ count: number }>(`select count(*) as count from ${table}`);
    counts.push({ table, count: found.rows[0]?.count ?? 0 });
  }
  return counts;
}

function differences(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const entries = Object.entries(after).map(([name, count]): [string, number] => [name, count - (before[name] ?? 0)]);
  return Object.fromEntries(entries.filter(([, added]) => added !== 0));
}

const idsIn = async (state: string): Promise<string[]> => {
  const found = await pools
    .get('orchestrator')
    ?.query<{ id: string }>('select id from holdfast.sagas where state = $1', [state]);
  return found?.rows.map(({ id }) => id) ?? [];
};

it('copies an order’s rows, all of them, in books that are sound (A1)', async () => {
  const empty = await countRows();
  for (let placed = 0; placed < PLACED; placed++)
    await place('ann', 'completed', placed % 2 === 0 ? newKey() : randomUUID());
  const byPlacing = await countRows();
  const progress: GrowProgress[] = [];
  const { databaseUrl } = system.cluster;
  await grow({
    databaseUrl,
    orders: GROWN,
    kind: 'finished',
    spanMs: 3_600_000,
    chunk: CHUNK,
    onProgress: (each) => progress.push(each),
  });
  await settle(databaseUrl);

  const each = (counts: Record<string, number>, orders: number) =>
    Object.fromEntries(Object.entries(counts).map(([table, rows]) => [table, rows / orders]));
  const written = differences(empty, byPlacing);
  const copied = differences(byPlacing, await countRows());
  expect(each(copied, GROWN)).toEqual(each(written, PLACED));
  expect(Object.keys(copied).length).toBeGreaterThan(10);
  expect(progress.map(({ done }) => done)).toEqual([CHUNK, 2 * CHUNK, GROWN]);
  await expectSound(system);
});

it('leaves orders that the system knows as its own', async () => {
  const ids = await idsIn('completed');
  expect(ids).toHaveLength(PLACED + GROWN);
  for (const id of ids.slice(-5)) {
    const { body } = await system.send('GET', `/v1/orders/${id}`);
    expect(body).toMatchObject({ id, status: 'completed', shipmentId: `shp_${id}`, paymentId: `pay_${id}` });
  }
  // None older than it should be, none of the future.
  const ages = await pools.get('orchestrator')?.query<{ oldest: number; youngest: number }>(
    `select extract(epoch from clock_timestamp() - min(created_at))::float8 as oldest,
              extract(epoch from clock_timestamp() - max(created_at))::float8 as youngest from orders`,
  );
  expect(ages?.rows[0]?.oldest).toBeGreaterThan(3_500);
  expect(ages?.rows[0]?.oldest).toBeLessThan(3_700);
  expect(ages?.rows[0]?.youngest).toBeGreaterThan(0);
});

it('puts copies where their orders’ own ids would be: by the time of the key, where it has one, at random otherwise', async () => {
  const orders = await pools
    .get('orchestrator')
    ?.query<{ id: string; at: Date }>('select id, created_at as at from orders');
  const isDated = ({ id, at }: { id: string; at: Date }) =>
    Math.abs(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - at.getTime()) < 10_000;
  const dated = orders?.rows.filter(isDated) ?? [];
  expect(dated).toHaveLength((PLACED + GROWN) / 2);
  for (const { id } of orders?.rows ?? [])
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

it('parks sagas as the engine does, so that an operator can go on with one', async () => {
  await place('poor', 'failed');
  const { databaseUrl } = system.cluster;
  await grow({ databaseUrl, orders: PARKED, kind: 'parked', spanMs: 3_600_000 });
  await expectSound(system);

  const [id] = await idsIn('parked');
  const { body } = await system.send('GET', '/v1/sagas?status=parked');
  expect(body.sagas).toHaveLength(PARKED);
  expect((await system.send('POST', `/v1/sagas/${id}/resume`)).status).toBeLessThan(300);
  expect(await system.untilEnded(id ?? '')).toMatchObject({ status: 'failed' });
  await expectSound(system);
});
