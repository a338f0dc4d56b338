import { randomUUID } from 'node:crypto';
import { type Transaction, transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimAndSettle, claimOne, holdOne, sealOne, settleHeld } from '../../../test/test-claims.ts';
import type { Fingerprinter } from '../../core/fingerprint.ts';
import { isSameRequest } from '../../core/same-request.ts';
import { idempotencyMigrations } from '../../index.ts';
import { loadFingerprinter } from '../fingerprint-secret.ts';
import { type Claim, ClaimedMeanwhile, type ClaimOutcome, type ClaimRequest, claimKeys } from './claims.ts';
import { FENCE_STEP } from './fences.ts';
import { attachClaims, releaseClaims } from './held-claims.ts';
import { ask } from './read-claims.ts';

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
/** What a call under this key comes to; where it is new, it is held when it has a lease, and otherwise left as it is. */
const take = (request: ClaimRequest) =>
  tx((t) => (request.leaseMs === undefined ? claimOne(t, request) : holdOne(t, request)));
const seal = (key: string) => tx((t) => sealOne(t, TENANT, key, 'charge'));

function held(outcome: ClaimOutcome): Claim {
  if (outcome.kind !== 'claimed' && outcome.kind !== 'resumed') throw new Error(`not held: ${outcome.kind}`);
  return outcome.claim;
}

const answer = (text: string) => Buffer.from(text);

describe('a key', () => {
  it('K1: is claimed, answered and replayed byte for byte, all in the transaction handed in', async () => {
    const key = newKey();
    await tx(async (t) => {
      expect((await claimAndSettle(t, requestFor(key), answer('\0bytes'))).kind).toBe('claimed');
    });
    expect(await take(requestFor(key))).toEqual({ kind: 'completed', answer: answer('\0bytes') });
  });

  it('K1: whose transaction is rolled back was never claimed', async () => {
    const key = newKey();
    const failing = tx(async (t) => {
      await claimAndSettle(t, requestFor(key), answer('x'));
      throw new Error('the effect failed');
    });
    await expect(failing).rejects.toThrow('the effect failed');
    expect(await ask(database.pool, TENANT, key)).toEqual({ kind: 'not_found' });
    expect((await take(requestFor(key))).kind).toBe('claimed');
  });

  it('K2: stands for one request: another one is refused, named by its members, and changes nothing', async () => {
    const key = newKey();
    await tx((t) => claimAndSettle(t, requestFor(key), answer('first')));
    expect(await take(requestFor(key, { body: { amount: 2, note: 'x' } }))).toEqual({
      kind: 'reused',
      differing: ['amount', 'note'],
    });
    expect((await take({ ...requestFor(key), operation: 'refund' })).kind).toBe('reused');
    expect(await take(requestFor(key))).toEqual({ kind: 'completed', answer: answer('first') });
  });

  it('S5: refused once stays refused', async () => {
    const key = newKey();
    await tx((t) => claimAndSettle(t, requestFor(key), answer('declined'), 'refused'));
    expect(await take(requestFor(key))).toEqual({ kind: 'refused', answer: answer('declined') });
    expect(await seal(key)).toBe('refused');
    expect(await take(requestFor(key))).toEqual({ kind: 'refused', answer: answer('declined') });
  });

  it('H17: of one tenant says nothing about another tenant’s', async () => {
    const key = newKey();
    await tx((t) => claimAndSettle(t, requestFor(key), answer('x')));
    const other = await tx((t) => claimAndSettle(t, { ...requestFor(key), tenantId: 'other' }, answer('y')));
    expect(other.kind).toBe('claimed');
  });

  it('K2: is given to one of many that ask at once; the others find it when they try again', async () => {
    const key = newKey();
    const once = async (): Promise<string> => {
      try {
        return await tx(async (t) => (await claimAndSettle(t, requestFor(key), answer('once'))).kind);
      } catch (error) {
        if (error instanceof ClaimedMeanwhile) return await once();
        throw error;
      }
    };
    const outcomes = await Promise.all(Array.from({ length: 12 }, once));
    expect(outcomes.filter((kind) => kind === 'claimed')).toHaveLength(1);
    expect(outcomes.filter((kind) => kind === 'completed')).toHaveLength(11);
  });

  it('K7: whose row another transaction holds keeps nobody waiting beyond the lock time-out', async () => {
    const key = newKey();
    const stuck = await database.pool.connect();
    try {
      await stuck.query('begin');
      await claimAndSettle(stuck, requestFor(key), answer('never'));
      const askedAt = performance.now();
      const waiting = tx((t) => claimAndSettle(t, requestFor(key), answer('x')));
      await expect(waiting).rejects.toMatchObject({ code: '55P03' });
      expect(performance.now() - askedAt).toBeLessThan(3_000);
    } finally {
      await stuck.query('rollback');
      stuck.release();
    }
    expect((await take(requestFor(key))).kind).toBe('claimed');
  });

  it('K2: is compared in the database as isSameRequest() compares', async () => {
    const requests = ['charge', 'refund'].flatMap((operation) =>
      [1, 2].map((amount) => ({ ...requestFor(newKey(), { body: { amount } }), operation })),
    );
    for (const stored of requests) {
      await tx((t) => claimAndSettle(t, stored, answer('x')));
      for (const sent of requests) {
        const [outcome] = await tx((t) => claimKeys(t, [{ ...sent, key: stored.key }]));
        const same = isSameRequest({ ...stored, fingerprint: stored.fingerprint.digest }, sent);
        expect(outcome?.kind).toBe(same ? 'completed' : 'reused');
      }
    }
  });
});

