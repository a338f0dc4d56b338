import { transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdOne, sealOne, settleHeld } from '../../test/test-claims.ts';
import type { Fingerprinter } from '../core/fingerprint.ts';
import { createKeyedRunner, createPool, type Effect, idempotencyMigrations, newKey, type Pool } from '../index.ts';
import { loadFingerprinter } from './fingerprint-secret.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('keyed_runner', [idempotencyMigrations]);
  fingerprinter = await loadFingerprinter(database.pool);
  await database.pool.query('create table effects (key text not null)');
});
afterAll(() => database.drop());

const callOf = (key: string, waitMs = 0) => ({
  tenantId: 'ada',
  key,
  operation: 'pay',
  fingerprint: fingerprinter.of('pay', { amount: 5 }),
  waitMs,
});

const effect =
  (key: string, during: () => Promise<unknown> = async () => {}, answer = 'done'): Effect =>
  async (tx) => {
    await tx.query('insert into effects (key) values ($1)', [key]);
    await during();
    return { kind: 'completed', answer: Buffer.from(answer) };
  };

const effectsOf = async (key: string) =>
  (await database.pool.query('select from effects where key = $1', [key])).rows.length;

describe.each([false, true])('a duplicate in another process, pipelined: %s', (pipeline) => {
  it('K2, G5: that looks while the first one commits is in flight or replayed; its effect never runs', async () => {
    const pool = createPool({ databaseUrl: database.databaseUrl, applicationName: 'keyed-runner', pipeline });
    const [one, other] = [createKeyedRunner({ pool }), createKeyedRunner({ pool })];
    const key = newKey();
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const during = async () => {
      begun.resolve();
      await end.promise;
    };
    await withSlowLooks(async () => {
      const first = one.run(callOf(key), effect(key, during));
      await begun.promise;
      const looking = other.run(callOf(key), () => Promise.reject(new Error('it ran again')));
      await untilAsleep();
      end.resolve();
      expect((await first).kind).toBe('completed');
      expect(['in_progress', 'completed']).toContain((await looking).kind);
      await pool.end();
    });
    expect(await effectsOf(key)).toBe(1);
  });
});

/** Every look at the claims takes a while, after its snapshot was taken. */
async function withSlowLooks(work: () => Promise<void>): Promise<void> {
  await database.pool.query(`
    alter table holdfast.claims rename to claims_rows;
    create view holdfast.claims as select * from holdfast.claims_rows where (select pg_sleep(0.5)) is not null`);
  try {
    await work();
  } finally {
    await database.pool.query('drop view holdfast.claims; alter table holdfast.claims_rows rename to claims');
  }
}

async function untilAsleep(): Promise<void> {
  const asleep = `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`;
  for (let look = 0; look < 1_000; look++) {
    if ((await database.pool.query(asleep)).rows.length > 0) return;
  }
  throw new Error('nobody looks at the claims');
}

describe.each([false, true])(
  'a key that is settled by somebody else while its effect runs, pipelined: %s',
  (pipeline) => {
    let pool: Pool;
    beforeAll(() => {
      pool = createPool({ databaseUrl: database.databaseUrl, applicationName: 'keyed-runner', pipeline });
    });
    afterAll(() => pool.end());

    it('K3: sealed meanwhile: the effect is rolled back, and it never runs', async () => {
      const runner = createKeyedRunner({ pool });
      const key = newKey();
      const sealing = effect(key, () => sealOne(database.pool, 'ada', key, 'pay'));
      expect(await runner.run(callOf(key), sealing)).toEqual({ kind: 'in_progress' });
      expect(await runner.run(callOf(key), effect(key))).toEqual({ kind: 'sealed' });
      expect(await effectsOf(key)).toBe(0);
    });

    it('K2: by the same request, past locks that did not keep them apart: one effect, and its answer', async () => {
      const runner = createKeyedRunner({ pool });
      const key = newKey();
      const { digest } = fingerprinter.of('pay', { amount: 5 });
      const settled = effect(key, () =>
        database.pool.query(
          `insert into holdfast.claims (tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, answer)
         values ('ada', $1, '', 'pay', 'completed', $2, 1, 'theirs')`,
          [key, digest],
        ),
      );
      const answered = await runner.run(callOf(key, 5_000), settled);
      expect(answered).toEqual({ kind: 'completed', answer: Buffer.from('theirs'), replayed: true });
      expect(await effectsOf(key)).toBe(0);
    });
  },
);

