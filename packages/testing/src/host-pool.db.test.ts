import { randomUUID } from 'node:crypto';
import { createKeyedRunner, createPool, idempotencyMigrations, loadFingerprinter, purge } from '@holdfast/idempotency';
import { createEngine, defineSaga, readSaga, sagaMigrations } from '@holdfast/saga';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from './index.ts';
import type { TestDatabase } from './postgres/test-database.ts';

const LARGEST = '9223372036854775807';
/** What a program may have set for all its connections: by the type's number. */
const STRANGE: Record<number, (text: string) => unknown> = {
  16: (text) => (text === 't' ? 'yes' : 'no'),
  17: (text) => text,
  20: BigInt,
  23: (text) => `number ${text}`,
  25: (text) => ({ text }),
  114: (text) => text,
  1184: (text) => text,
  1700: Number,
  3802: (text) => text,
};

let database: TestDatabase;
let host: pg.Pool;
beforeAll(async () => {
  database = await testDatabase('host_pool', [idempotencyMigrations, sagaMigrations]);
  host = new pg.Pool({ connectionString: database.databaseUrl });
});
afterAll(async () => {
  await host.end();
  await database.drop();
});

const readLargest = async (pool: pg.Pool) => (await pool.query(`select ${LARGEST} as largest`)).rows[0].largest;

describe('the driver of a program that imports the libraries', () => {
  it('reads a bigint as before, on a pool of the program and on one of ours', async () => {
    expect(await readLargest(host)).toBe(LARGEST);
    const ours = createPool({ databaseUrl: database.databaseUrl, applicationName: 'host', max: 1 });
    expect(await readLargest(ours)).toBe(LARGEST);
    await ours.end();
  });
});

describe('a pool of the program, whose values are read in ways of its own', () => {
  const before = new Map(Object.keys(STRANGE).map((oid) => [Number(oid), pg.types.getTypeParser(Number(oid))]));
  beforeAll(() => {
    for (const [oid, parse] of Object.entries(STRANGE)) pg.types.setTypeParser(Number(oid), parse);
  });
  afterAll(() => {
    for (const [oid, parse] of before) pg.types.setTypeParser(oid, parse);
  });

  it('serves keys: first request, replay, another request, retention', async () => {
    const fingerprinter = await loadFingerprinter(host);
    const call = (amount: number) => ({
      tenantId: 'ada',
      key: 'a-key-of-the-host',
      operation: 'pay',
      fingerprint: fingerprinter.of('pay', { amount }),
      waitMs: 0,
    });
    const pay = async (tx: { query: pg.Pool['query'] }) => {
      expect((await tx.query(`select ${LARGEST} as largest`)).rows).toEqual([{ largest: BigInt(LARGEST) }]);
      return { kind: 'completed' as const, answer: Buffer.from('paid') };
    };
    const run = (amount: number) => createKeyedRunner({ pool: host }).run(call(amount), pay);
    expect(await run(5)).toEqual({ kind: 'completed', answer: Buffer.from('paid'), replayed: false });
    expect(await run(5)).toEqual({ kind: 'completed', answer: Buffer.from('paid'), replayed: true });
    expect(await run(6)).toMatchObject({ kind: 'reused' });
    const { oldestMs, ...purged } = await purge({ pool: host });
    expect(purged).toMatchObject({ claims: 0, answers: 0 });
    expect(oldestMs).toBeTypeOf('number');
  });

  it('serves sagas: one that ends, and its journal', async () => {
    const definition = defineSaga<{ to: string }, { ship: { parcel: string } }>()({
      name: 'host-saga',
      deadlineMs: 10_000,
      steps: [
        {
          name: 'ship',
          kind: 'pivot',
          timeoutMs: 1_000,
          retry: { baseMs: 10, capMs: 100, maxAttempts: 3 },
          act: async ({ input }) => ({ kind: 'completed', output: { parcel: `parcel to ${input.to}` } }),
          undo: async () => ({ kind: 'completed' }),
        },
      ],
    });
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const engine = createEngine({ pool: host, definitions: [definition], name: 'host', log });
    await engine.start();
    const id = randomUUID();
    expect((await engine.begin(definition, id, { to: 'Berlin' })).kind).toBe('begun');
    await engine.waitForEnd(id, 5_000);
    await engine.stop();
    const saga = await readSaga(host, id);
    expect(saga).toMatchObject({
      state: 'completed',
      outputs: { ship: { parcel: 'parcel to Berlin' } },
      epoch: expect.any(Number),
    });
    expect(saga?.attempts[0]).toMatchObject({ step: 'ship', startedAt: expect.any(Date) });
  });
});
