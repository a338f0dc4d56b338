import { skipsRedis, testDatabase } from '@holdfast/testing';
import { describe, expect, it } from 'vitest';
import { effect, held, ownRedis, type Process, ready, sharedDatabase, until } from '../../test/test-processes.ts';
import { createKeyedRunner, idempotencyMigrations, loadFingerprinter, newKey } from '../index.ts';
import { connectRedis, createRedisAnswers } from './index.ts';

const skip = skipsRedis('the tests of a Redis that is away or stale');
const { startProcess, callOf, recalled, effectsOf, atEnd, pool, fingerprinter } = sharedDatabase('redis_away');

describe.skipIf(skip)('H19: the same answers, only slower, when Redis', () => {
  const server = ownRedis();
  const start = () => startProcess(connectRedis(server().url));

  const settledKey = async (process: Process) => {
    const key = newKey();
    const first = await process.runner.run(callOf(key), effect(key));
    await until(recalled(process, key));
    return { key, replay: { ...first, replayed: true } };
  };
  /** All that a caller may rely on, whatever Redis does. */
  const expectSameAnswers = async ({ runner }: Process, { key, replay }: Awaited<ReturnType<typeof settledKey>>) => {
    expect(await runner.run(callOf(key), effect(key))).toEqual(replay);
    expect(await runner.run(callOf(key, { amount: 6 }), effect(key))).toMatchObject({ kind: 'reused' });
    expect(await effectsOf(key)).toBe(1);
    const fresh = newKey();
    expect(await runner.run(callOf(fresh), effect(fresh))).toMatchObject({ kind: 'completed', replayed: false });
    expect(await runner.run(callOf(fresh), effect(fresh))).toMatchObject({ kind: 'completed', replayed: true });
    expect(await effectsOf(fresh)).toBe(1);
  };

  it('is flushed', async () => {
    const process = await start();
    const settled = await settledKey(process);
    await server().command('FLUSHALL');
    await expectSameAnswers(process, settled);
  });

  it('is killed, and used again when it is back', async () => {
    const process = await start();
    const settled = await settledKey(process);
    await server().kill();
    await expectSameAnswers(process, settled);
    await server().startAgain();
    await ready(process.redis);
    // What is answered before its rest is over is not told to Redis, and never will be: a later key is.
    await until(async () => {
      const key = newKey();
      await process.runner.run(callOf(key), effect(key));
      return await recalled(process, key)();
    });
  });

  it('stands still with its connections open: one question waits for it, the next ones don’t', async () => {
    const process = await startProcess(connectRedis(server().url), fingerprinter(), 300);
    const settled = await settledKey(process);
    process.changes.splice(0);
    server().pause();
    try {
      await expectSameAnswers(process, settled);
      expect(process.changes).toEqual(['resting']);
      const askedAtMs = performance.now();
      await Promise.all(Array.from({ length: 50 }, () => process.answers.recall(callOf(settled.key))));
      // Asked one after the other, 50 would wait for 15 s.
      expect(performance.now() - askedAtMs).toBeLessThan(2_000);
    } finally {
      server().resume();
    }
    await until(recalled(process, settled.key));
    expect(process.changes).toEqual(['resting', 'used again']);
  });

  it('holds rubbish, and marks of runs that ended long ago', async () => {
    const process = await start();
    const settled = await settledKey(process);
    const [answer = ''] = (await process.redis.call('keys', '*:answer')) as string[];
    const kept = await process.redis.getBuffer(answer);
    for (const rubbish of [
      '',
      '{}',
      Buffer.from(kept ?? []).fill(0, 60),
      Buffer.concat([kept ?? Buffer.alloc(0), Buffer.from('x')]),
    ]) {
      await process.redis.set(answer, rubbish);
      await expectSameAnswers(process, settled);
    }
    const running = answer.replace(':answer', ':running');
    await process.redis.del(answer);
    const key = newKey();
    process.answers.begin(callOf(key));
    await until(async () => (await process.answers.recall(callOf(key)))?.kind === 'in_progress');
    const [mark = ''] = ((await process.redis.call('keys', '*:running')) as string[]).filter(
      (name) => name !== running,
    );
    // A mark that does not expire was not set by a run.
    await process.redis.persist(mark);
    expect(await process.runner.run(callOf(key), effect(key))).toMatchObject({ replayed: false });
  });

  it('holds answers under this name that another database has committed', async () => {
    const process = await start();
    const other = await testDatabase('redis_other', [idempotencyMigrations]);
    atEnd(() => void other.drop());
    const elsewhere = await startProcess(connectRedis(server().url), await loadFingerprinter(other.pool));
    const key = newKey();
    elsewhere.answers.settle(callOf(key), { kind: 'completed', answer: Buffer.from('another life') });
    await until(async () => (await server().command('DBSIZE')) !== ':0\r\n');
    const [name = ''] = (await process.redis.call('keys', '*:answer')) as string[];
    process.answers.settle(callOf(key), { kind: 'completed', answer: Buffer.from('x') });
    await until(recalled(process, key));
    const [own = ''] = ((await process.redis.call('keys', '*:answer')) as string[]).filter((other) => other !== name);
    await process.redis.copy(name, own, 'REPLACE');
    expect(await process.runner.run(callOf(key), effect(key))).toMatchObject({ kind: 'completed', replayed: false });
  });

  it('was never there', async () => {
    const redis = connectRedis('redis://127.0.0.1:1');
    const answers = createRedisAnswers({ redis, fingerprinter: fingerprinter() });
    atEnd(() => {
      answers.close();
      redis.disconnect();
    });
    const runner = createKeyedRunner({ pool: pool(), cache: answers });
    const key = newKey();
    const { during, begun, end } = held();
    const first = runner.run(callOf(key), effect(key, during));
    await begun;
    const elsewhere = createKeyedRunner({ pool: pool(), cache: answers });
    const waiting = elsewhere.run(callOf(key, { waitMs: 5_000 }), effect(key));
    end();
    expect(await first).toMatchObject({ replayed: false });
    expect(await waiting).toMatchObject({ kind: 'completed', replayed: true });
  });
});
