import { skipsRedis, startRedisCluster } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { effect, held, sharedDatabase, until } from '../../test/test-processes.ts';
import { newKey } from '../index.ts';
import { connectRedis } from './index.ts';

const skip = skipsRedis('the tests of answers in a Redis Cluster');
const { startProcess, callOf, recalled, effectsOf } = sharedDatabase('redis_cluster');

describe.skipIf(skip)('with a Redis Cluster of three', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.stop());
  const start = () =>
    startProcess(connectRedis(`redis+cluster://${cluster.nodes.map((node) => `127.0.0.1:${node.port}`).join(',')}`));

  it('answers are replayed, runs are marked and waiters woken, wherever their keys live', async () => {
    const [here, there] = [await start(), await start()];
    await there.answers.untilSettled(callOf(newKey()), 50);
    const keys = Array.from({ length: 24 }, () => newKey());
    for (const key of keys) {
      const { during, begun, end } = held();
      const first = here.runner.run(callOf(key), effect(key, during));
      await begun;
      await until(async () => (await there.answers.recall(callOf(key)))?.kind === 'in_progress');
      const waiting = there.runner.run(callOf(key, { waitMs: 5_000 }), effect(key));
      end();
      expect(await waiting).toEqual({ ...(await first), replayed: true });
      await until(recalled(there, key));
    }
    const sizes = await Promise.all(cluster.nodes.map((node) => node.command('DBSIZE')));
    expect(sizes.filter((size) => size !== ':0\r\n').length).toBeGreaterThan(1);
    for (const key of keys) expect(await effectsOf(key)).toBe(1);
  });

  it('H19: a node that is killed makes its keys slower, not other answers', async () => {
    const process = await start();
    const keys = Array.from({ length: 12 }, () => newKey());
    for (const key of keys) await process.runner.run(callOf(key), effect(key));
    await cluster.nodes[1]?.kill();
    for (const key of keys) {
      expect(await process.runner.run(callOf(key), effect(key))).toMatchObject({ kind: 'completed', replayed: true });
      expect(await effectsOf(key)).toBe(1);
    }
  });
});
