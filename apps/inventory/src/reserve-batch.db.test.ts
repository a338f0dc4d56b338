import { randomUUID } from 'node:crypto';
import { createSingleFlight } from '@holdfast/idempotency';
import { createStepClient, stepStreams, storeFault } from '@holdfast/participant';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { createPool, type Transaction, transaction } from '@holdfast/postgres';
import { type CallOptions, type Client, services, startServer } from '@holdfast/rpc';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryMigrations, inventoryService } from './index.ts';
import { reserve as reserveIn } from './reservation.ts';

type Inventory = Client<typeof services.inventory>;

let participant: TestParticipant<typeof services.inventory>;
/** Calls of one turn leave in one message, and are one transaction. */
let inventory: Inventory;
beforeAll(async () => {
  participant = await testParticipant('reserve_batch', services.inventory, inventoryMigrations, inventoryService);
  inventory = createStepClient(services.inventory, participant.address);
});
afterAll(async () => {
  inventory.close();
  await participant.stop();
});

const TENANT = 'shop';
const options = (key: string, tenantId = TENANT): CallOptions => ({ timeoutMs: 10_000, tenantId, key });
const rows = async (text: string, values: unknown[]) => (await participant.database.pool.query(text, values)).rows;

async function listed(onHand: number, tenantId = TENANT, sku = `sku-${randomUUID().slice(0, 8)}`): Promise<string> {
  const put = { sku, onHand, unitPrice: 100, currency: 'EUR' };
  expect(await participant.client.PutStock(put, options(`the-put-of-${onHand}-of-${sku}`, tenantId))).toMatchObject({
    kind: 'completed',
  });
  return sku;
}

const stockOf = async (sku: string) =>
  (await rows('select on_hand, reserved from stock where tenant_id = $1 and sku = $2', [TENANT, sku]))[0];

interface Order {
  orderId: string;
  lines: { sku: string; quantity: number }[];
}
const orderOf = (...lines: [string, number][]): Order => ({
  orderId: randomUUID(),
  lines: lines.map(([sku, quantity]) => ({ sku, quantity })),
});

const keyOf = ({ orderId }: Order) => `${orderId}:reserve-inventory`;
const reserve = ({ orderId, lines }: Order, tenantId = TENANT, by = inventory) =>
  by.ReserveInventory({ orderId, currency: 'EUR', lines }, options(keyOf({ orderId, lines }), tenantId));
const release = (order: Order, tenantId = TENANT, by = inventory) =>
  by.ReleaseInventory({ orderId: order.orderId }, options(`${keyOf(order)}:undo`, tenantId));
const kindsOf = (results: { kind: string; reason?: string }[]) => results.map(({ kind, reason }) => reason ?? kind);

/** The transactions that made these orders' reservations. */
const makersOf = (orders: Order[]) =>
  rows('select distinct xmin::text from reservations where order_id = any($1)', [orders.map(({ orderId }) => orderId)]);

const forgetClaims = (orders: Order[]) =>
  rows('delete from holdfast.claims where scope = any($1)', [orders.map(({ orderId }) => orderId)]);

