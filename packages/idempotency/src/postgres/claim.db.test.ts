import { randomUUID } from 'node:crypto';
import { type Transaction, transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fingerprinter } from '../core/fingerprint.ts';
import { idempotencyMigrations } from '../index.ts';
import {
  ask,
  attach,
  type Claim,
  type ClaimOutcome,
  type ClaimRequest,
  claim,
  complete,
  refuse,
  release,
  seal,
} from './claim.ts';
import { loadFingerprinter } from './fingerprint-secret.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('claims', [idempotencyMigrations], { lockTimeoutMs: 300 });
  fingerprinter = await loadFingerprinter(database.pool);
});
afterAll(() => database.drop());

const TENANT = 'shop';
const tx = <T>(work: (tx: Transaction) => Promise<T>) => transaction(database.pool, work);

function requestFor(key: string, extra: Partial<ClaimRequest> & { body?: object } = {}): ClaimRequest {
  const { body = { amount: 1 }, ...rest } = extra;
  const fingerprint = fingerprinter.of('charge', body, { nameMembers: true });
  return { tenantId: TENANT, key, operation: 'charge', fingerprint, ...rest };
}

const newKey = () => `${randomUUID()}:charge`;
const take = (request: ClaimRequest) => tx((t) => claim(t, request));

function held(outcome: ClaimOutcome): Claim {
  if (outcome.kind !== 'claimed' && outcome.kind !== 'resumed') throw new Error(`not held: ${outcome.kind}`);
  return outcome.claim;
}

const answer = (text: string) => Buffer.from(text);

describe('a key', () => {
  it('K1: is claimed, answered and replayed byte for byte, all in the transaction handed in', async () => {
    const key = newKey();
    await tx(async (t) => {
      expect(await complete(t, held(await claim(t, requestFor(key))), answer('\0bytes'))).toBe(true);
    });
    expect(await take(requestFor(key))).toEqual({ kind: 'completed', answer: answer('\0bytes') });
  });

  it('K1: whose transaction is rolled back was never claimed', async () => {
    const key = newKey();
    const failing = tx(async (t) => {
      await complete(t, held(await claim(t, requestFor(key))), answer('x'));
      throw new Error('the effect failed');
    });
    await expect(failing).rejects.toThrow('the effect failed');
    expect(await ask(database.pool, TENANT, key)).toEqual({ kind: 'unknown_key' });
    expect((await take(requestFor(key))).kind).toBe('claimed');
  });

  it('K2: stands for one request: another one is refused, named by its members, and changes nothing', async () => {
    const key = newKey();
    await tx(async (t) => complete(t, held(await claim(t, requestFor(key))), answer('first')));
    expect(await take(requestFor(key, { body: { amount: 2, note: 'x' } }))).toEqual({
      kind: 'reused',
      differing: ['amount', 'note'],
    });
    expect((await take({ ...requestFor(key), operation: 'refund' })).kind).toBe('reused');
    expect(await take(requestFor(key))).toEqual({ kind: 'completed', answer: answer('first') });
  });

  it('S5: refused once stays refused', async () => {
    const key = newKey();
    await tx(async (t) => refuse(t, held(await claim(t, requestFor(key))), answer('declined')));
    expect(await take(requestFor(key))).toEqual({ kind: 'refused', answer: answer('declined') });
    expect(await tx((t) => seal(t, TENANT, key, 'charge'))).toBe('refused');
    expect(await take(requestFor(key))).toEqual({ kind: 'refused', answer: answer('declined') });
  });

  it('H17: of one tenant says nothing about another tenant’s', async () => {
    const key = newKey();
    await tx(async (t) => complete(t, held(await claim(t, requestFor(key))), answer('x')));
    expect((await take({ ...requestFor(key), tenantId: 'other' })).kind).toBe('claimed');
  });

  it('is given to one of many that ask at once', async () => {
    const key = newKey();
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, () =>
        tx(async (t) => {
          const met = await claim(t, requestFor(key));
          if (met.kind === 'claimed') await complete(t, met.claim, answer('once'));
          return met.kind;
        }),
      ),
    );
    expect(outcomes.filter((kind) => kind === 'claimed')).toHaveLength(1);
    expect(outcomes.filter((kind) => kind === 'completed')).toHaveLength(11);
  });

  it('K7: held by a transaction that does not end keeps nobody waiting beyond the lock time-out', async () => {
    const key = newKey();
    const stuck = await database.pool.connect();
    try {
      await stuck.query('begin');
      await claim(stuck, requestFor(key));
      const askedAt = performance.now();
      await expect(take(requestFor(key))).rejects.toMatchObject({ code: '55P03' });
      expect(performance.now() - askedAt).toBeLessThan(3_000);
    } finally {
      await stuck.query('rollback');
      stuck.release();
    }
    expect((await take(requestFor(key))).kind).toBe('claimed');
  });
});

