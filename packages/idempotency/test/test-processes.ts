/** Processes that share Postgres and Redis and nothing else, for the tests of answers in Redis. */
import { type RedisServer, startRedis, type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import {
  createKeyedRunner,
  type Effect,
  type Fingerprinter,
  idempotencyMigrations,
  type KeyedRunner,
  loadFingerprinter,
} from '../src/index.ts';
import { createRedisAnswers, type RedisAnswers, type RedisClient } from '../src/redis/index.ts';

export interface Process {
  runner: KeyedRunner;
  answers: RedisAnswers;
  redis: RedisClient;
  changes: string[];
}

/** A Redis for a group of tests, empty before each of them. */
export function ownRedis(): () => RedisServer {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(async () => {
    await server.command('FLUSHALL');
  });
  afterAll(() => server?.stop());
  return () => server;
}

/** A database for the tests of a file, and what they do with it. */
export function sharedDatabase(name: string) {
  let database: TestDatabase;
  let fingerprinter: Fingerprinter;
  beforeAll(async () => {
    database = await testDatabase(name, [idempotencyMigrations], { max: 8 });
    fingerprinter = await loadFingerprinter(database.pool);
    await database.pool.query('create table effects (key text not null)');
  });
  afterAll(() => database.drop());
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /**
   * One of several processes: they share Postgres and Redis, nothing else. Its own memory is off, so that Redis is asked.
   * @param timeoutMs long where a test is not about slowness: this machine may be slow, too
   */
  const startProcess = async (redis: RedisClient, ofDatabase = fingerprinter, timeoutMs = 2_000): Promise<Process> => {
    const changes: string[] = [];
    const onChange = (state: string) => changes.push(state);
    const answers = createRedisAnswers({ redis, fingerprinter: ofDatabase, restMs: 200, timeoutMs, onChange });
    const local = { get: () => undefined, put: () => {} };
    closing.push(
      () => answers.close(),
      () => redis.disconnect(),
    );
    await ready(redis);
    return { runner: createKeyedRunner({ pool: database.pool, cache: answers, local }), answers, redis, changes };
  };

  const callOf = (key: string, { amount = 5, waitMs = 0, tenantId = 'ada' } = {}) => {
    const fingerprint = fingerprinter.of('pay', { amount }, { nameMembers: true });
    return { tenantId, key, operation: 'pay', fingerprint, waitMs };
  };

  const recalled = (process: Process, key: string) => () =>
    process.answers.recall(callOf(key)).then((known) => known?.kind === 'completed');

  const effectsOf = async (key: string): Promise<number> =>
    (await database.pool.query('select from effects where key = $1', [key])).rows.length;

  /** How many connections of the pool `work` took: none means that Postgres was not asked. */
  const connectionsTaken = async (work: () => Promise<unknown>): Promise<number> => {
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
  };

  return {
    startProcess,
    callOf,
    recalled,
    effectsOf,
    connectionsTaken,
    atEnd: (close: () => void) => void closing.push(close),
    pool: () => database.pool,
    fingerprinter: () => fingerprinter,
  };
}

export const effect =
  (key: string, during: () => Promise<void> = async () => {}): Effect =>
  async (tx) => {
    await tx.query('insert into effects (key) values ($1)', [key]);
    await during();
    return { kind: 'completed', answer: Buffer.from(`\0done ${key}`) };
  };

export async function ready(redis: RedisClient): Promise<void> {
  if (redis.status !== 'ready') await new Promise<void>((resolve) => redis.once('ready', () => resolve()));
}

/** Returns when it has come to pass; what is told to Redis, nobody waits for. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineAtMs = performance.now() + 5_000;
  while (!(await holds())) {
    if (performance.now() > deadlineAtMs) throw new Error('it did not come to pass within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Something that goes on until it is told to end, and says when it has begun. */
export function held() {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const during = async () => {
    begun.resolve();
    await ended.promise;
  };
  return { during, begun: begun.promise, end: () => ended.resolve() };
}
