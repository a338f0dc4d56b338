import { randomUUID } from 'node:crypto';
import { connectRedis } from '@holdfast/idempotency/redis';
import { createPool, type Pool, transaction } from '@holdfast/postgres';
import {
  type RedisServer,
  skipsRedis,
  startFaultProxy,
  startRedis,
  type TestDatabase,
  testDatabase,
} from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEventSeal } from './event-seal.ts';
import { takeNew } from './inbox.ts';
import { inboxMigrations, outboxMigrations } from './index.ts';
import { defineOutbox } from './outbox.ts';
import { startOutboxRelay } from './outbox-relay.ts';
import type { RedisClient } from './redis-client.ts';
import {
  consumeStream,
  type FailedEntry,
  type StreamConsumer,
  type StreamConsumerOptions,
  type StreamEntry,
} from './stream-consumer.ts';

const skip = skipsRedis('the tests of stream consumers');
const GROUP = 'count-them';
const [OLD, NEW] = ['old', 'new'].map((id) => ({ id, secret: `a secret of the publisher, the ${id} one` }));
if (OLD === undefined || NEW === undefined) throw new Error('two keys');
const SEAL = createEventSeal([OLD]);
/** So that what one has left is soon claimed by another. */
const RETRY = { baseMs: 100, capMs: 400, maxAttempts: 3 };

let database: TestDatabase;
let server: RedisServer;
/** To publish and to look with. */
let redis: RedisClient;
let stream: string;
const consumers: { consumer: StreamConsumer; client: RedisClient }[] = [];

beforeAll(async () => {
  if (skip) return;
  database = await testDatabase('stream_consumer', [inboxMigrations, outboxMigrations], { max: 8 });
  await database.pool.query('create table effects (message_id text not null)');
  server = await startRedis();
  redis = connectRedis(server.url);
});
beforeEach(async () => {
  stream = `{${randomUUID()}}`;
  if (!skip) await vi.waitUntil(() => redis.status === 'ready', 10_000);
});
afterEach(async () => {
  for (const { consumer, client } of consumers.splice(0)) {
    await consumer.stop();
    client.disconnect();
  }
});
afterAll(async () => {
  if (skip) return;
  redis.disconnect();
  await server.stop();
  await database.drop();
});

/** One whose effect is a row per message. */
function consume(options: Partial<StreamConsumerOptions> = {}, client = connectRedis(server.url)): StreamConsumer {
  const handle = (entries: StreamEntry[]) => count(entries);
  const parts = { redis: client, stream, seal: SEAL, group: GROUP, consumer: randomUUID(), handle, retry: RETRY };
  const consumer = consumeStream({ ...parts, ...options });
  consumers.push({ consumer, client });
  return consumer;
}

async function count(entries: StreamEntry[], pool: Pool = database.pool): Promise<void> {
  const messages = entries.map(({ fields: { id = '' } }) => ({ tenantId: 'shop', scope: id, id }));
  await transaction(pool, async (tx) => {
    for (const { id } of await takeNew(tx, GROUP, messages)) await tx.query('insert into effects values ($1)', [id]);
  });
}

async function publish(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) await add(id);
  return ids;
}

const add = (id: string, mac = SEAL.macOf(stream, { id })) => redis.xadd(stream, '*', 'id', id, 'mac', mac);

/** How often each of them has happened. */
async function effectsOf(ids: string[]): Promise<number[]> {
  const { rows } = await database.pool.query<{ times: number }>(
    `select (select count(*)::int from effects where message_id = id) as times from unnest($1::text[]) with ordinality as i (id, n) order by n`,
    [ids],
  );
  return rows.map(({ times }) => times);
}

const pendingCount = async (): Promise<number> => Number(((await redis.xpending(stream, GROUP)) as unknown[])[0]);