describe('reservations that arrive together', () => {
  it('A1: of one hot item are one transaction, and are counted each', async () => {
    const sku = await listed(100);
    const orders = Array.from({ length: 40 }, () => orderOf([sku, 2]));
    expect(kindsOf(await Promise.all(orders.map((order) => reserve(order))))).toEqual(Array(40).fill('completed'));
    expect(await makersOf(orders)).toHaveLength(1);
    expect(await stockOf(sku)).toEqual({ on_hand: 100, reserved: 80 });
  });

  it('A1: of more than there is are served as they came; who comes later may still fit', async () => {
    const sku = await listed(5);
    const orders = [orderOf([sku, 3]), orderOf([sku, 3]), orderOf([sku, 2]), orderOf([sku, 1])];
    const results = await Promise.all(orders.map((order) => reserve(order)));
    expect(kindsOf(results)).toEqual(['completed', 'OUT_OF_STOCK', 'completed', 'OUT_OF_STOCK']);
    expect(results[1]).toMatchObject({ message: `3 of ${sku} wanted, 2 free` });
    expect(await stockOf(sku)).toEqual({ on_hand: 5, reserved: 5 });
  });

  it('S5: one that is refused takes nothing and holds nobody up; its refusal is kept with the others’ answers', async () => {
    const [plenty, short] = [await listed(10), await listed(1)];
    const orders = [
      orderOf([plenty, 4]),
      orderOf([plenty, 4], [short, 2]),
      orderOf(['no-such-sku', 1]),
      orderOf([plenty, 4]),
    ];
    const first = await Promise.all(orders.map((order) => reserve(order)));
    expect(kindsOf(first)).toEqual(['completed', 'OUT_OF_STOCK', 'UNKNOWN_SKU', 'completed']);
    await listed(100, TENANT, short);
    const again = await Promise.all(orders.map((order) => reserve(order)));
    expect(again).toEqual(first.map((result) => ({ ...result, replayed: true })));
    expect([await stockOf(plenty), await stockOf(short)]).toEqual([
      { on_hand: 10, reserved: 8 },
      { on_hand: 100, reserved: 0 },
    ]);
  });

  it('K5: whose claims are gone reserve nothing twice, and leave the new ones of their batch in peace', async () => {
    const sku = await listed(20);
    const before = [orderOf([sku, 2]), orderOf([sku, 2]), orderOf([sku, 2])];
    const first = await Promise.all(before.map((order) => reserve(order)));
    await forgetClaims(before);
    const fresh = [orderOf([sku, 1]), orderOf([sku, 1]), orderOf([sku, 1]), orderOf([sku, 1])];
    const mixed = [fresh[0], before[0], fresh[1], before[1], before[2], fresh[2], fresh[3]] as Order[];
    const results = await Promise.all(mixed.map((order) => reserve(order)));
    expect(kindsOf(results)).toEqual(Array(7).fill('completed'));
    expect([results[1], results[3], results[4]]).toEqual(first);
    expect(await stockOf(sku)).toEqual({ on_hand: 20, reserved: 10 });
  });

  it('K5: the order that holds the last of an item is told so again, not that it is out of stock', async () => {
    const sku = await listed(3);
    const holder = orderOf([sku, 3]);
    const first = await reserve(holder);
    await forgetClaims([holder]);
    const other = orderOf([sku, 1]);
    expect(await Promise.all([reserve(other), reserve(holder)])).toMatchObject([{ reason: 'OUT_OF_STOCK' }, first]);
    expect(await stockOf(sku)).toEqual({ on_hand: 3, reserved: 3 });
  });

  it('K5: that are refused are looked for together, not one by one while the stock is held', async () => {
    const sku = await listed(1);
    const all = { tenantId: TENANT, currency: 'EUR', beside: 0 };
    const requests = Array.from({ length: 20 }, () => ({ ...orderOf([sku, 2]), ...all }));
    const asked: string[] = [];
    const outcomes = await transaction(participant.database.pool, (tx) => {
      const query = (statement: { name: string }) => {
        asked.push(statement.name);
        return tx.query(statement as never);
      };
      return reserveIn({ query } as unknown as Transaction, requests);
    });
    expect(kindsOf(outcomes)).toEqual(Array(20).fill('OUT_OF_STOCK'));
    expect(asked).toEqual(['inventory.lock-stock', 'inventory.find-reservations']);
  });

  it('K5: an order that asks for other things than it holds fails alone', async () => {
    const sku = await listed(20);
    const holder = orderOf([sku, 2]);
    await reserve(holder);
    await forgetClaims([holder]);
    const orders = [orderOf([sku, 1]), { ...holder, lines: [{ sku, quantity: 3 }] }, orderOf([sku, 1])];
    expect(kindsOf(await Promise.all(orders.map((order) => reserve(order))))).toEqual([
      'completed',
      'CONFLICT',
      'completed',
    ]);
    expect(await stockOf(sku)).toEqual({ on_hand: 20, reserved: 4 });
  });

  it('H17: tenants whose orders and items have the same names share a batch and nothing else', async () => {
    const sku = await listed(1);
    await listed(1, 'other', sku);
    const order = orderOf([sku, 1]);
    expect(kindsOf(await Promise.all([reserve(order), reserve(order, 'other')]))).toEqual(['completed', 'completed']);
    expect(await rows('select tenant_id, reserved from stock where sku = $1 order by tenant_id', [sku])).toEqual([
      { tenant_id: 'other', reserved: 1 },
      { tenant_id: TENANT, reserved: 1 },
    ]);
  });

  it('K3: releases that arrive together give back what each held, once', async () => {
    const [one, two] = [await listed(50), await listed(50)];
    const held = Array.from({ length: 6 }, (_, at) => orderOf([one, at + 1], [two, 1]));
    await Promise.all(held.map((order) => reserve(order)));
    const orders = [...held, orderOf([one, 1])];
    const released = await Promise.all(orders.map((order) => release(order)));
    expect(released.map((result) => result.kind === 'completed' && result.message.reservationId)).toEqual([
      ...held.map(({ orderId }) => `rsv_${orderId}`),
      '',
    ]);
    expect(await Promise.all(orders.map((order) => release(order)))).toEqual(
      released.map((result) => ({ ...result, replayed: true })),
    );
    expect([await stockOf(one), await stockOf(two)]).toEqual(Array(2).fill({ on_hand: 50, reserved: 0 }));
  });
});

