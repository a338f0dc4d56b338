import { randomUUID } from 'node:crypto';
import { type RedisServer, skipsRedis, startRedis, startSentinel } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, createIdempotentLock, type RedisClient } from './index.ts';

const skip = skipsRedis('the tests of the lock');

let server: RedisServer;
const clients: RedisClient[] = [];
beforeAll(async () => {
  if (!skip) server = await startRedis();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});
afterAll(() => server?.stop());

async function connected(url = server.url): Promise<RedisClient> {
  const client = connectRedis(url);
  clients.push(client);
  if (client.status !== 'ready') await new Promise<void>((resolve) => client.once('ready', () => resolve()));
  return client;
}

const tokenOf = (acquired: { kind: string; token?: number }) => acquired.token ?? Number.NaN;

describe.skipIf(skip)('a lock', () => {
  it('acquired twice by the same owner is acquired once, with the same token; no other owner gets it', async () => {
    const lock = createIdempotentLock(await connected());
    const resource = randomUUID();
    const first = await lock.acquire(resource, 'owner-1', 60_000);
    expect(first).toEqual({ kind: 'claimed', token: expect.any(Number) });
    expect(await lock.acquire(resource, 'owner-1', 60_000)).toEqual(first);
    const other = await lock.acquire(resource, 'owner-2', 60_000);
    expect(other).toMatchObject({ kind: 'in_progress' });
    expect((other as { remainingMs: number }).remainingMs).toBeGreaterThan(50_000);
  });

  it('is given to one of many that ask at once', async () => {
    const lock = createIdempotentLock(await connected());
    const resource = randomUUID();
    const all = await Promise.all(Array.from({ length: 40 }, (_, at) => lock.acquire(resource, `owner-${at}`, 60_000)));
    expect(all.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
  });

  it('is released and extended by its owner only', async () => {
    const client = await connected();
    const lock = createIdempotentLock(client);
    const resource = randomUUID();
    await lock.acquire(resource, 'owner-1', 5_000);
    expect(await lock.release(resource, 'owner-2')).toEqual({ kind: 'not_found' });
    expect(await lock.extend(resource, 'owner-2', 60_000)).toEqual({ kind: 'not_found' });
    expect(await client.pttl(`holdfast:lock:{${resource}}`)).toBeLessThanOrEqual(5_000);
    expect(await lock.extend(resource, 'owner-1', 60_000)).toEqual({ kind: 'completed' });
    expect(await client.pttl(`holdfast:lock:{${resource}}`)).toBeGreaterThan(50_000);
    expect(await lock.release(resource, 'owner-1')).toEqual({ kind: 'completed' });
    expect(await lock.release(resource, 'owner-1')).toEqual({ kind: 'not_found' });
    expect(await lock.extend(resource, 'owner-1', 60_000)).toEqual({ kind: 'not_found' });
  });

  it('of one that was away too long belongs to the next, with a higher token, and the old owner can’t touch it', async () => {
    const client = await connected();
    const lock = createIdempotentLock(client);
    const resource = randomUUID();
    const old = await lock.acquire(resource, 'paused', 1);
    while ((await client.exists(`holdfast:lock:{${resource}}`)) === 1) await new Promise(setImmediate);
    const next = await lock.acquire(resource, 'next', 60_000);
    expect(tokenOf(next)).toBeGreaterThan(tokenOf(old));
    expect(await lock.extend(resource, 'paused', 60_000)).toEqual({ kind: 'not_found' });
    expect(await lock.release(resource, 'paused')).toEqual({ kind: 'not_found' });
    expect(await lock.acquire(resource, 'next', 60_000)).toEqual(next);
  });

  it('has rising tokens even after the server has lost its data', async () => {
    const lock = createIdempotentLock(await connected());
    const resource = randomUUID();
    const before = await lock.acquire(resource, 'owner-1', 60_000);
    await server.command('FLUSHALL');
    expect(tokenOf(await lock.acquire(resource, 'owner-2', 60_000))).toBeGreaterThan(tokenOf(before));
    await lock.release(resource, 'owner-2');
    const tokens = [];
    for (let at = 0; at < 20; at++) {
      tokens.push(tokenOf(await lock.acquire(resource, `owner-${at}`, 60_000)));
      await lock.release(resource, `owner-${at}`);
    }
    expect(new Set(tokens).size).toBe(20);
    expect(tokens.toSorted((one, other) => one - other)).toEqual(tokens);
  });

  it('is unavailable, within its time, while the server stands still; the same owner may ask again', async () => {
    const lock = createIdempotentLock(await connected(), { timeoutMs: 100 });
    const resource = randomUUID();
    server.pause();
    try {
      expect(await lock.acquire(resource, 'owner-1', 60_000)).toMatchObject({ kind: 'unavailable' });
    } finally {
      server.resume();
    }
    expect(await createIdempotentLock(await connected()).acquire(resource, 'owner-1', 60_000)).toMatchObject({
      kind: 'claimed',
    });
  });

  it('refuses names and times that it could not keep', async () => {
    const lock = createIdempotentLock(await connected());
    await expect(lock.acquire('{a}', 'owner', 10)).rejects.toThrow('resource');
    await expect(lock.acquire('a', '', 10)).rejects.toThrow('owner');
    await expect(lock.acquire('a', 'owner', 0)).rejects.toThrow('ttlMs');
  });

  it('works on the master that Sentinel names', async () => {
    const sentinel = await startSentinel(server);
    try {
      const lock = createIdempotentLock(await connected(`redis+sentinel://127.0.0.1:${sentinel.port}/holdfast`));
      const resource = randomUUID();
      expect(await lock.acquire(resource, 'owner-1', 60_000)).toMatchObject({ kind: 'claimed' });
      expect(await server.command(`EXISTS holdfast:lock:{${resource}}`)).toBe(':1\r\n');
    } finally {
      await sentinel.stop();
    }
  });
});
