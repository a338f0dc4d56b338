import { randomUUID } from 'node:crypto';
import { connectRedis, type RedisClient } from '@holdfast/idempotency/redis';
import { createEventSeal, type OutboxRelay, startOutboxRelay } from '@holdfast/messaging';
import { createEngine, defineSaga, type Engine, hasEnded } from '@holdfast/saga';
import { createLog } from '@holdfast/service';
import {
  isRedisInstalled,
  type RedisServer,
  startRedis,
  type TestDatabase,
  testDatabase,
  toldEvents,
} from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { newOrder } from '../../test/test-order.ts';
import { ORDER_OUTBOX, orchestratorMigrations } from '../run-orchestrator.ts';
import { answerPayload, createInsertOrders, type InsertOrders, storeAnswerAndEvent } from './order-store.ts';

const skip = !isRedisInstalled();
if (skip && process.env.HOLDFAST_REQUIRE_ALL === '1') throw new Error('needs redis-server on the PATH');
if (skip) console.warn('skipped: the tests of order events need redis-server on the PATH (Debian: redis-server)');

let database: TestDatabase;
let server: RedisServer;
let redis: RedisClient;
let engine: Engine;
let insert: InsertOrders;
let relay: OutboxRelay | undefined;
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
      act: async () => (refuses ? { kind: 'refused', reason: 'NO', message: 'no' } : { kind: 'completed', output: {} }),
      undo: async () => ({ kind: 'completed' }),
    },
  ],
});

beforeAll(async () => {
  if (skip) return;
  database = await testDatabase('order-events', orchestratorMigrations, { max: 8 });
  server = await startRedis();
  redis = connectRedis(server.url);
  insert = createInsertOrders(database.pool, { publishesEvents: true });
  engine = createEngine({
    pool: database.pool,
    definitions: [definition],
    name: 'test',
    // None of these tests is about leases, and the machine may be slow.
    leaseMs: 60_000,
    log,
    commitHook: storeAnswerAndEvent,
    hookPayload: (saga) => (hasEnded(saga.state) ? answerPayload('shop', '{}') : null),
  });
  await engine.start();
});
beforeEach(async () => {
  if (!skip) await vi.waitUntil(() => redis.status === 'ready', 10_000);
});
afterEach(async () => {
  await relay?.stop();
});
afterAll(async () => {
  if (skip) return;
  await engine.stop();
  redis.disconnect();
  await server.stop();
  await database.drop();
});

/** Places an order and waits for its end. */
async function place(id = randomUUID()): Promise<string> {
  await engine.createStarter({ insert })(newOrder(id));
  expect((await engine.waitForEnd(id, 10_000)).kind).toBe('ended');
  return id;
}

/** What the stream says of an order, in its order; nothing while Redis is away. */
async function told(id: string): Promise<string[]> {
  const events = await toldEvents(redis, ORDER_OUTBOX.stream);
  return events.flatMap((event) => (event.orderId === id ? [event.type ?? ''] : []));
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
    const { rows } = await database.pool.query('select order_id, kind from holdfast.outbox where relayed_at is null');
    expect(rows).toHaveLength(4);
    relay = startOutboxRelay({
      outbox: ORDER_OUTBOX,
      pool: database.pool,
      redis,
      seal: createEventSeal([{ id: 'one', secret: 'a secret' }]),
      holder: randomUUID(),
      keptMs: 3_600_000,
    });
    await until(completed, ['order.accepted', 'order.completed']);
    await until(failed, ['order.accepted', 'order.failed']);
  });
});
