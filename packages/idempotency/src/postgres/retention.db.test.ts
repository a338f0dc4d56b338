import { randomUUID } from 'node:crypto';
import { createStepRunner } from '@holdfast/participant';
import { createPool, type Pool, type Transaction, transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimAndSettle, claimOne, holdOne } from '../../test/test-claims.ts';
import type { Fingerprinter } from '../core/fingerprint.ts';
import { createSingleFlight } from '../core/single-flight.ts';
import { idempotencyMigrations } from '../index.ts';
import { insertClaims } from './claims/claims.ts';
import { openClaim, settleOpenClaim } from './claims/claims-fragment.ts';
import { ask, readClaims } from './claims/read-claims.ts';
import { loadFingerprinter } from './fingerprint-secret.ts';
import { purge, rotateDays } from './retention.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('retention', [idempotencyMigrations], { keyLookupsOnly: true });
  fingerprinter = await loadFingerprinter(database.pool);
  await database.pool.query('create table effects (order_id text primary key, made integer not null)');
});
afterAll(() => database.drop());
beforeEach(async () => {
  padding = '';
  await database.pool.query('truncate holdfast.claims, holdfast.fences, holdfast.answers, effects');
});

const TENANT = 'shop';
/** Makes answers longer. */
let padding = '';
const SIZES = [
  { size: 'small', added: '', byDay: 0 },
  { size: 'large', added: '.'.repeat(600), byDay: 1 },
];
const HOUR_MS = 3_600_000;
const callOf = (orderId: string, epoch = 1) => ({
  tenantId: TENANT,
  key: `${orderId}:charge`,
  operation: 'charge',
  fingerprint: fingerprinter.of('charge', { orderId }),
  waitMs: 1_000,
  fence: { orderId, epoch },
});

/** An effect with a unique key of its own, as K5 wants it; a second run finds the first. */
const makeEffect = async (tx: Transaction, orderId: string) => {
  const made = await tx.query('insert into effects values ($1, 1) on conflict do nothing', [orderId]);
  return {
    kind: 'completed' as const,
    answer: Buffer.from(made.rowCount === 1 ? `charged ${orderId}${padding}` : `found ${orderId}`),
  };
};
const run = () =>
  createStepRunner<string>(database.pool, createSingleFlight(), {
    operation: 'charge',
    keepDays: 2,
    prepare: (tx, calls) => Promise.all(calls.map(({ request }) => makeEffect(tx, request))),
  });

