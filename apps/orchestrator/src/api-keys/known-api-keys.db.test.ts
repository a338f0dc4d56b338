import { randomBytes } from 'node:crypto';
import type { Query } from '@holdfast/postgres';
import { createLog } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Verdict } from '../auth.ts';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import { apiKeyOf, digestOf } from './api-key.ts';
import { insertApiKey, type NewApiKey, revokeApiKey } from './api-key-store.ts';
import { KnownApiKeys } from './known-api-keys.ts';
import { newApiKey, randomApiKeyId } from './make-api-key.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('known_api_keys', orchestratorMigrations, { keyLookupsOnly: true });
});
afterAll(() => database?.drop());

const UNKNOWN = { kind: 'unknown' };
const UNAVAILABLE = { kind: 'unavailable' };
const log = createLog('known-api-keys', 'silent');

/** One replica; its clock is moved by hand, and its database is away when it is told so. */
class Replica {
  statements = 0;
  isAway = false;
  laterMs = 0;
  readonly known: KnownApiKeys;

  constructor(maxKnown = 100) {
    const query = (...call: Parameters<Query['query']>) => {
      this.statements += 1;
      if (this.isAway) return Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }));
      return (database.pool.query as (...call: unknown[]) => unknown)(...call);
    };
    const nowMs = () => performance.now() + this.laterMs;
    this.known = new KnownApiKeys({ db: { query } as unknown as Query, log, nowMs, maxKnown });
  }

  judge(key: string): Verdict | Promise<Verdict> {
    return this.known.verdictOf(key, digestOf(key).toString('base64'));
  }
}

let replica: Replica;
beforeEach(() => {
  replica = new Replica();
});

async function make(own: Partial<NewApiKey> = {}): Promise<{ id: string; key: string }> {
  const id = randomApiKeyId();
  const { key, digest } = newApiKey(id);
  const made = await insertApiKey(database.pool, {
    id,
    tenantId: 'shop',
    name: 'till',
    scopes: ['orders:read', 'orders:write'],
    digest,
    notBefore: undefined,
    expiresAt: undefined,
    createdAt: new Date(),
    ...own,
  });
  expect(made?.id).toBe(id);
  return { id, key };
}
/** Of the right form, and nobody's. */
const madeUp = () => apiKeyOf(randomApiKeyId(), randomBytes(32));
const inMs = (ms: number) => new Date(Date.now() + ms);
const callerOf = (verdict: Verdict) => (verdict.kind === 'caller' ? verdict.caller : undefined);

