import { createLog, createMetrics } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { adjustOnce } from '../catalogue/adjust-once.ts';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import type { Retention } from './key-retention.ts';
import { claimKey, findStoredKey, settleKey } from './key-store.ts';
import { startKeySweeper } from './key-sweeper.ts';
import { OpenKeys } from './open-keys.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('keys', orchestratorMigrations);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await database.pool.query(
    `delete from keys; update sweeps set swept_to = '-infinity', holder = null, held_until = null`,
  );
});

const log = createLog('keys', 'silent');
const DAY_MS = 86_400_000;
const retention: Retention = { keyLifetimeMs: DAY_MS, tombstoneLifetimeMs: 30 * DAY_MS };
const fingerprint = { version: 1, digest: Buffer.from('this request'), members: { delta: 'x' } };
const never = new AbortController().signal;

/** Keys of one age, answered unless told otherwise. */
async function plant(
  amount: number,
  { ageMs, operation = 'POST /v1/orders', status = 201 }: { ageMs: number; operation?: string; status?: number | null },
): Promise<void> {
  await database.pool.query(
    `insert into keys (id, tenant_id, operation, resource, fingerprint, fingerprint_version, members, status, answer, created_at)
     select $1::text || n, 'shop', $2, null, '\\x00', 1, '{"a":"b"}', $3::smallint,
            case when $3::smallint is not null then 'body' end, clock_timestamp() - $4::bigint * interval '1 millisecond' + n * interval '1 microsecond'
       from generate_series(1, $5::integer) n`,
    [`${operation}-${status}-${ageMs}-`, operation, status, ageMs, amount],
  );
}

async function left(where: string): Promise<number> {
  const { rows } = await database.pool.query(`select count(*)::integer as count from keys where ${where}`);
  return rows[0].count;
}