const never: Effect = () => Promise.reject(new Error('it ran again'));
const LONGEST_IN_CLAIM = 512;
const ANSWERS = [
  { size: 'short', answer: '\0'.repeat(LONGEST_IN_CLAIM), byDay: 0 },
  { size: 'long', answer: '\0'.repeat(LONGEST_IN_CLAIM + 1), byDay: 1 },
];

describe.each([false, true])('an answer, pipelined: %s', (pipeline) => {
  let pool: Pool;
  beforeAll(() => {
    pool = createPool({ databaseUrl: database.databaseUrl, applicationName: 'keyed-runner', pipeline });
  });
  afterAll(() => pool.end());
  const answersOf = async (key: string) =>
    (await database.pool.query('select from holdfast.answers where scope = $1', [key])).rows.length;
  /** What a write would have left in the key's row. */
  const rowOf = async (key: string) =>
    (await database.pool.query('select ctid, xmin::text, xmax::text from holdfast.claims where scope = $1', [key]))
      .rows;

  it.each(ANSWERS)(
    'K2: that is $size is kept where it costs least, and replayed byte for byte without a write',
    async ({ answer, byDay }) => {
      const key = newKey();
      const first = await createKeyedRunner({ pool }).run(callOf(key), effect(key, undefined, answer));
      expect(first).toEqual({ kind: 'completed', answer: Buffer.from(answer), replayed: false });
      expect(await answersOf(key)).toBe(byDay);
      const before = await rowOf(key);
      for (let again = 0; again < 2; again++) {
        const replay = await createKeyedRunner({ pool }).run(callOf(key), never);
        expect(replay).toEqual({ ...first, replayed: true });
      }
      expect(await rowOf(key)).toEqual(before);
    },
  );

  it.each(ANSWERS)('H15, K5: that is $size is not given past its last day, and nothing runs', async ({ answer }) => {
    const key = newKey();
    await createKeyedRunner({ pool }).run({ ...callOf(key), keepDays: 2 }, effect(key, undefined, answer));
    await database.pool.query('update holdfast.claims set kept_until = kept_until - 3 where scope = $1', [key]);
    await database.pool.query('update holdfast.answers set kept_until = kept_until - 3 where scope = $1', [key]);
    expect(await createKeyedRunner({ pool }).run(callOf(key), never)).toEqual({ kind: 'answer_expired' });
  });

  it.each(ANSWERS)('S5: that is a $size refusal stays in its key’s row, for ever', async ({ answer }) => {
    const key = newKey();
    const refusal = { kind: 'refused' as const, answer: Buffer.from(answer) };
    await createKeyedRunner({ pool }).run(callOf(key), async () => refusal);
    expect(await answersOf(key)).toBe(0);
    const { rows } = await database.pool.query('select kept_until from holdfast.claims where scope = $1', [key]);
    expect(rows).toEqual([{ kept_until: null }]);
    expect(await createKeyedRunner({ pool }).run(callOf(key), never)).toEqual({ ...refusal, replayed: true });
  });

  it.each(ANSWERS)(
    'K2: that is $size, stored when it was held outside, is kept in the same place',
    async ({ answer, byDay }) => {
      const key = newKey();
      await transaction(pool, async (tx) => {
        const met = await holdOne(tx, { ...callOf(key), leaseMs: 60_000 });
        if (met.kind !== 'claimed') throw new Error(`the key is ${met.kind}`);
        await settleHeld(tx, met.claim, Buffer.from(answer));
      });
      expect(await answersOf(key)).toBe(byDay);
      const replay = await createKeyedRunner({ pool }).run(callOf(key), never);
      expect(replay).toEqual({ kind: 'completed', answer: Buffer.from(answer), replayed: true });
    },
  );
});
