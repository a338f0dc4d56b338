import { testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool, type Pool } from './pool.ts';

const CONNECT_TIMEOUT_MS = 2_000;
let pool: Pool;
let drop: () => Promise<void>;
const waits: number[] = [];
beforeAll(async () => {
  const database = await testDatabase('pool', []);
  drop = () => database.drop();
  pool = createPool({
    databaseUrl: database.databaseUrl,
    applicationName: 'test',
    max: 1,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    onAcquired: (waitedMs) => waits.push(waitedMs),
  });
});
afterAll(async () => {
  await pool.end();
  await drop();
});

describe('a pool that reports how long its callers wait', () => {
  it('reports statements and transactions, and gives both their connection', async () => {
    expect((await pool.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
    const client = await pool.connect();
    expect((await client.query<{ two: number }>('select 2 as two')).rows).toEqual([{ two: 2 }]);
    client.release();
    expect(waits.splice(0)).toHaveLength(2);
  });

  it('counts the time until another caller has given its connection back', async () => {
    const client = await pool.connect();
    const heldFromMs = performance.now();
    const behind = pool.query('select 1');
    await client.query('select pg_sleep(0.05)');
    const heldMs = performance.now() - heldFromMs;
    client.release();
    await behind;
    expect(waits.splice(0)[1]).toBeGreaterThanOrEqual(heldMs - 1);
  });

  it('counts callers, too, that got no connection', async () => {
    const client = await pool.connect();
    await expect(pool.query('select 1')).rejects.toThrow('timeout');
    client.release();
    expect(waits.splice(0)[1]).toBeGreaterThanOrEqual(CONNECT_TIMEOUT_MS - 1);
  });
});
