import { type RedisServer, startRedis, startRedisCluster, type TestDatabase, testDatabase } from '@holdfast/testkit';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createKeyedRunner,
  type Effect,
  type Fingerprinter,
  idempotencyMigrations,
  type KeyedRunner,
  loadFingerprinter,
  newKey,
} from '../index.ts';
import { connectRedis, createRedisAnswers, type RedisAnswers, type RedisClient } from './index.ts';
import { skipsRedis } from './redis-here.ts';

const skip = skipsRedis('the tests of answers in Redis');

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('redis_answers', [idempotencyMigrations], { max: 8 });
  fingerprinter = await loadFingerprinter(database.pool);
  await database.pool.query('create table effects (key text not null)');
});
afterAll(() => database.drop());

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Process {
  runner: KeyedRunner;
  answers: RedisAnswers;
  redis: RedisClient;
  changes: string[];
}

/**
 * One of several processes: they share Postgres and Redis, nothing else. Its own memory is off, so that Redis is asked.
 * @param timeoutMs long where a test is not about slowness: this machine may be slow, too
 */
async function process_(redis: RedisClient, ofDatabase = fingerprinter, timeoutMs = 2_000): Promise<Process> {
  const changes: string[] = [];
  const onChange = (state: string) => changes.push(state);
  const answers = createRedisAnswers({ redis, fingerprinter: ofDatabase, restMs: 200, timeoutMs, onChange });
  const local = { get: () => undefined, put: () => {} };
  closing.push(
    () => answers.close(),
    () => redis.disconnect(),
  );
  await ready(redis);
  return { runner: createKeyedRunner({ pool: database.pool, memory: answers, local }), answers, redis, changes };
}

async function ready(redis: RedisClient): Promise<void> {
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()));
}

const callOf = (key: string, { amount = 5, waitMs = 0, tenantId = 'ada' } = {}) => {
  const fingerprint = fingerprinter.of('pay', { amount }, { nameMembers: true });
  return { tenantId, key, operation: 'pay', fingerprint, waitMs };
};

const effect =
  (key: string, during: () => Promise<void> = async () => {}): Effect =>
  async (tx) => {
    await tx.query('insert into effects (key) values ($1)', [key]);
    await during();
    return { kind: 'done', answer: Buffer.from(`\0done ${key}`) };
  };

async function effectsOf(key: string): Promise<number> {
  return (await database.pool.query('select from effects where key = $1', [key])).rows.length;
}

/** How many connections of the pool `work` took: none means that Postgres was not asked. */
async function connectionsTaken(work: () => Promise<unknown>): Promise<number> {
  let taken = 0;
  const count = () => {
    taken += 1;
  };
  database.pool.on('acquire', count);
  try {
    await work();
    return taken;
  } finally {
    database.pool.off('acquire', count);
  }
}

