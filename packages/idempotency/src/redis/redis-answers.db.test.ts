import { skipsRedis } from '@holdfast/testing';
import { describe, expect, it } from 'vitest';
import { effect, held, ownRedis, sharedDatabase, until } from '../../test/test-processes.ts';
import { newKey } from '../index.ts';
import { connectRedis } from './index.ts';

const skip = skipsRedis('the tests of answers in Redis');
const { startProcess, callOf, recalled, effectsOf, connectionsTaken } = sharedDatabase('redis_answers');

describe.skipIf(skip)('with one Redis', () => {
  const server = ownRedis();
  const start = () => startProcess(connectRedis(server().url));

  it('K2: an answer that is committed is replayed by another process without asking Postgres', async () => {
    const [here, there] = [await start(), await start()];
    const key = newKey();
    const first = await here.runner.run(callOf(key), effect(key));
    expect(first).toMatchObject({ kind: 'completed', replayed: false });
    await until(recalled(there, key));
    const taken = await connectionsTaken(async () => {
      const again = await there.runner.run(callOf(key), effect(key));
      expect(again).toEqual({ ...first, replayed: true });
    });
    expect([taken, await effectsOf(key)]).toEqual([0, 1]);
  });

  it('K2: what was rolled back is not there', async () => {
    const process = await start();
    const key = newKey();
    const failing = process.runner.run(callOf(key), async () => Promise.reject(new Error('half-way')));
    await expect(failing).rejects.toThrow('half-way');
    await until(async () => (await process.answers.recall(callOf(key))) === undefined);
    expect(await process.runner.run(callOf(key), effect(key))).toMatchObject({ replayed: false });
  });

  it('K2, H17: another request under the key is refused by Postgres, another tenant’s runs', async () => {
    const process = await start();
    const key = newKey();
    await process.runner.run(callOf(key), effect(key));
    await until(recalled(process, key));
    const other = await process.runner.run(callOf(key, { amount: 6 }), effect(key));
    expect(other).toEqual({ kind: 'reused', differing: ['amount'] });
    const tenant = callOf(key, { tenantId: 'bob' });
    expect(await process.runner.run(tenant, effect(newKey()))).toMatchObject({ replayed: false });
  });

  it('H7: a duplicate of a run in another process is turned away without asking Postgres', async () => {
    const [here, there] = [await start(), await start()];
    const key = newKey();
    const { during, begun, end } = held();
    const first = here.runner.run(callOf(key), effect(key, during));
    await begun;
    await until(async () => (await there.answers.recall(callOf(key)))?.kind === 'in_progress');
    const taken = await connectionsTaken(async () => {
      expect(await there.runner.run(callOf(key), effect(key))).toEqual({ kind: 'in_progress' });
    });
    expect(taken).toBe(0);
    expect(await there.runner.run(callOf(key, { amount: 6 }), effect(key))).toMatchObject({ kind: 'reused' });
    end();
    expect(await first).toMatchObject({ kind: 'completed' });
  });

  it('H7: a duplicate that waits is woken when the answer commits, without asking again and again', async () => {
    const [here, there] = [await start(), await start()];
    const key = newKey();
    const { during, begun, end } = held();
    const first = here.runner.run(callOf(key), effect(key, during));
    await begun;
    await until(async () => (await there.answers.recall(callOf(key)))?.kind === 'in_progress');
    // The first wait opens the connection that listens.
    await there.answers.untilSettled(callOf(newKey()), 30);
    const waiting = there.runner.run(callOf(key, { waitMs: 5_000 }), effect(key));
    await until(async () => (await server().command('PUBSUB CHANNELS holdfast:*')).includes('holdfast'));
    const endedAtMs = performance.now();
    end();
    expect(await waiting).toMatchObject({ kind: 'completed', replayed: true });
    // It looks by itself every 500 ms only.
    expect(performance.now() - endedAtMs).toBeLessThan(400);
    await first;
    expect(await effectsOf(key)).toBe(1);
    await until(async () => !(await server().command('PUBSUB CHANNELS holdfast:*')).includes('holdfast'));
  });

  it('H9: a run that failed wakes whoever waits, who then runs', async () => {
    const [here, there] = [await start(), await start()];
    const key = newKey();
    const { during, begun, end } = held();
    const failing = here.runner.run(callOf(key), async (tx) => {
      await during();
      await tx.query('select 1/0');
      throw new Error('unreachable');
    });
    await begun;
    const waiting = there.runner.run(callOf(key, { waitMs: 5_000 }), effect(key));
    end();
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect(await waiting).toMatchObject({ kind: 'completed', replayed: false });
  });

  it('H23: neither keys nor tenants nor answers of others can be told from what is there', async () => {
    const process = await start();
    const key = newKey();
    await process.runner.run(callOf(key, { tenantId: 'tenant-of-mine' }), effect('x'));
    await until(async () => (await server().command('DBSIZE')) !== ':0\r\n');
    const names = (await process.redis.call('keys', '*')) as string[];
    const dump = names.join() + (await process.redis.mget(...names)).join();
    expect(dump).toContain('holdfast:{');
    expect([dump.includes(key), dump.includes('tenant-of-mine')]).toEqual([false, false]);
    const [name = ''] = names;
    expect(await process.redis.pttl(name)).toBeGreaterThan(0);
  });

  it('a replay asks Redis one question, in one command', async () => {
    const [here, there] = [await start(), await start()];
    const key = newKey();
    await here.runner.run(callOf(key), effect(key));
    await until(recalled(here, key));
    await server().command('CONFIG RESETSTAT');
    expect(await there.runner.run(callOf(key), effect(key))).toMatchObject({ replayed: true });
    const asked = [...(await server().command('INFO commandstats')).matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g)];
    expect(asked.map(([, name, calls]) => `${name} ${calls}`).filter((one) => !one.startsWith('config'))).toEqual([
      'mget 1',
    ]);
  });
});
