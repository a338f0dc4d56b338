import { randomUUID } from 'node:crypto';
import { connectRedis } from '@holdfast/idempotency/redis';
import { migrate, type Query } from '@holdfast/postgres';
import {
  type RedisServer,
  skipsRedis,
  startRedis,
  type TestDatabase,
  testDatabase,
  toldEvents,
} from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEventSeal } from './event-seal.ts';
import { outboxMigrations } from './index.ts';
import { defineOutbox } from './outbox.ts';
import { type OutboxRelay, startOutboxRelay } from './outbox-relay.ts';
import type { RedisClient } from './redis-client.ts';

const skip = skipsRedis('the tests of outboxes');
const OUTBOX = defineOutbox({ name: 'parcel-events', subject: 'parcel' });
const SEAL = createEventSeal([{ id: 'one', secret: 'a secret of the publisher' }]);

let database: TestDatabase;
let server: RedisServer;
let redis: RedisClient;
const relays: OutboxRelay[] = [];

beforeAll(async () => {
  if (skip) return;
  database = await testDatabase('outbox_relay', [outboxMigrations], { max: 8 });
  server = await startRedis();
  redis = connectRedis(server.url);
});
beforeEach(async () => {
  if (!skip) await vi.waitUntil(() => redis.status === 'ready', 10_000);
});
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
});
afterAll(async () => {
  if (skip) return;
  redis.disconnect();
  await server.stop();
  await database.drop();
});

function relayOf(pool: Query = database.pool, options: { keptMs?: number } = {}): OutboxRelay {
  const relay = startOutboxRelay({
    outbox: OUTBOX,
    redis,
    seal: SEAL,
    holder: randomUUID(),
    pool,
    keptMs: 3_600_000,
    onLoss: () => {
      losses += 1;
    },
    ...options,
  });
  relays.push(relay);
  return relay;
}

let losses = 0;

/** Two things that have happened to an order, one after the other. */
async function happen(id: string = randomUUID()): Promise<string> {
  for (const kind of ['packed', 'left']) {
    await database.pool.query(`insert into holdfast.outbox (tenant_id, order_id, kind) values ('shop', $1, $2)`, [
      id,
      kind,
    ]);
  }
  return id;
}
const BOTH = ['parcel.packed', 'parcel.left'];

/** What the stream says of an order, in its order; nothing while Redis is away. */
async function relayedOf(id: string): Promise<string[]> {
  const events = await toldEvents(redis, OUTBOX.stream);
  return events.flatMap((event) => (event.orderId === id ? [event.type ?? ''] : []));
}

const until = (id: string, types: string[]) =>
  vi.waitUntil(async () => JSON.stringify(await relayedOf(id)) === JSON.stringify(types), {
    timeout: 10_000,
    interval: 50,
  });

describe.skipIf(skip)('the events of an outbox', () => {
  it('E2: are relayed again when the relay dies after Redis has them and before it has noted that', async () => {
    const id = await happen();
    let deaths = 0;
    const dying = {
      query: (query: { name?: string }, ...rest: unknown[]) => {
        if (query.name === 'messaging.mark-relayed' && deaths++ === 0) throw new Error('killed');
        return (database.pool.query as (...values: unknown[]) => Promise<unknown>)(query, ...rest);
      },
    } as unknown as Query;
    relayOf(dying);
    await until(id, [...BOTH, ...BOTH]);
    expect(deaths).toBe(2);
  });

  it('E2: are relayed from the tables of another schema, and those of the first are left alone', async () => {
    await migrate(database.pool, [outboxMigrations], { schema: 'told' });
    const outbox = defineOutbox({ name: 'told-events', subject: 'parcel' });
    const id = randomUUID();
    for (const schema of ['told', 'holdfast']) {
      await database.pool.query(
        `insert into ${schema}.outbox (tenant_id, order_id, kind) values ('shop', $1, '${schema}')`,
        [id],
      );
    }
    const pool = database.pool;
    const relay = startOutboxRelay({
      outbox,
      pool,
      schema: 'told',
      redis,
      seal: SEAL,
      holder: randomUUID(),
      keptMs: 3_600_000,
    });
    relays.push(relay);
    await vi.waitUntil(async () => (await toldEvents(redis, outbox.stream)).length > 0, 10_000);
    expect((await toldEvents(redis, outbox.stream)).map(({ type }) => type)).toEqual(['parcel.told']);
    await database.pool.query('delete from holdfast.outbox where order_id = $1', [id]);
  });

  it('E3: are relayed again when Redis has lost them, also while nothing new happens, and no more than once', async () => {
    const id = await happen();
    const relay = relayOf();
    await until(id, BOTH);
    await server.command('FLUSHALL');
    await until(id, BOTH);
    await relay.relay();
    expect(await relayedOf(id)).toEqual(BOTH);
  });

  it('E3: are relayed again when Redis has evicted the stream and nothing else', async () => {
    const id = await happen();
    relayOf();
    await until(id, BOTH);
    await redis.del(OUTBOX.stream);
    await until(id, BOTH);
  });

  it('E3: that are lost and kept no more are a loss once, and the next ones are relayed', async () => {
    await relayOf().relay();
    await database.pool.query('delete from holdfast.outbox');
    const before = losses;
    await server.command('FLUSHALL');
    await vi.waitUntil(async () => (await redis.exists(OUTBOX.stream)) === 1, 10_000);
    const id = await happen();
    await until(id, BOTH);
    expect(losses).toBe(before + 1);
  });

  it('E3: wait while Redis is dead, and are all there when it is back, the old ones too', async () => {
    const before = await happen();
    relayOf();
    await until(before, BOTH);
    await server.kill();
    const meanwhile = await happen();
    await server.startAgain();
    for (const id of [before, meanwhile]) await until(id, BOTH);
  });

  it('K7: are relayed by one process at a time, and by another when it has gone', async () => {
    const first = relayOf();
    await first.relay();
    const second = relayOf();
    const id = await happen();
    expect(await second.relay()).toBe(0);
    await until(id, BOTH);
    await first.stop();
    const next = await happen();
    await until(next, BOTH);
  });

  it('are forgotten when they have been kept long enough, and never before they are relayed', async () => {
    const hold = (until: string) =>
      database.pool.query(`update holdfast.relays set holder = 'another', held_until = ${until}`);
    await hold(`clock_timestamp() + interval '1 minute'`);
    const id = await happen();
    const relay = relayOf(database.pool, { keptMs: 0 });
    expect(await relay.relay()).toBe(0);
    const left = await database.pool.query('select from holdfast.outbox where order_id = $1', [id]);
    expect(left.rowCount).toBe(2);
    await hold('null');
    await relay.relay();
    await relay.relay();
    expect((await database.pool.query('select from holdfast.outbox')).rowCount).toBe(0);
  });
});