/** Returns when it has come to pass; what is told to Redis, nobody waits for. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineAtMs = performance.now() + 5_000;
  while (!(await holds())) {
    if (performance.now() > deadlineAtMs) throw new Error('it did not come to pass within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const recalled = (process: Process, key: string) => () =>
  process.answers.recall(callOf(key)).then((known) => known?.kind === 'executed');

function held() {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const during = async () => {
    begun.resolve();
    await ended.promise;
  };
  return { during, begun: begun.promise, end: () => ended.resolve() };
}

describe.skipIf(skip)('with one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(async () => {
    await server.command('FLUSHALL');
  });
  afterAll(() => server?.stop());
  const start = () => process_(connectRedis(server.url));

  it('K2: an answer that is committed is replayed by another process without asking Postgres', async () => {
    const [here, there] = [await start(), await start()];
    const key = newKey();
    const first = await here.runner.run(callOf(key), effect(key));
    expect(first).toMatchObject({ kind: 'executed', replayed: false });
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
    await until(async () => (await there.answers.recall(callOf(key)))?.kind === 'running');
    const taken = await connectionsTaken(async () => {
      expect(await there.runner.run(callOf(key), effect(key))).toEqual({ kind: 'in_flight' });
    });
    expect(taken).toBe(0);
    expect(await there.runner.run(callOf(key, { amount: 6 }), effect(key))).toMatchObject({ kind: 'reused' });
    end();
    expect(await first).toMatchObject({ kind: 'executed' });
  });

  it('H7: a duplicate that waits is woken when the answer commits, without asking again and again', async () => {
    const [here, there] = [await start(), await start()];
    const key = newKey();
    const { during, begun, end } = held();
    const first = here.runner.run(callOf(key), effect(key, during));
    await begun;
    await until(async () => (await there.answers.recall(callOf(key)))?.kind === 'running');
    // The first wait opens the connection that listens.
    await there.answers.untilSettled(callOf(newKey()), 30);
    const waiting = there.runner.run(callOf(key, { waitMs: 5_000 }), effect(key));
    await until(async () => (await server.command('PUBSUB CHANNELS holdfast:*')).includes('holdfast'));
    const endedAtMs = performance.now();
    end();
    expect(await waiting).toMatchObject({ kind: 'executed', replayed: true });
    // It looks by itself every 500 ms only.
    expect(performance.now() - endedAtMs).toBeLessThan(400);
    await first;
    expect(await effectsOf(key)).toBe(1);
    await until(async () => !(await server.command('PUBSUB CHANNELS holdfast:*')).includes('holdfast'));
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
    expect(await waiting).toMatchObject({ kind: 'executed', replayed: false });
  });

  it('H23: neither keys nor tenants nor answers of others can be told from what is there', async () => {
    const process = await start();
    const key = newKey();
    await process.runner.run(callOf(key, { tenantId: 'tenant-of-mine' }), effect('x'));
    await until(async () => (await server.command('DBSIZE')) !== ':0\r\n');
    const names = (await process.redis.call('keys', '*')) as string[];
    const dump = names.join() + (await process.redis.mget(...names)).join();
    expect(dump).toContain('holdfast:{');
    expect([dump.includes(key), dump.includes('tenant-of-mine')]).toEqual([false, false]);
    const [name = ''] = names;
    expect(await process.redis.pttl(name)).toBeGreaterThan(0);
  });

  describe('H19: the same answers, only slower, when Redis', () => {
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
      expect(await runner.run(callOf(fresh), effect(fresh))).toMatchObject({ kind: 'executed', replayed: false });
      expect(await runner.run(callOf(fresh), effect(fresh))).toMatchObject({ kind: 'executed', replayed: true });
      expect(await effectsOf(fresh)).toBe(1);
    };

    it('is flushed', async () => {
      const process = await start();
      const settled = await settledKey(process);
      await server.command('FLUSHALL');
      await expectSameAnswers(process, settled);
    });

    it('is killed, and used again when it is back', async () => {
      const process = await start();
      const settled = await settledKey(process);
      await server.kill();
      await expectSameAnswers(process, settled);
      await server.startAgain();
      await ready(process.redis);
      // What is answered before its rest is over is not told to Redis, and never will be: a later key is.
      await until(async () => {
        const key = newKey();
        await process.runner.run(callOf(key), effect(key));
        return await recalled(process, key)();
      });
    });

    it('stands still with its connections open: one question waits for it, the next ones don’t', async () => {
      const process = await process_(connectRedis(server.url), fingerprinter, 300);
      const settled = await settledKey(process);
      process.changes.splice(0);
      server.pause();
      try {
        await expectSameAnswers(process, settled);
        expect(process.changes).toEqual(['resting']);
        const askedAtMs = performance.now();
        await Promise.all(Array.from({ length: 50 }, () => process.answers.recall(callOf(settled.key))));
        // Asked one after the other, 50 would wait for 15 s.
        expect(performance.now() - askedAtMs).toBeLessThan(2_000);
      } finally {
        server.resume();
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
      await until(async () => (await process.answers.recall(callOf(key)))?.kind === 'running');
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
      closing.push(() => void other.drop());
      const elsewhere = await process_(connectRedis(server.url), await loadFingerprinter(other.pool));
      const key = newKey();
      elsewhere.answers.settle(callOf(key), { kind: 'executed', answer: Buffer.from('another life') });
      await until(async () => (await server.command('DBSIZE')) !== ':0\r\n');
      const [name = ''] = (await process.redis.call('keys', '*:answer')) as string[];
      process.answers.settle(callOf(key), { kind: 'executed', answer: Buffer.from('x') });
      await until(recalled(process, key));
      const [own = ''] = ((await process.redis.call('keys', '*:answer')) as string[]).filter((other) => other !== name);
      await process.redis.copy(name, own, 'REPLACE');
      expect(await process.runner.run(callOf(key), effect(key))).toMatchObject({ kind: 'executed', replayed: false });
    });

    it('was never there', async () => {
      const redis = connectRedis('redis://127.0.0.1:1');
      const answers = createRedisAnswers({ redis, fingerprinter });
      closing.push(
        () => answers.close(),
        () => redis.disconnect(),
      );
      const runner = createKeyedRunner({ pool: database.pool, memory: answers });
      const key = newKey();
      const { during, begun, end } = held();
      const first = runner.run(callOf(key), effect(key, during));
      await begun;
      const elsewhere = createKeyedRunner({ pool: database.pool, memory: answers });
      const waiting = elsewhere.run(callOf(key, { waitMs: 5_000 }), effect(key));
      end();
      expect(await first).toMatchObject({ replayed: false });
      expect(await waiting).toMatchObject({ kind: 'executed', replayed: true });
    });
  });
});

describe.skipIf(skip)('with a Redis Cluster of three', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.stop());
  const start = () =>
    process_(connectRedis(`redis+cluster://${cluster.nodes.map((node) => `127.0.0.1:${node.port}`).join(',')}`));

  it('answers are replayed, runs are marked and waiters woken, wherever their keys live', async () => {
    const [here, there] = [await start(), await start()];
    await there.answers.untilSettled(callOf(newKey()), 50);
    const keys = Array.from({ length: 24 }, () => newKey());
    for (const key of keys) {
      const { during, begun, end } = held();
      const first = here.runner.run(callOf(key), effect(key, during));
      await begun;
      await until(async () => (await there.answers.recall(callOf(key)))?.kind === 'running');
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
      expect(await process.runner.run(callOf(key), effect(key))).toMatchObject({ kind: 'executed', replayed: true });
      expect(await effectsOf(key)).toBe(1);
    }
  });
});

describe('a Redis URL', () => {
  it('makes the client for what it names', () => {
    const clients = [
      connectRedis('redis://127.0.0.1:1/2'),
      connectRedis('redis+sentinel://127.0.0.1:1,127.0.0.1:2/main'),
      connectRedis('redis+cluster://user:p%40ss@127.0.0.1:1,127.0.0.1:2'),
    ];
    for (const client of clients) closing.push(() => client.disconnect());
    expect(clients.map((client) => client instanceof Cluster)).toEqual([false, false, true]);
    expect(clients[1]).toBeInstanceOf(Redis);
    expect((clients[1] as Redis).options.sentinels).toEqual([
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: 2 },
    ]);
  });

  it.each(['http://127.0.0.1', 'redis+cluster://', 'redis+sentinel://127.0.0.1:1', 'redis://a b', ''])(
    '%j is refused, saying what a right one looks like',
    (url) => {
      expect(() => connectRedis(url)).toThrow('redis+sentinel://host:port,…/master-name');
    },
  );
});