const charge = async (orderId: string, epoch = 1) => await run()(callOf(orderId, epoch), orderId);
const countOf = async (table: string) =>
  (await database.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n;
const days = async () =>
  (
    await database.pool.query<{ relname: string }>(
      `select relname from pg_class where relname ~ '^answers_\\d{8}$' order by relname`,
    )
  ).rows.map(({ relname }) => relname);
/** As if everything had happened `ms` earlier. */
const age = (ms: number) =>
  database.pool.query(
    `update holdfast.claims set settled_at = settled_at - $1 * interval '1 millisecond', claimed_at = claimed_at - $1 * interval '1 millisecond'`,
    [ms],
  );

/** Runs `work` once on another connection when this pool is about to send the statement. */
function beforeStatement(pool: Pool, name: string, work: () => Promise<unknown>): void {
  pool.once('connect', (client) => {
    const { query } = client;
    const intercepted = async (...args: Parameters<typeof query>) => {
      if ((args[0] as { name?: string }).name === name) await work();
      return await query.apply(client, args);
    };
    client.query = intercepted as unknown as typeof query;
  });
}

describe('an answer', () => {
  it.each(SIZES)('K2: that is $size is given byte for byte until its last day', async ({ added, byDay }) => {
    padding = added;
    await rotateDays(database.pool);
    const orderId = randomUUID();
    await charge(orderId);
    expect(await charge(orderId)).toEqual({
      kind: 'completed',
      answer: Buffer.from(`charged ${orderId}${added}`),
      replayed: true,
    });
    expect(await countOf('holdfast.answers_rest')).toBe(0);
    expect(await countOf('holdfast.answers')).toBe(byDay);
  });

  it.each(SIZES)(
    'H15, K5: that is $size is, past its last day, what the effect says now; nothing runs, whether or not its body is still there',
    async ({ added }) => {
      padding = added;
      const orderId = randomUUID();
      await charge(orderId);
      await database.pool.query('update holdfast.claims set kept_until = kept_until - 3');
      await database.pool.query('update holdfast.answers set kept_until = kept_until - 3');
      expect(await ask(database.pool, TENANT, `${orderId}:charge`)).toEqual({
        kind: 'answer_expired',
        operation: 'charge',
      });
      const again = { kind: 'completed', answer: Buffer.from(`found ${orderId}`), replayed: true };
      expect(await charge(orderId)).toEqual(again);
      await purge({ pool: database.pool });
      expect(await countOf('holdfast.answers')).toBe(0);
      expect(await charge(orderId)).toEqual(again);
      expect(await countOf('effects')).toBe(1);
    },
  );

  it('S5: that is a refusal stays as long as its key', async () => {
    const refusing = createStepRunner<string>(database.pool, createSingleFlight(), {
      operation: 'charge',
      keepDays: 0,
      prepare: async (_, calls) => calls.map(() => ({ kind: 'refused' as const, answer: Buffer.from('declined') })),
    });
    const orderId = randomUUID();
    await refusing(callOf(orderId), orderId);
    await age(29 * 24 * HOUR_MS);
    await purge({ pool: database.pool });
    expect(await charge(orderId)).toMatchObject({ kind: 'refused', answer: Buffer.from('declined'), replayed: true });
  });
});

describe('the housekeeping', () => {
  it('drops days that are past whole, and makes those to come', async () => {
    await database.pool.query(
      `create table if not exists holdfast.answers_20200101 partition of holdfast.answers for values from ('2020-01-01') to ('2020-01-02')`,
    );
    expect(await rotateDays(database.pool)).toBe(1);
    const made = await days();
    expect(made).not.toContain('answers_20200101');
    expect(made).toHaveLength(36);
    expect(await rotateDays(database.pool)).toBe(0);
  });

  it('K5: takes away what is settled and old, and nothing that is young, in flight, or has an answer to give', async () => {
    const old = Array.from({ length: 30 }, () => randomUUID());
    for (const orderId of old) await charge(orderId);
    await database.pool.query('update holdfast.claims set kept_until = kept_until - 3');
    await age(31 * 24 * HOUR_MS);
    const edge = randomUUID();
    await charge(edge);
    // H16: made by a clock that is ahead, its key is not refused as forgotten yet.
    await database.pool.query(
      `update holdfast.claims set settled_at = settled_at - interval '30 days 11 hours', kept_until = kept_until - 3 where scope = $1`,
      [edge],
    );
    const [young, kept, running, late] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await charge(young);
    await charge(kept);
    await database.pool.query(
      `update holdfast.claims set settled_at = settled_at - interval '40 days' where scope = $1`,
      [kept],
    );
    await transaction(database.pool, (tx) => holdOne(tx, { ...callOf(running), leaseMs: 1 }));
    await database.pool.query(
      `update holdfast.claims set claimed_at = claimed_at - interval '40 days' where scope = $1`,
      [running],
    );

    // Claimed long ago, settled only now: it has been told for no time at all.
    await charge(late);
    await database.pool.query(
      `update holdfast.claims set claimed_at = claimed_at - interval '40 days', kept_until = kept_until - 3 where scope = $1`,
      [late],
    );

    const purged = await purge({ pool: database.pool });
    expect(purged).toMatchObject({ claims: 30, fences: 30 });
    const { rows } = await database.pool.query<{ scope: string }>('select scope from holdfast.claims');
    expect(rows.map(({ scope }) => scope).sort()).toEqual([edge, young, kept, running, late].sort());
    expect(await countOf('holdfast.fences')).toBe(5);
    // The key is not known any more; what was done under it is.
    expect(await charge(old[0] as string)).toMatchObject({ answer: Buffer.from(`found ${old[0]}`), replayed: false });
  });

  it('K5: keeps a pinned claim for ever, and takes the answer of a claim that stays when it has expired', async () => {
    const DAY_MS = 24 * HOUR_MS;
    const fingerprintOf = (key: string) => fingerprinter.of('order', { key }, { nameMembers: true });
    const plant = async (
      key: string,
      { operation = 'order', state = 'completed' as 'completed' | 'refused' | null, ageMs = 0 },
    ) => {
      const claimedAt = new Date();
      await openClaim(database.pool, {
        tenantId: TENANT,
        key,
        operation,
        resource: null,
        fingerprint: fingerprintOf(key),
        claimedAt,
      });
      if (state !== null) await settleOpenClaim(database.pool, { tenantId: TENANT, key }, state, Buffer.from('told'));
      await database.pool.query(
        `update holdfast.claims set claimed_at = claimed_at - $2 * interval '1 millisecond', settled_at = settled_at - $2 * interval '1 millisecond'
          where scope = $1`,
        [key, ageMs],
      );
    };
    await plant('pinned', { ageMs: 40 * DAY_MS });
    await plant('pinned-young', { ageMs: DAY_MS - HOUR_MS });
    await plant('pinned-refused', { ageMs: 40 * DAY_MS, state: 'refused' });
    await plant('pinned-open', { ageMs: 40 * DAY_MS, state: null });
    await plant('other', { operation: 'adjust', ageMs: 40 * DAY_MS });
    await plant('other-expired', { operation: 'adjust', ageMs: 2 * DAY_MS });
    await plant('other-goes-soon', { operation: 'adjust', ageMs: 30 * DAY_MS });
    const batches: string[] = [];
    const options = {
      pool: database.pool,
      pinned: ['order'],
      answerMs: DAY_MS,
      onPurged: (table: string, rows: number) => void batches.push(`${table} ${rows}`),
    };
    expect(await purge(options)).toMatchObject({ claims: 1, answers: 2 });
    expect(batches.sort()).toEqual(['answers 2', 'claims 1']);
    const { rows } = await database.pool.query<{ scope: string }>('select scope from holdfast.claims');
    const left = await readClaims(
      database.pool,
      rows.map(({ scope }) => ({ tenantId: TENANT, key: scope })),
    );
    const shown = left.map(({ key, state, answer, members }) => `${key} ${state} ${answer} ${members && 'named'}`);
    expect(shown.sort()).toEqual([
      `other-expired completed null null`,
      `other-goes-soon completed told named`,
      `pinned completed null null`,
      `pinned-open in_progress null named`,
      `pinned-refused refused told named`,
      `pinned-young completed told named`,
    ]);
    expect(await purge(options)).toMatchObject({ claims: 0, answers: 0 });
  });

  it('K4: keeps the fence of an order that is called for at that very moment', async () => {
    const orderId = randomUUID();
    await charge(orderId, 5);
    await database.pool.query('update holdfast.claims set kept_until = kept_until - 3');
    await age(31 * 24 * HOUR_MS);
    const caller = await database.pool.connect();
    await caller.query('begin');
    const request = { ...callOf(orderId, 6), key: `${orderId}:charge-again` };
    const outcome = await claimOne(caller, request);
    await purge({ pool: database.pool });
    if (outcome.kind !== 'claimed') throw new Error(`the key is ${outcome.kind}`);
    const { claim } = outcome;
    await insertClaims(caller, [{ claim, request, state: 'completed', answer: Buffer.from('done') }]);
    await caller.query('commit');
    caller.release();
    await purge({ pool: database.pool });
    expect((await database.pool.query('select epoch from holdfast.fences')).rows).toEqual([{ epoch: 6 }]);
    expect(await charge(orderId, 5)).toMatchObject({ kind: 'fenced' });
  });

  it('K4: keeps the fence of an order that has a younger claim', async () => {
    const orderId = randomUUID();
    await charge(orderId, 5);
    await database.pool.query('update holdfast.claims set kept_until = kept_until - 3');
    await age(31 * 24 * HOUR_MS);
    const request = { ...callOf(orderId, 6), key: `${orderId}:charge-again` };
    await transaction(database.pool, (tx) => claimAndSettle(tx, request, Buffer.from('done')));
    await purge({ pool: database.pool });
    expect((await database.pool.query('select epoch from holdfast.fences')).rows).toEqual([{ epoch: 6 }]);
  });

  it('K4: keeps the fence of an order whose younger claim commits while the fence is being locked', async () => {
    const orderId = randomUUID();
    await charge(orderId, 5);
    await database.pool.query('update holdfast.claims set kept_until = kept_until - 3');
    await age(31 * 24 * HOUR_MS);
    const commitYounger = () =>
      database.pool.query(
        `insert into holdfast.claims (tenant_id, scope, name, operation, state, settled_at)
         values ($1, $2, 'charge-again', 'charge', 'refused', clock_timestamp())`,
        [TENANT, orderId],
      );
    const pool = createPool({ databaseUrl: database.databaseUrl, applicationName: 'retention', max: 1 });
    beforeStatement(pool, 'idempotency.delete-fences', commitYounger);
    await purge({ pool });
    await pool.end();
    expect(await countOf('holdfast.claims')).toBe(1);
    expect(await countOf('holdfast.fences')).toBe(1);
  });

  it('does not wait for the disk behind a batch, and leaves its connection to others as it was', async () => {
    for (let n = 0; n < 3; n++) await charge(randomUUID());
    await database.pool.query('update holdfast.claims set kept_until = kept_until - 3');
    await age(31 * 24 * HOUR_MS);
    // What is in force where rows go, told by the rows' own tables.
    await database.pool.query(`
      create table commits (of text not null, waits text not null);
      create function note_commit() returns trigger language plpgsql as
        $$ begin insert into commits values (tg_table_name, current_setting('synchronous_commit')); return null; end $$;
      create trigger note_commit after delete on holdfast.claims for each statement execute function note_commit();
      create trigger note_commit after delete on holdfast.fences for each statement execute function note_commit()`);
    const one = createPool({
      databaseUrl: database.databaseUrl,
      applicationName: 'retention',
      max: 1,
      keyLookupsOnly: true,
    });
    try {
      expect(await purge({ pool: one })).toMatchObject({ claims: 3, fences: 3 });
      expect((await one.query('select distinct waits from commits')).rows).toEqual([{ waits: 'off' }]);
      expect((await one.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
    } finally {
      await one.end();
      await database.pool.query('drop function note_commit cascade; drop table commits');
    }
  });

  it('is done by one process at a time', async () => {
    for (let n = 0; n < 5; n++) await charge(randomUUID());
    await database.pool.query('update holdfast.claims set kept_until = kept_until - 3');
    await age(31 * 24 * HOUR_MS);
    const other = await database.pool.connect();
    await other.query('begin');
    await other.query("select pg_advisory_xact_lock(7415927, 'holdfast.claims'::regclass::oid::int)");
    expect(await purge({ pool: database.pool })).toMatchObject({ claims: 0, fences: 0, days: 0 });
    await other.query('rollback');
    other.release();
    expect(await purge({ pool: database.pool })).toMatchObject({ claims: 5, fences: 5 });
  });
});

describe('a walk', () => {
  /** Every batch takes 10 ms. */
  const restsOf = async (days: number) => {
    await charge('a');
    await database.pool.query('update holdfast.claims set kept_until = kept_until - $1::int', [days]);
    await age(days * 24 * HOUR_MS);
    const rests: number[] = [];
    let now = 0;
    const clock = { now: () => (now += 10), pause: async (ms: number) => void rests.push(ms) };
    await purge({ pool: database.pool, clock });
    return rests;
  };

  it('K7: that finds nothing to remove rests for nine tenths of its time, so that callers have the core', async () => {
    expect(await restsOf(1)).toEqual([90, 90]);
  });

  it('K7: that removes something rests as long as that took', async () => {
    expect(await restsOf(31)).toEqual([10, 10]);
  });
});