// What a round does: these orders at once, by one of the two methods.
const MAX_ORDERS = 8;
const line = fc.record({ sku: fc.constantFrom('a', 'b', 'c'), quantity: fc.integer({ min: 1, max: 4 }) });
const world = fc.record({
  onHand: fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 2, maxLength: 3 }),
  orders: fc.array(fc.uniqueArray(line, { minLength: 1, maxLength: 3, selector: ({ sku }) => sku }), {
    minLength: MAX_ORDERS,
    maxLength: MAX_ORDERS,
  }),
  rounds: fc.array(
    fc.record({
      method: fc.constantFrom('reserve', 'reserve', 'release'),
      orders: fc.uniqueArray(fc.integer({ min: 0, max: MAX_ORDERS - 1 }), { minLength: 1, maxLength: MAX_ORDERS }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
});

async function booksOf(tenantId: string): Promise<unknown[]> {
  const books = [
    'select sku, on_hand, reserved from stock where tenant_id = $1 order by sku',
    'select order_id, state, lines, total from reservations where tenant_id = $1 order by order_id',
    'select scope, name, state, answer from holdfast.claims where tenant_id = $1 order by scope, name',
  ];
  return await Promise.all(books.map((text) => rows(text, [tenantId])));
}

describe('a batch of calls', () => {
  it('K1, K2, S5, A1: has the outcomes, and leaves the tables, of the same calls one after the other', async () => {
    const same = fc.asyncProperty(world, async ({ onHand, orders, rounds }) => {
      const [together, alone] = [`t-${randomUUID()}`, `a-${randomUUID()}`];
      for (const [at, count] of onHand.entries()) {
        for (const tenantId of [together, alone]) await listed(count, tenantId, ['a', 'b', 'c'][at]);
      }
      const run = randomUUID();
      for (const { method, orders: picked } of rounds) {
        const batch = picked.map((at) => ({ orderId: `${run}-${at}`, lines: orders[at] ?? [] }));
        const call = method === 'reserve' ? reserve : release;
        const atOnce = await Promise.all(batch.map((order) => call(order, together)));
        const oneByOne: unknown[] = [];
        for (const order of batch) oneByOne.push(await call(order, alone));
        expect(atOnce).toEqual(oneByOne);
      }
      expect(await booksOf(together)).toEqual(await booksOf(alone));
    });
    await fc.assert(same, { numRuns: 40 });
  }, 120_000);
});

describe('batches of two replicas', () => {
  it('A1, K7: never wait for each other in a circle, whatever items they want in whatever order', async () => {
    const [left, right] = [await startReplica(), await startReplica()];
    const skus = await Promise.all(Array.from({ length: 6 }, () => listed(1_000_000)));
    const orders = Array.from({ length: 600 }, (_, at) => {
      const wanted = [at, at * 5 + 1, at * 3 + 2].map((n) => skus[n % skus.length] as string);
      return orderOf(...[...new Set(wanted)].map((sku): [string, number] => [sku, 1 + (at % 3)]));
    });
    // Many small batches on both sides at once: circles need batches that overlap.
    const inWaves = async (mine: Order[], call: (order: Order) => Promise<{ kind: string }>) => {
      const results: { kind: string }[] = [];
      for (let first = 0; first < mine.length; first += 6) {
        results.push(...(await Promise.all(mine.slice(first, first + 6).map(call))));
      }
      return results;
    };
    const halves = [left, right].map(({ client }, side) => ({
      client,
      mine: orders.filter((_, at) => at % 2 === side),
    }));
    const reserved = await Promise.all(
      halves.map(({ client, mine }) => inWaves(mine, (order) => reserve(order, TENANT, client))),
    );
    const undone = new Set(orders.filter((_, at) => at % 3 !== 0));
    const released = await Promise.all(
      halves.map(({ client, mine }) =>
        inWaves(
          mine.filter((order) => undone.has(order)),
          (order) => release(order, TENANT, client),
        ),
      ),
    );
    expect(new Set(kindsOf([...reserved, ...released].flat()))).toEqual(new Set(['completed']));
    // A connection reports what it has met when it ends.
    for (const replica of [left, right]) await replica.stop();
    expect(await rows('select deadlocks from pg_stat_database where datname = current_database()', [])).toEqual([
      { deadlocks: 0 },
    ]);
    const held = new Map(skus.map((sku) => [sku, 0]));
    for (const { lines } of orders.filter((_, at) => at % 3 === 0)) {
      for (const { sku, quantity } of lines) held.set(sku, (held.get(sku) ?? 0) + quantity);
    }
    for (const [sku, quantity] of held) expect(await stockOf(sku)).toMatchObject({ reserved: quantity });
  }, 60_000);
});

/** Another process of the same service, as far as its memory goes: its own connections, the same database. */
async function startReplica() {
  const pool = createPool({
    databaseUrl: participant.database.databaseUrl,
    applicationName: 'test replica',
    keyLookupsOnly: true,
    lockTimeoutMs: 5_000,
  });
  const { log } = participant.participant;
  const bound = [inventoryService({ ...participant.participant, pool, singleFlight: createSingleFlight() })];
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    services: bound,
    steps: stepStreams,
    log,
    translate: storeFault,
  });
  const client = createStepClient(services.inventory, `127.0.0.1:${server.port}`);
  return {
    client,
    async stop() {
      client.close();
      await server.stop(2_000);
      await pool.end();
    },
  };
}
