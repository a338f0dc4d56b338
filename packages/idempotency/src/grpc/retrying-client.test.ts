import { type handleUnaryCall, Metadata, type ServerUnaryCall, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { type Caller, type Charge, caller, payments, read, serve } from '../../test/test-payments.ts';
import { createRetryBudget, type RetryOptions, retries } from './index.ts';

interface Failure {
  code: status;
  pushback?: string;
}

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Seen {
  keys: unknown[];
  atMs: number[];
}

/** A server that fails as it is told, one failure per call, then answers; and a client that tries again. */
async function failing(failures: Failure[], options: RetryOptions = {}): Promise<{ calls: Caller; seen: Seen }> {
  const seen: Seen = { keys: [], atMs: [] };
  const handler: handleUnaryCall<Charge, Charge> = (call: ServerUnaryCall<Charge, Charge>, callback) => {
    seen.keys.push(call.metadata.get('idempotency-key')[0]);
    seen.atMs.push(performance.now());
    const failure = failures.shift();
    if (failure === undefined) return callback(null, call.request);
    const metadata = new Metadata();
    if (failure.pushback !== undefined) metadata.set('grpc-retry-pushback-ms', failure.pushback);
    callback({ code: failure.code, details: 'told to fail', metadata });
  };
  const handlers = { Charge: handler, Refund: handler, Look: handler, Watch: () => {} };
  const server = await serve(payments, handlers);
  const calls = caller(server.address, [retries({ baseMs: 1, maxMs: 4, ...options })]);
  closing.push(() => calls.close(), server.stop);
  return { calls, seen };
}

const times = (count: number, failure: Failure) => Array.from({ length: count }, () => ({ ...failure }));
const unavailable = { code: status.UNAVAILABLE };

describe('a call that failed', () => {
  it('G7: is tried again under the same key after UNAVAILABLE and ABORTED, and its answer is the last one’s', async () => {
    const { calls, seen } = await failing([unavailable, { code: status.ABORTED }]);
    const answered = await calls.call('Charge', { amount: 5 });
    expect([answered.code, read(answered.bytes)?.amount]).toEqual([status.OK, 5]);
    expect(seen.keys).toHaveLength(3);
    expect(new Set(seen.keys).size).toBe(1);
    expect(seen.keys[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('keeps the key it came with, and two calls with the same metadata object get two keys', async () => {
    const { calls, seen } = await failing([unavailable]);
    await calls.call('Charge', { amount: 5 }, { key: 'a-key-of-my-own-1' });
    expect(seen.keys.splice(0)).toEqual(['a-key-of-my-own-1', 'a-key-of-my-own-1']);
    const metadata = new Metadata();
    await calls.call('Charge', { amount: 5 }, { metadata });
    await calls.call('Charge', { amount: 5 }, { metadata });
    expect(new Set(seen.keys).size).toBe(2);
  });

  it.each([
    status.INTERNAL,
    status.UNKNOWN,
    status.DEADLINE_EXCEEDED,
    status.FAILED_PRECONDITION,
    status.RESOURCE_EXHAUSTED,
  ])('is not tried again after code %i', async (code) => {
    const { calls, seen } = await failing([{ code }]);
    const answered = await calls.call('Charge', { amount: 5 });
    expect([answered.code, answered.details, seen.keys.length]).toEqual([code, 'told to fail', 1]);
  });

  it('is never tried again without a key', async () => {
    const { calls, seen } = await failing([unavailable], { isKeyed: (path) => path.endsWith('/Charge') });
    expect((await calls.call('Look', { amount: 5 })).code).toBe(status.UNAVAILABLE);
    expect(seen.keys).toEqual([undefined]);
  });

  it('is tried at most as often as it may be', async () => {
    const { calls, seen } = await failing(times(10, unavailable), { maxAttempts: 3 });
    expect((await calls.call('Charge', { amount: 5 })).code).toBe(status.UNAVAILABLE);
    expect(seen.keys).toHaveLength(3);
  });

  it.each(['-1', 'soon', '1.5', ''])('is not tried again when the server pushes back with %j', async (pushback) => {
    const { calls, seen } = await failing([{ code: status.UNAVAILABLE, pushback }]);
    expect((await calls.call('Charge', { amount: 5 })).code).toBe(status.UNAVAILABLE);
    expect(seen.keys).toHaveLength(1);
  });

  it('waits for as long as the server asks, and a random while of its own', async () => {
    const { calls, seen } = await failing([{ code: status.ABORTED, pushback: '120' }], {
      baseMs: 80,
      maxMs: 80,
      random: () => 0.5,
    });
    await calls.call('Charge', { amount: 5 });
    const [first = 0, second = 0] = seen.atMs;
    expect(second - first).toBeGreaterThanOrEqual(159);
  });

  it('is not tried again when the deadline would pass meanwhile', async () => {
    const { calls, seen } = await failing([{ code: status.UNAVAILABLE, pushback: '5000' }]);
    const askedAt = performance.now();
    expect((await calls.call('Charge', { amount: 5 }, { timeoutMs: 1_000 })).code).toBe(status.UNAVAILABLE);
    expect([performance.now() - askedAt < 900, seen.keys.length]).toEqual([true, 1]);
  });

  it('is not tried again beyond the budget that all calls share, and is again when calls succeed', async () => {
    const budget = createRetryBudget({ maxTokens: 4, tokenRatio: 1 });
    const { calls, seen } = await failing(times(3, unavailable), { budget, maxAttempts: 10 });
    expect((await calls.call('Charge', { amount: 5 })).code).toBe(status.UNAVAILABLE);
    expect(seen.keys).toHaveLength(2);
    expect((await calls.call('Charge', { amount: 5 })).code).toBe(status.UNAVAILABLE);
    expect(seen.keys).toHaveLength(3);
    for (const _ of [1, 2, 3]) expect((await calls.call('Charge', { amount: 5 })).code).toBe(status.OK);
    expect(budget.failed()).toBe(true);
  });

  it('can be cancelled while it waits to be tried again', async () => {
    const { calls, seen } = await failing([{ code: status.UNAVAILABLE, pushback: '4000' }]);
    const hangUp = new AbortController();
    const answered = calls.call('Charge', { amount: 5 }, { signal: hangUp.signal });
    const askedAt = performance.now();
    while (seen.keys.length === 0) await new Promise(setImmediate);
    setTimeout(() => hangUp.abort(), 50);
    expect((await answered).code).toBe(status.CANCELLED);
    expect([performance.now() - askedAt < 3_000, seen.keys.length]).toEqual([true, 1]);
  });
});