describe('a sealed step', () => {
  it('K3: never runs: the act that comes later is refused, every time', async () => {
    const key = newKey();
    expect(await seal(key)).toBe('not_found');
    expect((await take(requestFor(key))).kind).toBe('sealed');
    expect((await take(requestFor(key, { body: { amount: 99 } }))).kind).toBe('sealed');
    expect(await ask(database.pool, TENANT, key)).toEqual({ kind: 'sealed', operation: 'charge' });
  });

  it('K3: can’t be answered by an act that was under way', async () => {
    const key = newKey();
    const claimed = held(await take(requestFor(key, { leaseMs: 60_000 })));
    expect(await seal(key)).toBe('in_progress');
    expect(await tx((t) => attachClaims(t, [claimed]))).toEqual([undefined]);
    expect(await tx((t) => settleHeld(t, claimed, answer('too late')))).toBe(false);
    expect((await take(requestFor(key))).kind).toBe('sealed');
  });

  it('G10: that had run answers sealed, not its old answer', async () => {
    const key = newKey();
    await tx((t) => claimAndSettle(t, requestFor(key), answer('x')));
    expect(await seal(key)).toBe('completed');
    expect((await take(requestFor(key))).kind).toBe('sealed');
    expect(await seal(key)).toBe('sealed');
  });
});

describe('a call of an order', () => {
  it('K4: raises a fence by one step at most, and an owner far above it climbs by calling again', async () => {
    const orderId = 'far-ahead';
    const call = (name: string, epoch: number) => take(requestFor(`${orderId}:${name}`, { fence: { orderId, epoch } }));
    expect(await call('poison', 999_999_999_999_999)).toEqual({ kind: 'fence_rising' });
    expect(await call('owner', 7)).toEqual({ kind: 'fenced', epoch: FENCE_STEP });
    expect((await call('freed', FENCE_STEP + 1)).kind).toBe('claimed');
    const late = 3 * FENCE_STEP;
    expect((await call('late', late)).kind).toBe('fence_rising');
    expect((await call('late', late)).kind).toBe('claimed');
    expect(await call('before', late - 1)).toEqual({ kind: 'fenced', epoch: late });
  });

  it('K4: with a lower epoch than the highest seen claims nothing, under whatever key', async () => {
    const orderId = randomUUID();
    const call = (name: string, epoch: number) => take(requestFor(`${orderId}:${name}`, { fence: { orderId, epoch } }));
    expect((await call('one', 2)).kind).toBe('claimed');
    expect((await call('two', 1)).kind).toBe('fenced');
    expect(await ask(database.pool, TENANT, `${orderId}:two`)).toEqual({ kind: 'not_found' });
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
    expect(await tx((t) => attachClaims(t, [first]))).toEqual([undefined]);
    expect(await tx((t) => settleHeld(t, first, answer('old')))).toBe(false);
    await releaseClaims(database.pool, [first]);
    expect(await take(requestFor(key, { leaseMs: 400 }))).toMatchObject({ kind: 'in_progress' });
    expect(await tx((t) => settleHeld(t, held(second), answer('new')))).toBe(true);
    expect(await take(requestFor(key))).toEqual({ kind: 'completed', answer: answer('new') });
  });

  it('has its whole lease, even when its transaction had waited for longer than that before', async () => {
    const key = newKey();
    await tx(async (t) => {
      await t.query('select pg_sleep(0.6)');
      await holdOne(t, requestFor(key, { leaseMs: 500 }));
    });
    expect(await take(requestFor(key, { leaseMs: 500 }))).toMatchObject({ kind: 'in_progress' });
    const late = await tx(async (t) => {
      await t.query('select pg_sleep(0.6)');
      return await holdOne(t, requestFor(key, { leaseMs: 500 }));
    });
    expect(late.kind).toBe('resumed');
  });

  it('H9: that gives its lease up lets the next attempt go on at once', async () => {
    const key = newKey();
    const first = held(await take(requestFor(key, { leaseMs: 60_000 })));
    await releaseClaims(database.pool, [first]);
    expect((await take(requestFor(key, { leaseMs: 1_000 }))).kind).toBe('resumed');
  });

  it('G16: in flight can be asked about', async () => {
    const key = newKey();
    await take(requestFor(key, { leaseMs: 60_000 }));
    expect(await ask(database.pool, TENANT, key)).toEqual({ kind: 'in_progress', operation: 'charge' });
  });
});
