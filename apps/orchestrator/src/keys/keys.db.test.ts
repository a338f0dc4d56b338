import { createSingleFlight } from '@holdfast/idempotency';
import { createLog } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuditOutcome } from '../audit/audit-entry.ts';
import { readAuditLog } from '../audit/audit-store.ts';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import { changeOnce } from './change-once.ts';
import { InFlightKeys } from './in-flight-keys.ts';
import type { Retention } from './key-retention.ts';
import { claimKey, findStoredKey, settleChangeKey, settleKey } from './key-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('keys', orchestratorMigrations);
});
afterAll(() => database?.drop());
beforeEach(async () => {
  await database.pool.query('delete from holdfast.claims');
  await database.pool.query('truncate audit_entries, audit_outcomes');
});

const log = createLog('keys', 'silent');
const DAY_MS = 86_400_000;
const retention: Retention = { keyLifetimeMs: DAY_MS, tombstoneLifetimeMs: 30 * DAY_MS };
const fingerprint = { version: 1, digest: Buffer.from('this request'), members: { delta: 'x' } };
const operation = 'POST /v1/stock/{sku}/adjust';
const never = new AbortController().signal;

const origin = { actor: 'key:0123', reason: 'stocktaking', requestId: 'r-1', traceId: 't-1' };
const entry = { ...origin, verb: 'adjustStock', target: '/x', asked: { delta: 1 } } as const;

/** Keys of adjustments that are open. */
async function plant(amount: number): Promise<string[]> {
  const ids = Array.from({ length: amount }, (_, at) => `planted-${at}`);
  for (const id of ids)
    expect(
      await claimKey(database.pool, {
        id,
        tenantId: 'shop',
        operation,
        resource: '/x',
        fingerprint,
        createdAt: new Date(),
        entry,
      }),
    ).toBe(true);
  return ids;
}
/** Another process answers. */
const settle = (id: string, answer: string) =>
  settleKey(database.pool, { tenantId: 'shop', id, operation }, 200, answer);

describe('a duplicate that waits', () => {
  const key = {
    tenantId: 'shop',
    operation: 'POST /v1/orders',
    fingerprint: Buffer.from('a'),
    members: {},
    createdAt: new Date(),
  } as const;
  const inFlightKeys = (options: { lookEveryMs?: number } = {}) => {
    const listeners = new Map<string, () => void>();
    const subscribe = (id: string, listener: () => void) => {
      listeners.set(id, listener);
      return () => listeners.delete(id);
    };
    return { keys: new InFlightKeys({ pool: database.pool, log, subscribe, ...options }), listeners };
  };

  it('H7, K7: hears what another process stored; many of them cost one statement a look', async () => {
    const { keys } = inFlightKeys();
    const ids = await plant(40);
    const queries = vi.spyOn(database.pool, 'query');
    const waiting = ids.flatMap((id) => [1, 2, 3].map(() => keys.wait(id, key, { waitMs: 5_000, signal: never })));
    await new Promise((resolve) => setTimeout(resolve, 160));
    const looks = queries.mock.calls.length;
    for (const id of ids) await settle(id, `answer ${id}`);
    const published = await Promise.all(waiting);
    expect(published.every((waited) => waited.kind === 'completed')).toBe(true);
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThan(8);
    queries.mockRestore();
    expect(ids.some((id) => keys.watched(id))).toBe(false);
  });

  it('H7: is woken when another process publishes, long before the next look, and when it publishes again', async () => {
    const { keys } = inFlightKeys({ lookEveryMs: 60_000 });
    const [id = ''] = await plant(1);
    const published = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const listening = published.values();
    const untilPublished = () => listening.next().value?.promise ?? new Promise<void>(() => {});
    const waiting = keys.wait(id, key, { waitMs: 20_000, signal: never, untilPublished });
    // A message that was about nothing: the answer is still open.
    published[0]?.resolve();
    await settle(id, 'answer');
    published[1]?.resolve();
    expect(await waiting).toEqual({ kind: 'completed', answer: { status: 200, answer: 'answer' } });
    keys.close();
  });

  it('H7: gives up in time, when the caller hangs up, and, without time, at once', async () => {
    const { keys } = inFlightKeys();
    await plant(1);
    expect(await keys.wait('planted-0', key, { waitMs: 50, signal: never })).toEqual({ kind: 'in_progress' });
    expect(await keys.wait('planted-0', key, { waitMs: 0, signal: never })).toEqual({ kind: 'in_progress' });
    expect(await keys.wait('planted-0', key, { waitMs: 10_000, signal: AbortSignal.timeout(50) })).toEqual({
      kind: 'in_progress',
    });
  });

  it('K2: is compared with what the key stands for, while it waits and no longer', async () => {
    const { keys } = inFlightKeys();
    await plant(1);
    const waiting = keys.wait('planted-0', key, { waitMs: 5_000, signal: never });
    expect(keys.watched('planted-0')).toBe(key);
    await settle('planted-0', 'answer');
    expect(await waiting).toMatchObject({ kind: 'completed' });
    expect(keys.watched('planted-0')).toBeUndefined();
  });

  it('is sent to the row when its process stops', async () => {
    const { keys } = inFlightKeys({ lookEveryMs: 60_000 });
    await plant(1);
    const waiting = keys.wait('planted-0', key, { waitMs: 5_000, signal: never });
    keys.close();
    expect(await waiting).toEqual({ kind: 'changed' });
  });
});