describe('a key that was made at run time', () => {
  it('T1: is its tenant’s, with its scopes', async () => {
    const { key } = await make({ tenantId: 'other', scopes: ['refunds:write'] });
    const caller = callerOf(await replica.judge(key));
    expect([caller?.tenantId, [...(caller?.scopes ?? [])]]).toEqual(['other', ['refunds:write']]);
  });

  it('T3: is looked up once, by those who come together, and is asked of nobody from then on', async () => {
    const { key } = await make();
    const first = await Promise.all(Array.from({ length: 50 }, () => replica.judge(key)));
    expect(new Set(first.map(({ kind }) => kind))).toEqual(new Set(['caller']));
    for (let times = 0; times < 100; times++) expect(replica.judge(key)).toBe(first[0]);
    expect(replica.statements).toBe(1);
  });

  it('T1: opens nothing with another secret under its id', async () => {
    const { id, key } = await make();
    await replica.judge(key);
    expect(replica.judge(apiKeyOf(id, randomBytes(32)))).toEqual(UNKNOWN);
    expect(await new Replica().judge(apiKeyOf(id, randomBytes(32)))).toEqual(UNKNOWN);
    expect(replica.statements).toBe(1);
  });

  it('T3: revoked by another replica, opens nothing after the next look, and ends what it has under way', async () => {
    const [kept, revoked] = [await make(), await make()];
    const caller = callerOf(await replica.judge(revoked.key));
    await replica.judge(kept.key);
    await revokeApiKey(database.pool, 'shop', revoked.id);
    expect(caller?.ended?.aborted).toBe(false);
    await replica.known.look();
    expect(await replica.judge(revoked.key)).toEqual(UNKNOWN);
    expect(caller?.ended?.aborted).toBe(true);
    expect((replica.judge(kept.key) as Verdict).kind).toBe('caller');
  });

  it('T3: revoked by this replica, opens nothing from then on', async () => {
    const { id, key } = await make();
    await replica.judge(key);
    await revokeApiKey(database.pool, 'shop', id);
    replica.known.forget(id);
    expect(await replica.judge(key)).toEqual(UNKNOWN);
  });

  it('T3: is looked at without being asked for, until it is closed', async () => {
    const { id, key } = await make();
    const caller = callerOf(await replica.judge(key));
    await revokeApiKey(database.pool, 'shop', id);
    replica.known.start();
    await expect.poll(() => caller?.ended?.aborted, { timeout: 9_000 }).toBe(true);
    replica.known.close();
  });

  it('T3: counts for 10 s unseen and no longer: then it can’t be judged, until the database answers again', async () => {
    const { key } = await make();
    await replica.judge(key);
    replica.isAway = true;
    await expect(replica.known.look()).rejects.toThrow('connection refused');
    replica.laterMs = 9_500;
    expect((replica.judge(key) as Verdict).kind).toBe('caller');
    replica.laterMs = 10_500;
    expect(await replica.judge(key)).toEqual(UNAVAILABLE);
    replica.isAway = false;
    replica.laterMs += 1_000;
    expect((await replica.judge(key)).kind).toBe('caller');
  });

  it('T3: revoked while this replica could not look, never counts again', async () => {
    const { id, key } = await make();
    await replica.judge(key);
    replica.isAway = true;
    await revokeApiKey(database.pool, 'shop', id);
    replica.laterMs = 10_500;
    expect(await replica.judge(key)).toEqual(UNAVAILABLE);
    replica.isAway = false;
    replica.laterMs += 1_000;
    expect(await replica.judge(key)).toEqual(UNKNOWN);
  });

  it('T3: is asked about once in a second while the database is away, however many come with it', async () => {
    const { key } = await make();
    replica.isAway = true;
    for (let times = 0; times < 100; times++) expect(await replica.judge(key)).toEqual(UNAVAILABLE);
    expect(replica.statements).toBe(1);
    replica.laterMs = 1_100;
    expect(await replica.judge(key)).toEqual(UNAVAILABLE);
    expect(replica.statements).toBe(2);
  });

  it('T3: counts from its first instant to its last, without a look in between', async () => {
    const { key } = await make({ notBefore: inMs(3_000), expiresAt: inMs(6_000) });
    expect(await replica.judge(key)).toEqual(UNKNOWN);
    replica.laterMs = 4_000;
    const verdict = replica.judge(key) as Verdict;
    expect(verdict.kind).toBe('caller');
    replica.laterMs = 7_000;
    expect(replica.judge(key)).toEqual(UNKNOWN);
    expect(replica.statements).toBe(1);
  });

  it('has its last use written down off the way of requests, once in an hour, by whichever replica', async () => {
    const { id, key } = await make();
    const lastUse = async () => {
      const { rows } = await database.pool.query('select last_used_at from api_keys where id = $1', [id]);
      return rows[0].last_used_at as Date | null;
    };
    await replica.judge(key);
    expect(await lastUse()).toBeNull();
    await replica.known.look();
    const first = await lastUse();
    expect(first).not.toBeNull();
    const other = new Replica();
    await other.judge(key);
    await other.known.look();
    expect(await lastUse()).toEqual(first);
    const ago = `update api_keys set last_used_at = last_used_at - interval '2 hours' where id = $1`;
    await database.pool.query(ago, [id]);
    replica.judge(key);
    await replica.known.look();
    expect((await lastUse())?.getTime()).toBeLessThan(Date.now() - 3_600_000);
    replica.laterMs = 3_600_000;
    await replica.judge(key);
    await replica.known.look();
    expect((await lastUse())?.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });
});

describe('a flood of made-up keys', () => {
  it('T3: of the wrong form, asks the database nothing', async () => {
    const { key } = await make();
    for (const wrong of ['x', 'hf_main_', `${key.slice(0, -1)}-`, key.replace('main', 'east'), 'y'.repeat(5_000)])
      expect(replica.judge(wrong)).toEqual(UNKNOWN);
    expect(replica.statements).toBe(0);
  });

  it('T3: of the right form, shares a few statements, one after the other, and touches no key that is known', async () => {
    const { key } = await make();
    await replica.judge(key);
    const strangers = Array.from({ length: 5_000 }, madeUp);
    const verdicts = strangers.map((stranger) => replica.judge(stranger));
    expect((replica.judge(key) as Verdict).kind).toBe('caller');
    const kinds = (await Promise.all(verdicts)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'unknown')).toHaveLength(1_000);
    expect(kinds.filter((kind) => kind === 'unavailable')).toHaveLength(4_000);
    expect(replica.statements).toBeLessThanOrEqual(1 + 1_000 / 200 + 1);
    expect((replica.judge(key) as Verdict).kind).toBe('caller');
  });

  it('T3: with one key again and again, looks it up once in two seconds', async () => {
    const key = madeUp();
    for (let times = 0; times < 100; times++) expect(await replica.judge(key)).toEqual(UNKNOWN);
    expect(replica.statements).toBe(1);
    replica.laterMs = 2_500;
    expect(await replica.judge(key)).toEqual(UNKNOWN);
    expect(replica.statements).toBe(2);
  });

  it('T3: fills neither of the two lists beyond its bound', async () => {
    const small = new Replica(3);
    const keys = await Promise.all(Array.from({ length: 4 }, () => make()));
    const [first] = keys;
    const callers = [];
    for (const { key } of keys) callers.push(callerOf(await small.judge(key)));
    // The first one had to go; what it had under way asks again.
    expect(callers.map((caller) => caller?.ended?.aborted)).toEqual([true, false, false, false]);
    expect((await small.judge(first?.key ?? '')).kind).toBe('caller');
    const before = small.statements;
    const strangers = Array.from({ length: 4 }, madeUp);
    for (const stranger of [...strangers, ...strangers]) await small.judge(stranger);
    expect(small.statements - before).toBe(8);
  });
});
