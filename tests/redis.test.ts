import { setTimeout as delay } from 'node:timers/promises';
import { connectRedis, type RedisClient } from '@holdfast/idempotency/redis';
import { isRedisInstalled } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, newKey, type System, setUpCatalogue, startSystem } from './system.ts';

const skip = !isRedisInstalled() && process.env.HOLDFAST_REQUIRE_ALL !== '1';
if (skip) console.warn('skipped: the system with Redis needs redis-server on the PATH (Debian: redis-server)');

let system: System;
let redis: RedisClient;
beforeAll(async () => {
  if (skip) return;
  system = await startSystem({ redis: true, orchestrators: 2 });
  await setUpCatalogue(system);
  redis = connectRedis(system.cluster.run.redisUrl ?? '');
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()));
});
afterAll(async () => {
  redis?.disconnect();
  await system?.stop();
});

const entries = async () => (await redis.dbsize()) as number;

/** Places an order, asks for it again at the other replica, and adjusts stock twice: one effect and one answer each. */
async function expectSameAnswers(): Promise<void> {
  const key = newKey();
  const first = await system.place({}, { key, prefer: 'wait=20' });
  expect([first.status, first.body.status, first.headers.get('idempotent-replayed')]).toEqual([
    201,
    'completed',
    'false',
  ]);
  const again = await system.place({}, { key });
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true']);
  expect((await system.place({ customerId: 'another' }, { key })).status).toBe(422);
  const adjust = { key: newKey() };
  const sku = first.body.items[0].sku;
  const adjusted = await system.send('POST', `/v1/stock/${sku}/adjust`, { delta: 1 }, adjust);
  expect(adjusted.status).toBe(200);
  expect((await system.send('POST', `/v1/stock/${sku}/adjust`, { delta: 1 }, adjust)).text).toBe(adjusted.text);
}

describe.skipIf(skip)('the system with Redis', () => {
  it('H5: gives the answers it gives without, and has put them there', async () => {
    await expectSameAnswers();
    expect(await entries()).toBeGreaterThan(0);
  });

  it('H19: gives the same answers when Redis is flushed, killed, and back', async () => {
    await redis.flushall();
    await expectSameAnswers();
    const down = new Promise<void>((resolve) => redis.once('close', () => resolve()));
    const back = new Promise<void>((resolve) => redis.once('ready', () => resolve()));
    redis.shutdown('NOSAVE').catch(() => undefined);
    await down;
    await expectSameAnswers();
    await back;
    await system.until('answers in Redis again', async () => {
      await expectSameAnswers();
      await delay(50);
      return (await entries()) > 0 ? true : undefined;
    });
    await expectSound(system);
  });
});