describe('a change', () => {
  const desk = async (now = () => new Date()) => ({
    pool: database.pool,
    inFlightKeys: { singleFlight: createSingleFlight() },
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
    origin,
    asked: { delta: 1 },
    call: async ({ key }: { key: string }) => {
      calls.push(key);
      return { status: 200, body: `call ${calls.length}`, replayed: calls.length > 1 };
    },
    read: async () => 'as it is now',
    ...overrides,
  });

  it('K1: that was called and not answered is called again under the same derived key, never under the client’s', async () => {
    const calls: string[] = [];
    const lost = { call: async ({ key }: { key: string }) => Promise.reject(new Error(`lost ${calls.push(key)}`)) };
    await expect(changeOnce(await desk(), adjustment(calls, lost))).rejects.toThrow('lost');
    const again = await changeOnce(await desk(), adjustment(calls));
    expect(again).toMatchObject({ kind: 'completed', body: 'call 2' });
    expect(calls).toEqual(Array.from({ length: 2 }, () => 'order/shop/adjustment-0123456:change'));
    expect(await changeOnce(await desk(), adjustment(calls))).toMatchObject({ body: 'call 2', replayed: true });
    expect(calls).toHaveLength(2);
  });

  it('K2, K7: that comes twice at once is called once; another request under its key is refused meanwhile', async () => {
    const calls: string[] = [];
    const [shared, reached, answered] = [await desk(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const held = async ({ key }: { key: string }) => {
      const body = `call ${calls.push(key)}`;
      reached.resolve();
      await answered.promise;
      return { status: 200, body, replayed: false };
    };
    // A connection for each, so that none waits for one to be opened.
    await Promise.all([1, 2, 3].map(() => database.pool.query('select')));
    const twice = [1, 2].map(() => changeOnce(shared, adjustment(calls, { key: 'at-once-012345678', call: held })));
    await reached.promise;
    const operation = 'POST /v1/accounts/{customerId}/adjust' as const;
    const other = adjustment(calls, { key: 'at-once-012345678', operation });
    expect(await changeOnce(shared, other)).toMatchObject({ kind: 'reused' });
    answered.resolve();
    const [first, second] = await Promise.all(twice);
    expect(first).toMatchObject({ body: 'call 1', replayed: false });
    expect(second).toEqual({ ...first, replayed: true });
    expect(calls).toHaveLength(1);
  });

  it('H15, K5: past its retention shows the resource and calls nothing; a refusal stays one', async () => {
    const calls: string[] = [];
    const later = () => new Date(Date.now() + 2 * DAY_MS);
    await changeOnce(await desk(), adjustment(calls));
    const past = await changeOnce(await desk(later), adjustment(calls));
    expect(past).toMatchObject({ status: 200, body: 'as it is now', replayed: true });
    const refused = { key: 'refused-0123456789', call: async () => ({ status: 409, body: 'no', replayed: false }) };
    await changeOnce(await desk(), adjustment(calls, refused));
    expect(await changeOnce(await desk(later), adjustment(calls, refused))).toMatchObject({ status: 409, body: 'no' });
    expect(calls).toHaveLength(1);
  });

  it('K2: is answered once: the second of two that settle hears what the first stored', async () => {
    const key = { id: 'order/shop/settled-0123456789', tenantId: 'shop', operation } as const;
    const claimed = { ...key, resource: '/x', fingerprint, createdAt: new Date(), entry };
    expect(await claimKey(database.pool, claimed)).toBe(true);
    expect(await claimKey(database.pool, claimed)).toBe(false);
    expect(await settleKey(database.pool, key, 409, 'first\nand last')).toEqual({
      status: 409,
      answer: 'first\nand last',
    });
    expect(await settleKey(database.pool, key, 200, 'second')).toEqual({ status: 409, answer: 'first\nand last' });
    expect(await findStoredKey(database.pool, key)).toMatchObject({
      status: 409,
      answer: 'first\nand last',
      resource: '/x',
    });
  });

  const logged = async () => (await readAuditLog(database.pool, 'shop', { limit: 10 })).rows;

  it('T4: is in the audit log before it is called, and a retry by another process decides that entry', async () => {
    const seen: unknown[] = [];
    const key = 'entered-0123456789';
    const lost = async () => {
      seen.push(...(await logged()));
      throw new Error('lost');
    };
    await expect(changeOnce(await desk(), adjustment([], { key, call: lost }))).rejects.toThrow('lost');
    const open = { ...origin, verb: 'adjustStock', target: '/v1/stock/tea', asked: { delta: 1 }, outcome: 'open' };
    expect(seen).toEqual([expect.objectContaining({ ...open, before: null, after: null, decidedAt: null })]);
    const effect = { before: { onHand: 1 }, after: { onHand: 2 } };
    const call = async () => ({ status: 200, body: '{}', replayed: false, effect });
    const other = { ...origin, requestId: 'r-2' };
    await changeOnce(await desk(), adjustment([], { key, call, origin: other }));
    const done = { ...open, outcome: 'done', code: null, ...effect, decidedAt: expect.any(String) };
    expect(await logged()).toEqual([expect.objectContaining(done)]);
    // A replay, and another request under the key, which is refused before anything is claimed.
    await changeOnce(await desk(), adjustment([], { key, call }));
    expect(
      await changeOnce(await desk(), adjustment([], { key, call, operation: 'PUT /v1/stock/{sku}' })),
    ).toMatchObject({ kind: 'reused' });
    expect(await logged()).toHaveLength(1);
  });

  it('T4: that is refused is in the log as refused, and what is not decided as open', async () => {
    const no = async () => ({ status: 409, body: 'no', replayed: false, code: 'out-of-stock' });
    await changeOnce(await desk(), adjustment([], { key: 'refused-0123456789', call: no }));
    expect(await logged()).toMatchObject([{ outcome: 'refused', code: 'out-of-stock', before: null, after: null }]);
    const undecided = async () => ({ status: 202, body: '{}', replayed: false, isOpen: true });
    await changeOnce(await desk(), adjustment([], { key: 'undecided-0123456', call: undecided }));
    expect(await logged()).toMatchObject([{ outcome: 'open' }, { outcome: 'refused' }]);
  });

  it('T4: that two processes settle has the outcome of the answer that is stored', async () => {
    const key = { id: 'order/shop/both-0123456789', tenantId: 'shop', operation } as const;
    const createdAt = new Date();
    await claimKey(database.pool, { ...key, resource: '/x', fingerprint, createdAt, entry });
    const settled = (status: number, outcome: AuditOutcome) =>
      settleChangeKey(database.pool, key, { status, body: String(status), claimedAt: createdAt, outcome });
    expect(await settled(409, { kind: 'refused', code: 'conflict' })).toEqual({ status: 409, answer: '409' });
    expect(await settled(200, { kind: 'done' })).toEqual({ status: 409, answer: '409' });
    expect(await logged()).toMatchObject([{ outcome: 'refused', code: 'conflict' }]);
  });

  it('T4: under a key whose claim is gone is another entry', async () => {
    const key = 'anew-0123456789012';
    await changeOnce(await desk(), adjustment([], { key }));
    await database.pool.query('delete from holdfast.claims');
    await changeOnce(await desk(() => new Date(Date.now() + 1_000)), adjustment([], { key }));
    expect(await logged()).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }]);
  });
});