describe('the sweep of old keys', () => {
  const sweeper = (holder: string) => {
    const metrics = createMetrics('keys');
    const started = startKeySweeper({ pool: database.pool, retention, log, metrics, holder });
    return { ...started, metrics };
  };

  it('K5: takes expired answers and leaves their keys, open ones, refusals and what is younger', async () => {
    await plant(1_700, { ageMs: DAY_MS + 60_000 });
    await plant(10, { ageMs: DAY_MS + 60_000, status: null });
    await plant(10, { ageMs: DAY_MS + 60_000, operation: 'POST /v1/stock/{sku}/adjust', status: 409 });
    await plant(10, { ageMs: DAY_MS - 60_000 });
    const { sweep, stop, metrics } = sweeper('one');
    try {
      expect(await sweep()).toBe(1_700);
      expect(await left('answer is null and status = 201 and members is null')).toBe(1_700);
      expect(await left('answer is not null')).toBe(20);
      expect(await left('status is null')).toBe(10);
      expect(await sweep()).toBe(0);
      expect(await metrics.registry.metrics()).toMatch(/holdfast_keys_swept_total\{sweep="answers",.*\} 1700/);
    } finally {
      await stop();
    }
  });

  it('K5: forgets keys past the tombstone window, but never one of an order, nor one that is open', async () => {
    await plant(600, { ageMs: 31 * DAY_MS, operation: 'POST /v1/stock/{sku}/adjust', status: 200 });
    await plant(5, { ageMs: 31 * DAY_MS, operation: 'POST /v1/stock/{sku}/adjust', status: null });
    await plant(600, { ageMs: 31 * DAY_MS });
    await plant(5, { ageMs: 29 * DAY_MS, operation: 'POST /v1/accounts/{customerId}/adjust', status: 200 });
    const { sweep, stop } = sweeper('one');
    try {
      await sweep();
    } finally {
      await stop();
    }
    expect(await left(`operation = 'POST /v1/orders'`)).toBe(600);
    expect(await left(`operation <> 'POST /v1/orders' and status is null`)).toBe(5);
    expect(await left(`operation <> 'POST /v1/orders' and status is not null`)).toBe(5);
  });

  it('is done by one process; by another one when the first has gone', async () => {
    await plant(3, { ageMs: DAY_MS + 60_000 });
    const [first, second] = [sweeper('first'), sweeper('second')];
    try {
      await plant(3, { ageMs: 2 * DAY_MS });
      expect(await first.sweep()).toBe(6);
      await plant(4, { ageMs: DAY_MS + 30_000 });
      expect(await second.sweep()).toBe(0);
      await database.pool.query(`update sweeps set held_until = clock_timestamp() - interval '1 second'`);
      expect(await second.sweep()).toBe(4);
      expect(await first.sweep()).toBe(0);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });
});

describe('a duplicate that waits', () => {
  const key = {
    operation: 'POST /v1/orders',
    fingerprint: Buffer.from('a'),
    members: {},
    createdAt: new Date(),
  } as const;
  const openKeys = (options: { lookEveryMs?: number } = {}) => {
    const listeners = new Map<string, () => void>();
    const subscribe = (id: string, listener: () => void) => {
      listeners.set(id, listener);
      return () => listeners.delete(id);
    };
    return { keys: new OpenKeys({ pool: database.pool, log, subscribe, ...options }), listeners };
  };

  it('H7: hears from the first request in its own process, without a look at the database', async () => {
    const { keys } = openKeys();
    const tell = keys.open('here', key);
    const waiting = [1, 2, 3].map(() => keys.wait('here', key, { waitMs: 5_000, signal: never }));
    tell({ status: 201, answer: 'told' });
    expect(await Promise.all(waiting)).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'answered', answer: { status: 201, answer: 'told' } })),
    );
    expect(keys.known('here')).toBeUndefined();
  });

  it('H6, K2: is compared with what the claim found, never with a request that came before it and lost', async () => {
    const { keys } = openKeys();
    const found = Promise.withResolvers<{ stored: typeof stored }>();
    const stored = { ...key, resource: null, status: null, answer: null };
    const claiming = keys.claim('claimed', () => found.promise);
    const known = keys.known('claimed');
    expect(known).toBeInstanceOf(Promise);
    found.resolve({ stored });
    expect(await known).toBe(stored);
    expect((await claiming).stored).toBe(stored);
    expect(keys.known('claimed')).toBeUndefined();
    const lost = keys.claim('lost', () => Promise.reject(new Error('no database')));
    const knownOfLost = keys.known('lost');
    await expect(lost).rejects.toThrow('no database');
    expect(await knownOfLost).toBeUndefined();
  });

  it('H7, K7: hears what another process stored; many of them cost one statement a look', async () => {
    const { keys } = openKeys();
    await plant(40, { ageMs: 0, status: null });
    const { rows } = await database.pool.query<{ id: string }>('select id from keys');
    const queries = vi.spyOn(database.pool, 'query');
    const waiting = rows.flatMap(({ id }) => [1, 2, 3].map(() => keys.wait(id, key, { waitMs: 5_000, signal: never })));
    await new Promise((resolve) => setTimeout(resolve, 160));
    await database.pool.query(`update keys set status = 201, answer = 'told ' || id`);
    const told = await Promise.all(waiting);
    expect(told.every((waited) => waited.kind === 'answered')).toBe(true);
    // The update is one of them.
    expect(queries.mock.calls.length).toBeLessThan(12);
    queries.mockRestore();
    expect(rows.some(({ id }) => keys.known(id))).toBe(false);
  });

  it('H7: is woken when another process tells, long before the next look, and when it tells again', async () => {
    const { keys } = openKeys({ lookEveryMs: 60_000 });
    await plant(1, { ageMs: 0, status: null });
    const { rows } = await database.pool.query<{ id: string }>('select id from keys where status is null');
    const id = rows[0]?.id ?? '';
    const told = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const listening = told.values();
    const untilTold = () => listening.next().value?.promise ?? new Promise<void>(() => {});
    const waiting = keys.wait(id, key, { waitMs: 20_000, signal: never, untilTold });
    // A message that was about nothing: the answer is still open.
    told[0]?.resolve();
    await database.pool.query(`update keys set status = 201, answer = 'told' where id = $1`, [id]);
    told[1]?.resolve();
    expect(await waiting).toEqual({ kind: 'answered', answer: { status: 201, answer: 'told' } });
    keys.close();
  });

  it('H7: gives up in time, when the caller hangs up, and, without time, at once', async () => {
    const { keys } = openKeys();
    keys.open('slow', key);
    expect(await keys.wait('slow', key, { waitMs: 50, signal: never })).toEqual({ kind: 'pending' });
    expect(await keys.wait('slow', key, { waitMs: 0, signal: never })).toEqual({ kind: 'pending' });
    expect(await keys.wait('slow', key, { waitMs: 10_000, signal: AbortSignal.timeout(50) })).toEqual({
      kind: 'pending',
    });
  });

  it('is sent to the row when the first request ended without an answer', async () => {
    const { keys } = openKeys();
    const tell = keys.open('lost', key);
    const waiting = keys.wait('lost', key, { waitMs: 5_000, signal: never });
    tell(undefined);
    expect(await waiting).toEqual({ kind: 'ended' });
  });
});

