import { randomUUID } from 'node:crypto';
import {
  connectRedis,
  EVENT_STREAM,
  type EventRelay,
  type RedisClient,
  startEventRelay,
} from '@holdfast/idempotency/redis';
import type { Query } from '@holdfast/postgres';
import { createEngine, defineSaga, type Engine, hasEnded } from '@holdfast/saga';
import { createLog, createMetrics } from '@holdfast/service';
import { isRedisInstalled, type RedisServer, startRedis, type TestDatabase, testDatabase } from '@holdfast/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerAndTellCompanion, createInsertOrder, type InsertOrder } from './order-store.ts';
import { orchestratorMigrations } from './run-orchestrator.ts';

const skip = !isRedisInstalled();
if (skip && process.env.HOLDFAST_REQUIRE_ALL === '1') throw new Error('needs redis-server on the PATH');
if (skip) console.warn('skipped: the tests of order events need redis-server on the PATH (Debian: redis-server)');

let database: TestDatabase;
let server: RedisServer;
let redis: RedisClient;
let engine: Engine;
let insertOrder: InsertOrder;
const relays: EventRelay[] = [];
const log = createLog('test', 'silent');

const retry = { baseMs: 5, capMs: 20 };
/** Refuses every second order. */
let refuses = false;
const definition = defineSaga<unknown, { 'create-shipment': object }>()({
  name: 'place-order',
  deadlineMs: 20_000,
  steps: [
    {
      name: 'create-shipment',
      kind: 'pivot',
      timeoutMs: 5_000,
      retry,
      act: async () => (refuses ? { kind: 'refused', reason: 'NO', message: 'no' } : { kind: 'done', output: {} }),
      undo: async () => ({ kind: 'done' }),
    },
  ],
});

beforeAll(async () => {
  if (skip) return;
  database = await testDatabase('event-relay', orchestratorMigrations, { max: 8 });
  server = await startRedis();
  redis = connectRedis(server.url);
  insertOrder = createInsertOrder(database.pool, { tellsEvents: true });
  engine = createEngine({
    pool: database.pool,
    definitions: [definition],
    name: 'test',
    // None of these tests is about leases, and the machine may be slow.
    leaseMs: 60_000,
    log,
    companion: answerAndTellCompanion,
    companionValue: (saga) => (hasEnded(saga.state) ? '{}' : null),
  });
  await engine.start();
});
beforeEach(async () => {
  if (!skip) await vi.waitUntil(() => redis.status === 'ready', 10_000);
});
afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
});
afterAll(async () => {
  if (skip) return;
  await engine.stop();
  redis.disconnect();
  await server.stop();
  await database.drop();
});

function relayOf(pool: Query = database.pool, options: { keptMs?: number } = {}): EventRelay {
  const parts = { redis, holder: randomUUID(), log, metrics: createMetrics('test') };
  const relay = startEventRelay({ ...parts, pool, keptMs: 3_600_000, ...options });
  relays.push(relay);
  return relay;
}

/** Places an order and waits for its end. */
async function place(id = randomUUID()): Promise<string> {
  const seat = engine.admit(id);
  if (seat.kind !== 'admitted') throw new Error(seat.kind);
  const inserted = await insertOrder({
    id,
    order: {
      tenantId: 'shop',
      customerId: 'ann',
      currency: 'EUR',
      items: [{ sku: 'apple', quantity: 1 }],
      payment: { method: 'balance' },
      shipTo: { name: 'Ann', line1: 'Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
      createdAt: new Date().toISOString(),
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    fingerprint: { version: 1, digest: Buffer.from('x'), members: {} },
    answer: null,
    ownerId: seat.ownerId,
    deadlineMs: 20_000,
  });
  if (inserted.kind === 'started') seat.run(inserted.row);
  seat.release();
  expect((await engine.waitForEnd(id, 10_000)).kind).toBe('settled');
  return id;
}

/** What the stream says of an order, in its order; nothing while Redis is away. */
async function told(id: string): Promise<string[]> {
  if (redis.status !== 'ready') return [];
  const entries = await redis.xrange(EVENT_STREAM, '-', '+');
  const events = entries.map(([, fields]) => Object.fromEntries(pairs(fields)));
  return events.flatMap((event) => (event.orderId === id ? [event.type ?? ''] : []));
}

function pairs(fields: string[]): [string, string][] {
  return fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ''] as [string, string]] : []));
}

const until = (id: string, types: string[]) =>
  vi.waitUntil(async () => JSON.stringify(await told(id)) === JSON.stringify(types), { timeout: 10_000, interval: 50 });

describe.skipIf(skip)('the events of an order', () => {
  it('E1: are committed with its acceptance and its end, and relayed in that order', async () => {
    const completed = await place();
    refuses = true;
    const failed = await place().finally(() => {
      refuses = false;
    });
    const { rows } = await database.pool.query('select order_id, kind from outbox where relayed_at is null');
    expect(rows).toHaveLength(4);
    relayOf();
    await until(completed, ['order.accepted', 'order.completed']);
    await until(failed, ['order.accepted', 'order.failed']);
  });

  it('E2: are relayed again when the relay dies after Redis has them and before it has noted that', async () => {
    const id = await place();
    let deaths = 0;
    const dying = {
      query: (query: { name?: string }, ...rest: unknown[]) => {
        if (query.name === 'events.mark-relayed' && deaths++ === 0) throw new Error('killed');
        return (database.pool.query as (...values: unknown[]) => Promise<unknown>)(query, ...rest);
      },
    } as unknown as Query;
    relayOf(dying);
    const twice = ['order.accepted', 'order.completed'];
    await until(id, [...twice, ...twice]);
    expect(deaths).toBe(2);
  });

  it('E3: are relayed again when Redis has lost them, also while nothing new happens, and no more than once', async () => {
    const id = await place();
    const relay = relayOf();
    await until(id, ['order.accepted', 'order.completed']);
    await server.command('FLUSHALL');
    await until(id, ['order.accepted', 'order.completed']);
    await relay.relay();
    expect(await told(id)).toEqual(['order.accepted', 'order.completed']);
  });

  it('E3: wait while Redis is dead, and are all there when it is back, the old ones too', async () => {
    const before = await place();
    relayOf();
    await until(before, ['order.accepted', 'order.completed']);
    await server.kill();
    const meanwhile = await place();
    await server.startAgain();
    for (const id of [before, meanwhile]) await until(id, ['order.accepted', 'order.completed']);
  });

  it('K7: are relayed by one process at a time, and by another when it has gone', async () => {
    const first = relayOf();
    await first.relay();
    const second = relayOf();
    const id = await place();
    expect(await second.relay()).toBe(0);
    await until(id, ['order.accepted', 'order.completed']);
    await first.stop();
    const next = await place();
    await until(next, ['order.accepted', 'order.completed']);
  });

  it('are forgotten when they have been kept long enough, and never before they are relayed', async () => {
    const hold = (until: string) => database.pool.query(`update relays set holder = 'another', held_until = ${until}`);
    await hold(`clock_timestamp() + interval '1 minute'`);
    const id = await place();
    const relay = relayOf(database.pool, { keptMs: 0 });
    expect(await relay.relay()).toBe(0);
    const left = await database.pool.query('select from outbox where order_id = $1', [id]);
    expect(left.rowCount).toBe(2);
    await hold('null');
    await relay.relay();
    await relay.relay();
    expect((await database.pool.query('select from outbox')).rowCount).toBe(0);
  });
});
