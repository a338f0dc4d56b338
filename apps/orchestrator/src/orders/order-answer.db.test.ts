import { randomUUID } from 'node:crypto';
import { createEngine, defineSaga, type Engine, hasEnded, type SagaDefinition, systemClock } from '@holdfast/saga';
import { createLog } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newOrder } from '../../test/test-order.ts';
import { orchestratorMigrations, terminalAnswer } from '../run-orchestrator.ts';
import type { AcceptedOrder, OrderOutputs } from './order.ts';
import { answerOfPayload, createInsertOrders, readOrder, readOrders, storeAnswer } from './order-store.ts';

const HOUR_MS = 3_600_000;
const WAIT_MS = 10_000;
const log = createLog('order-answer', 'silent');

/** Lets every shipment go out; a test that wants to come in between closes it. */
let gate = Promise.withResolvers<void>();
gate.resolve();
const definition = defineSaga<AcceptedOrder, Omit<OrderOutputs, 'charge-payment'>>()({
  name: 'place-order',
  deadlineMs: 60_000,
  steps: [
    {
      name: 'reserve-inventory',
      kind: 'compensatable',
      timeoutMs: 30_000,
      retry: { baseMs: 5, capMs: 20 },
      act: async () => ({ kind: 'completed', output: { reservationId: 'r', total: 3, unitPrices: { apple: 3 } } }),
      undo: async () => ({ kind: 'completed' }),
    },
    {
      name: 'create-shipment',
      kind: 'pivot',
      timeoutMs: 30_000,
      retry: { baseMs: 5, capMs: 20 },
      act: async () => {
        await gate.promise;
        return { kind: 'completed', output: { shipmentId: 's' } };
      },
      undo: async () => ({ kind: 'completed' }),
    },
  ],
}) as unknown as SagaDefinition;

let database: TestDatabase;
/** Its machine's clock is an hour behind the one of the machine that accepts orders. */
let engine: Engine;
beforeAll(async () => {
  database = await testDatabase('order-answer', orchestratorMigrations, { max: 6 });
  engine = createEngine({
    pool: database.pool,
    definitions: [definition],
    name: 'behind',
    leaseMs: 60_000,
    log,
    clock: { ...systemClock, wallNow: () => Date.now() - HOUR_MS },
    commitHook: storeAnswer,
    hookPayload: (saga, input) => (hasEnded(saga.state) ? terminalAnswer(input as AcceptedOrder, saga) : null),
  });
  await engine.start();
});
afterAll(async () => {
  await engine?.stop();
  await database?.drop();
});

async function place(order = newOrder(randomUUID())): Promise<string> {
  const insert = createInsertOrders(database.pool, { publishesEvents: false });
  expect((await engine.createStarter({ insert })(order)).kind).toBe('begun');
  return order.id;
}

async function ended(id: string) {
  const end = await engine.waitForEnd(id, WAIT_MS);
  if (end.kind !== 'ended') throw new Error(`order ${id} is ${end.kind}`);
  return end.snapshot;
}

async function storedAnswer(id: string): Promise<string | undefined> {
  const { rows } = await database.pool.query(
    `select convert_from(answer, 'UTF8') as answer from holdfast.claims where scope = $1`,
    [id],
  );
  return rows[0]?.answer;
}

describe('the instant of an order', () => {
  it('S6: is the same, byte for byte, in the answer that the caller hears, in the stored one, in GET and in lists', async () => {
    gate = Promise.withResolvers();
    const id = await place();
    const waiting = ended(id);
    gate.resolve();
    const { storedByHook } = await waiting;
    const heard = answerOfPayload(storedByHook ?? '');
    expect(JSON.parse(heard)).toMatchObject({ id, status: 'completed', total: 3, shipmentId: 's' });
    expect(await storedAnswer(id)).toBe(heard);
    expect(JSON.stringify(await readOrder(database.pool, 'shop', id))).toBe(heard);
    const { rows } = await readOrders(database.pool, 'shop', { limit: 50 });
    expect(rows.map((row) => JSON.stringify(row))).toContain(heard);
  });

  it('S6: begins as the order’s creation and rises with every checkpoint, by a clock that is behind as well', async () => {
    const order = newOrder(randomUUID());
    const createdAt = Date.parse(order.order.createdAt);
    const seen: number[] = [];
    const unsubscribe = engine.subscribe(order.id, ({ changedAt }) => seen.push(changedAt.getTime()));
    gate = Promise.withResolvers();
    await place(order);
    const accepted = JSON.parse(JSON.stringify(await readOrder(database.pool, 'shop', order.id)));
    expect(Date.parse(accepted.updatedAt) - createdAt).toBeLessThanOrEqual(1);
    const waiting = ended(order.id);
    gate.resolve();
    await waiting;
    unsubscribe();
    expect(seen).toEqual([createdAt + 1, createdAt + 2]);
  });

  it('K1, K2: an earlier answer stands, and the caller is not handed another one', async () => {
    gate = Promise.withResolvers();
    const id = await place({ ...newOrder(randomUUID()), answer: 'earlier' });
    const waiting = ended(id);
    gate.resolve();
    expect((await waiting).storedByHook).toBeNull();
    expect(await storedAnswer(id)).toBe('earlier');
  });
});