describe('an adjustment', () => {
  const desk = async (now = () => new Date()) => ({
    pool: database.pool,
    retention,
    now,
    fingerprinter: {
      of: () => fingerprint,
      derivedId: (...parts: string[]) => parts.join('/'),
      idOfKey: (...parts: string[]) => parts.join('/'),
    },
  });
  const adjustment = (calls: string[], overrides: object = {}) => ({
    tenantId: 'shop',
    key: 'adjustment-0123456',
    operation: 'POST /v1/stock/{sku}/adjust' as const,
    resource: '/v1/stock/tea',
    request: { sku: 'tea', delta: 1 },
    call: async (key: string) => {
      calls.push(key);
      return { status: 200, body: `call ${calls.length}`, replayed: calls.length > 1 };
    },
    read: async () => 'as it is now',
    ...overrides,
  });

  it('K1: that was called and not answered is called again under the same derived key, never under the client’s', async () => {
    const calls: string[] = [];
    const lost = { call: async (key: string) => Promise.reject(new Error(`lost ${calls.push(key)}`)) };
    await expect(adjustOnce(await desk(), adjustment(calls, lost))).rejects.toThrow('lost');
    const again = await adjustOnce(await desk(), adjustment(calls));
    expect(again).toMatchObject({ kind: 'answered', body: 'call 2' });
    expect(calls).toEqual(Array.from({ length: 2 }, () => 'order/shop/adjustment-0123456:adjust'));
    expect(await adjustOnce(await desk(), adjustment(calls))).toMatchObject({ body: 'call 2', replayed: true });
    expect(calls).toHaveLength(2);
  });

  it('H15, K5: past its retention shows the resource and calls nothing; a refusal stays one', async () => {
    const calls: string[] = [];
    const later = () => new Date(Date.now() + 2 * DAY_MS);
    await adjustOnce(await desk(), adjustment(calls));
    const past = await adjustOnce(await desk(later), adjustment(calls));
    expect(past).toMatchObject({ status: 200, body: 'as it is now', replayed: true });
    const refused = { key: 'refused-0123456789', call: async () => ({ status: 409, body: 'no', replayed: false }) };
    await adjustOnce(await desk(), adjustment(calls, refused));
    expect(await adjustOnce(await desk(later), adjustment(calls, refused))).toMatchObject({ status: 409, body: 'no' });
    expect(calls).toHaveLength(1);
  });

  it('K2: is answered once: the second of two that settle hears what the first stored', async () => {
    const id = 'order/shop/settled-0123456789';
    const claimed = {
      id,
      tenantId: 'shop',
      operation: 'POST /v1/stock/{sku}/adjust',
      resource: '/x',
      fingerprint,
    } as const;
    expect(await claimKey(database.pool, { ...claimed, createdAt: new Date() })).toBe(true);
    expect(await claimKey(database.pool, { ...claimed, createdAt: new Date() })).toBe(false);
    expect(await settleKey(database.pool, id, 200, 'first')).toEqual({ status: 200, answer: 'first' });
    expect(await settleKey(database.pool, id, 409, 'second')).toEqual({ status: 200, answer: 'first' });
    expect(await findStoredKey(database.pool, id)).toMatchObject({ status: 200, answer: 'first' });
  });
});