/** Until each has happened, and nothing is left to acknowledge: once each, then. */
async function untilOnce(ids: string[]): Promise<void> {
  await untilTrue(async () => {
    const times = await effectsOf(ids);
    return times.every((each) => each > 0) && (await pendingCount()) === 0;
  });
  expect(await effectsOf(ids)).toEqual(ids.map(() => 1));
}

const untilTrue = (look: () => Promise<boolean>) => vi.waitUntil(look, { timeout: 15_000, interval: 50 });

describe.skipIf(skip)('an event in a stream', () => {
  it('E4: happens once when its consumer dies after the commit and before it has acknowledged', async () => {
    const ids = await publish(5);
    const dying = connectRedis(server.url);
    let handled = 0;
    const dead = Promise.withResolvers<void>();
    consume(
      {
        async handle(entries) {
          await count(entries);
          handled += entries.length;
          // From here on nothing that it says is heard: its acknowledgement is not either.
          dying.disconnect();
          dead.resolve();
        },
      },
      dying,
    );
    await dead.promise;
    expect(handled).toBe(5);
    expect(await pendingCount()).toBe(5);
    consume();
    await untilOnce(ids);
  });

  it('E4: happens once when it is dealt with by two at once, which share it', async () => {
    const by = new Set<string>();
    for (const name of ['one', 'other']) {
      consume({
        batch: 5,
        async handle(entries) {
          by.add(name);
          await count(entries);
        },
      });
    }
    await untilOnce(await publish(100));
    expect(by.size).toBe(2);
  });

  it('E4: happens once when the relay publishes it twice', async () => {
    consume();
    const ids = await publish(3);
    for (const id of ids) await add(id);
    await untilTrue(async () => ((await redis.xinfo('GROUPS', stream)) as unknown[][]).flat().includes(6));
    await untilOnce(ids);
  });

  it('E5: holds up nothing else when it can’t be dealt with: it is tried again, later, and then set aside with the reason', async () => {
    const ids = await publish(5);
    const poison = ids[2];
    const failed: FailedEntry[] = [];
    const handle = async (entries: StreamEntry[]) => {
      if (entries.some(({ fields }) => fields.id === poison)) throw new TypeError('unreadable');
      await count(entries);
    };
    consume({ handle, onFailed: (one) => failed.push(one) });
    const others = ids.filter((id) => id !== poison);
    await untilTrue(async () => (await effectsOf(others)).every((times) => times === 1));
    await untilTrue(async () => (await pendingCount()) === 0);
    expect(failed.map(({ attempts, next }) => [attempts, next])).toEqual([
      [1, 'tried again'],
      [2, 'tried again'],
      [3, 'set aside'],
    ]);
    const [aside, ...more] = await redis.xrange(`${stream}:failed:${GROUP}`, '-', '+');
    expect(more).toEqual([]);
    expect(aside?.[1]).toEqual(
      expect.arrayContaining(['id', poison, 'reason', 'TypeError: unreadable', 'attempts', '3']),
    );
    await untilOnce([...others, ...(await publish(1))]);
  });

  it('E8: changes nothing when it is not the publisher’s, and is set aside at once, however big', async () => {
    const failed: FailedEntry[] = [];
    const stranger = createEventSeal([{ id: 'old', secret: 'a guess' }]);
    const forged = Array.from({ length: 5 }, () => randomUUID());
    const [bare = '', guessed = '', moved = '', added = '', huge = ''] = forged;
    await redis.xadd(stream, '*', 'id', bare);
    await add(guessed, stranger.macOf(stream, { id: guessed }));
    await add(moved, SEAL.macOf('another stream', { id: moved }));
    await redis.xadd(stream, '*', 'id', added, 'type', 'more', 'mac', SEAL.macOf(stream, { id: added }));
    await redis.xadd(stream, '*', 'id', huge, ...Array.from({ length: 20_000 }, (_, n) => `${n}`));
    consume({ onFailed: (one) => failed.push(one) });
    await untilOnce(await publish(3));
    expect(await effectsOf(forged)).toEqual([0, 0, 0, 0, 0]);
    expect(failed.map(({ error, next }) => `${error.name}: ${next}`)).toEqual(
      forged.map(() => 'ForgedEntry: set aside'),
    );
    expect(await redis.xlen(`${stream}:failed:${GROUP}`)).toBe(5);
  });

  it('E8: is believed under the old key and the new one while they are exchanged, and under neither afterwards', async () => {
    const both = createEventSeal([NEW, OLD]);
    const [before = '', after = ''] = [randomUUID(), randomUUID()];
    await add(before);
    await add(after, both.macOf(stream, { id: after }));
    consume({ seal: both });
    await untilOnce([before, after]);
    await consumers[0]?.consumer.stop();
    const late = randomUUID();
    await add(late);
    consume({ seal: createEventSeal([NEW]) });
    await untilTrue(async () => (await redis.xlen(`${stream}:failed:${GROUP}`)) === 1);
    expect(await effectsOf([late])).toEqual([0]);
  });

  it('E6: waits for a store that is away, is not counted as a failure, and goes on', async () => {
    const { hostname, port } = new URL(database.databaseUrl);
    const proxy = await startFaultProxy({
      target: () => ({ host: hostname, port: Number(port) }),
      random: Math.random,
    });
    const away = new URL(database.databaseUrl);
    away.port = String(proxy.port);
    const pool = createPool({
      databaseUrl: away.href,
      applicationName: 'test consumer',
      max: 2,
      connectTimeoutMs: 500,
    });
    try {
      proxy.set({ refuse: true });
      proxy.reset();
      const changes: string[] = [];
      const failed: FailedEntry[] = [];
      consume({
        handle: (entries) => count(entries, pool),
        onChange: (state, reason) => changes.push(`${state}: ${reason}`),
        onFailed: (one) => failed.push(one),
      });
      const ids = await publish(3);
      await untilTrue(async () => changes.some((line) => /^waiting: .*(ECONNRESET|terminated)/.test(line)));
      proxy.set({});
      await untilOnce(ids);
      expect(failed).toEqual([]);
      expect(changes).toEqual([expect.stringMatching(/^waiting: /), 'going on: it answers']);
    } finally {
      for (const { consumer } of consumers) await consumer.stop();
      await pool.end();
      await proxy.close();
    }
  });

  it('E7: happens once when Redis is flushed in between, published again by the relay, and so does what comes afterwards', async () => {
    const name = 'consumed-events';
    const outbox = defineOutbox({ name, subject: 'thing' });
    stream = outbox.stream;
    const relay = startOutboxRelay({
      outbox,
      pool: database.pool,
      redis,
      seal: SEAL,
      holder: randomUUID(),
      keptMs: 3_600_000,
    });
    try {
      consume();
      const happen = async () => {
        const id = randomUUID();
        await database.pool.query(`insert into holdfast.outbox values ('shop', $1, 'done')`, [id]);
        return `${id}:done`;
      };
      const before = await happen();
      await untilOnce([before]);
      await server.command('FLUSHALL');
      const after = await happen();
      await untilOnce([before, after]);
      await server.kill();
      const meanwhile = await happen();
      await server.startAgain();
      await vi.waitUntil(() => redis.status === 'ready', 10_000);
      await untilOnce([before, after, meanwhile]);
    } finally {
      await relay.stop();
    }
  });

  it('is finished by a consumer that is stopped, which leaves nothing pending and no name behind', async () => {
    const [held, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const consumer = consume({
      async handle(entries) {
        held.resolve();
        await open.promise;
        await count(entries);
      },
    });
    const ids = await publish(3);
    await held.promise;
    const stopped = consumer.stop();
    open.resolve();
    await stopped;
    expect(await effectsOf(ids.slice(0, 1))).toEqual([1]);
    expect(await pendingCount()).toBe(0);
    expect(await redis.xinfo('CONSUMERS', stream, GROUP)).toEqual([]);
  });
});