describe('a sealed step', () => {
  it('K3: never runs: the act that comes later is refused, every time', async () => {
    const key = newKey();
    expect(await tx((t) => seal(t, TENANT, key, 'charge'))).toBe('absent');
    expect((await take(requestFor(key))).kind).toBe('sealed');
    expect((await take(requestFor(key, { body: { amount: 99 } }))).kind).toBe('sealed');
    expect(await ask(database.pool, TENANT, key)).toEqual({ kind: 'sealed', operation: 'charge' });
  });

  it('K3: can’t be answered by an act that was under way', async () => {
    const key = newKey();
    const claimed = held(await take(requestFor(key, { leaseMs: 60_000 })));
    expect(await tx((t) => seal(t, TENANT, key, 'charge'))).toBe('in_progress');
    expect(await tx((t) => attach(t, claimed))).toBe(false);
    expect(await tx((t) => complete(t, claimed, answer('too late')))).toBe(false);
    expect((await take(requestFor(key))).kind).toBe('sealed');
  });

  it('G10: that had run answers sealed, not its old answer', async () => {
    const key = newKey();
    await tx(async (t) => complete(t, held(await claim(t, requestFor(key))), answer('x')));
    expect(await tx((t) => seal(t, TENANT, key, 'charge'))).toBe('completed');
    expect((await take(requestFor(key))).kind).toBe('sealed');
    expect(await tx((t) => seal(t, TENANT, key, 'charge'))).toBe('sealed');
  });
});

describe('a call of an order', () => {
  it('K4: with a lower epoch than the highest seen claims nothing, under whatever key', async () => {
    const orderId = randomUUID();
    const call = (name: string, epoch: number) => take(requestFor(`${orderId}:${name}`, { fence: { orderId, epoch } }));
    expect((await call('one', 2)).kind).toBe('claimed');
    expect((await call('two', 1)).kind).toBe('fenced');
    expect(await ask(database.pool, TENANT, `${orderId}:two`)).toEqual({ kind: 'unknown_key' });
    expect((await call('two', 2)).kind).toBe('claimed');
    expect((await call('three', 7)).kind).toBe('claimed');
    expect((await call('four', 6)).kind).toBe('fenced');
  });
});

describe('an effect outside the database', () => {
  it('keeps others from trying until its lease runs out, on the database’s clock; then it is resumed', async () => {
    const key = newKey();
    const first = held(await take(requestFor(key, { leaseMs: 400 })));
    expect(await take(requestFor(key, { leaseMs: 400 }))).toMatchObject({ kind: 'in_progress' });
    await database.pool.query('select pg_sleep(0.45)');
    const second = await take(requestFor(key, { leaseMs: 60_000 }));
    expect(second).toMatchObject({ kind: 'resumed', claim: { attempt: 2 } });
    // The old attempt wakes up: it may neither note progress nor answer, nor end the new one's lease.
    expect(await tx((t) => attach(t, first))).toBe(false);
    expect(await tx((t) => complete(t, first, answer('old')))).toBe(false);
    await release(database.pool, first);
    expect(await take(requestFor(key, { leaseMs: 400 }))).toMatchObject({ kind: 'in_progress' });
    expect(await tx((t) => complete(t, held(second), answer('new')))).toBe(true);
    expect(await take(requestFor(key))).toEqual({ kind: 'completed', answer: answer('new') });
  });

  it('has its whole lease, even when its transaction had waited for longer than that before', async () => {
    const key = newKey();
    await tx(async (t) => {
      await t.query('select pg_sleep(0.6)');
      await claim(t, requestFor(key, { leaseMs: 500 }));
    });
    expect(await take(requestFor(key, { leaseMs: 500 }))).toMatchObject({ kind: 'in_progress' });
    const late = await tx(async (t) => {
      await t.query('select pg_sleep(0.6)');
      return await claim(t, requestFor(key, { leaseMs: 500 }));
    });
    expect(late.kind).toBe('resumed');
  });

  it('H9: that gives its lease up lets the next attempt go on at once', async () => {
    const key = newKey();
    const first = held(await take(requestFor(key, { leaseMs: 60_000 })));
    await release(database.pool, first);
    expect((await take(requestFor(key, { leaseMs: 1_000 }))).kind).toBe('resumed');
  });

  it('G16: in flight can be asked about', async () => {
    const key = newKey();
    await take(requestFor(key, { leaseMs: 60_000 }));
    expect(await ask(database.pool, TENANT, key)).toEqual({ kind: 'in_progress', operation: 'charge' });
  });
});
