/** A request to each changing route of /openapi.json that does something, with what others may do meanwhile. */
import { newKey } from '@holdfast/client';
import pg from 'pg';
import { expect } from 'vitest';
import { NO_FAULTS, orderFor, type Reply, type RequestOptions, type System } from './system.ts';

/** The system, and the orchestrator's database. */
export interface World {
  system: System;
  orders: pg.Client;
}

export async function worldOf(system: System): Promise<World> {
  const orders = new pg.Client({ connectionString: system.cluster.databaseUrl('orchestrator') });
  await orders.connect();
  return { system, orders };
}

let made = 0;
export const unique = (kind: string) => `${kind}-${process.pid}-${made++}`;

export const get = async ({ system }: World, path: string) => (await system.send('GET', path)).body;

export async function set({ system }: World, path: string, body: object): Promise<void> {
  const reply = await system.send('PUT', path, body, { key: newKey() });
  expect(reply.status, reply.text).toBe(200);
}

export async function adjust({ system }: World, path: string, delta: number): Promise<void> {
  const reply = await system.send('POST', `${path}/adjust`, { delta }, { key: newKey() });
  expect(reply.status, reply.text).toBe(200);
}

/** An item and a customer of the test's own. */
export async function shop(world: World) {
  const [sku, customerId] = [unique('item'), unique('customer')];
  await set(world, `/v1/stock/${sku}`, { onHand: 100, unitPrice: 1_000, currency: 'EUR' });
  await set(world, `/v1/accounts/${customerId}`, { balance: 20_000, currency: 'EUR' });
  return { sku, customerId, stock: `/v1/stock/${sku}`, account: `/v1/accounts/${customerId}` };
}
type Shop = Awaited<ReturnType<typeof shop>>;

const orderOf = ({ sku, customerId }: Shop, quantity = 1, method = 'balance') =>
  orderFor({ customerId, items: [{ sku, quantity }], payment: { method } });

export async function completedOrder({ system }: World, of: Shop): Promise<string> {
  const placed = await system.send('POST', '/v1/orders', orderOf(of), { key: newKey(), prefer: 'wait=20' });
  expect(placed.body, placed.text).toMatchObject({ status: 'completed' });
  return placed.body.id;
}

/** An order whose card takes its time, so that it can still be turned back. */
export async function slowOrder({ system }: World, of: Shop): Promise<string> {
  await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 1_000 } });
  const placed = await system.send('POST', '/v1/orders', orderOf(of, 1, 'pm_card_visa'), { key: newKey() });
  expect(placed.status, placed.text).toBe(201);
  return placed.body.id;
}

/** As if its last step had failed too often: the saga waits for an operator. */
async function park({ orders }: World, id: string): Promise<void> {
  const parked = { step: 'create-shipment', direction: 'act', reason: 'planted', detail: 'by a test', attempts: 1 };
  const { rowCount } = await orders.query(
    `update holdfast.sagas set state = 'parked', resume_state = 'running', ended_at = null, position = 2,
            parked = $2::jsonb || jsonb_build_object('at', clock_timestamp())
      where id = $1 and state = 'completed'`,
    [id, JSON.stringify(parked)],
  );
  expect(rowCount).toBe(1);
}

export async function resumeAll(world: World): Promise<void> {
  const { system } = world;
  const { sagas } = await get(world, '/v1/sagas?status=parked');
  for (const { id } of sagas) {
    const resumed = await system.send('POST', `/v1/sagas/${id}/resume`, undefined, { key: newKey() });
    expect(resumed.status, resumed.text).toBe(200);
    await system.untilEnded(id);
  }
}

export interface Arranged {
  path: string;
  body?: object;
  /** What others do meanwhile, any of it in any order. */
  others: (() => Promise<unknown>)[];
  /** All that the request could change. */
  look: () => Promise<unknown>;
  /** Waits for what the request has set going. */
  settle?: () => Promise<unknown>;
}

const others = (world: World, of: Shop): Arranged['others'] => [
  () => adjust(world, of.stock, -3),
  () => adjust(world, of.account, -700),
  () => set(world, of.stock, { unitPrice: 900 }),
  () => set(world, of.stock, { onHand: 41 }),
  () => set(world, of.account, { balance: 7_777 }),
  () => completedOrder(world, of),
];
const books =
  (world: World, { stock, account }: Shop) =>
  async () => [await get(world, stock), await get(world, account)];

async function ofShop(world: World, path: (of: Shop) => string, body: object): Promise<Arranged> {
  const of = await shop(world);
  return { path: path(of), body, others: others(world, of), look: books(world, of) };
}

async function ofOrder(world: World, make: typeof slowOrder, verb: string): Promise<Arranged> {
  const of = await shop(world);
  const id = await make(world, of);
  const look = async () => [
    await get(world, `/v1/orders/${id}`),
    (await get(world, `/v1/sagas/${id}`)).interventions,
    ...(await books(world, of)()),
  ];
  return {
    path: `/v1/${verb.replace('{id}', id)}`,
    others: others(world, of).slice(0, 3),
    look,
    settle: () => world.system.untilEnded(id),
  };
}

/** A saga that is parked; others park it again after the request. */
export async function ofParked(world: World, verb: string): Promise<Arranged> {
  const of = await shop(world);
  const id = await completedOrder(world, of);
  await park(world, id);
  const look = async () => [
    (await get(world, `/v1/orders/${id}`)).status,
    (await get(world, `/v1/sagas/${id}`)).interventions.length,
  ];
  const path = `/v1/sagas/${id}/${verb}`;
  return { path, others: [() => park(world, id)], look, settle: () => world.system.untilEnded(id) };
}

async function placing(world: World): Promise<Arranged> {
  const of = await shop(world);
  const mine = async () => {
    const { orders: listed } = await get(world, '/v1/orders?limit=100');
    return listed.filter((order: { customerId: string }) => order.customerId === of.customerId).length;
  };
  const look = async () => [await mine(), ...(await books(world, of)())];
  const settle = () =>
    world.system.until(
      'all have ended',
      async () => (await get(world, '/v1/orders?status=processing')).orders.length === 0 || undefined,
    );
  return { path: '/v1/orders', body: orderOf(of, 2), others: others(world, of), look, settle };
}

async function refunding(world: World): Promise<Arranged> {
  const { system } = world;
  const of = await shop(world);
  const path = `/v1/orders/${await completedOrder(world, of)}/refunds`;
  const settle = () =>
    system.until('refunds have ended', async () => {
      const { refunds } = await get(world, path);
      return refunds.every(({ status }: { status: string }) => status === 'succeeded') || undefined;
    });
  const refund = async () => {
    const reply = await system.send('POST', path, { amount: 100 }, { key: newKey() });
    expect(reply.status, reply.text).toBeLessThan(300);
    await settle();
  };
  // Payment tells of each refund once more when it is made; that moves the instant of its last change, and nothing else.
  const refunds = async () => {
    const { refunds: listed } = await get(world, path);
    return listed.map(({ updatedAt: _, ...refund }: { updatedAt: string }) => refund);
  };
  const look = async () => [await refunds(), ...(await books(world, of)())];
  return { path, body: { amount: 400 }, others: [refund, ...others(world, of).slice(0, 5)], look, settle };
}

/** A key that is made; others make some, and revoke it. */
async function makingKey(world: World): Promise<Arranged> {
  const name = unique('till');
  const mine = async () => {
    const { apiKeys } = await get(world, '/v1/api-keys?limit=100');
    return apiKeys.filter((key: { name: string }) => key.name === name);
  };
  const revoke = async () => {
    for (const { id } of await mine())
      await world.system.send('DELETE', `/v1/api-keys/${id}`, undefined, { key: newKey() });
  };
  const make = () => makeKey(world, unique('till'));
  return { path: '/v1/api-keys', body: { name, scopes: ['orders:read'] }, others: [make, revoke], look: mine };
}

async function makeKey({ system }: World, name: string): Promise<string> {
  const made = await system.send('POST', '/v1/api-keys', { name, scopes: ['orders:read'] }, { key: newKey() });
  expect(made.status, made.text).toBe(201);
  return made.body.id;
}

async function revokingKey(world: World): Promise<Arranged> {
  const path = `/v1/api-keys/${await makeKey(world, unique('till'))}`;
  return { path, others: [() => makeKey(world, unique('till'))], look: () => get(world, path) };
}

export const routes: Record<string, (world: World) => Promise<Arranged>> = {
  makeApiKey: makingKey,
  revokeApiKey: revokingKey,
  refundOrder: refunding,
  placeOrder: placing,
  cancelOrder: (world) => ofOrder(world, slowOrder, 'orders/{id}/cancel'),
  dispatchOrder: (world) => ofOrder(world, completedOrder, 'orders/{id}/dispatch'),
  compensateSaga: (world) => ofOrder(world, slowOrder, 'sagas/{id}/compensate'),
  resumeSaga: (world) => ofParked(world, 'resume'),
  retrySaga: (world) => ofParked(world, 'retry'),
  putStock: (world) => ofShop(world, ({ stock }) => stock, { onHand: 500, unitPrice: 250 }),
  adjustStock: (world) => ofShop(world, ({ stock }) => `${stock}/adjust`, { delta: 5 }),
  putAccount: (world) => ofShop(world, ({ account }) => account, { balance: 10_000 }),
  adjustAccount: (world) => ofShop(world, ({ account }) => `${account}/adjust`, { delta: -100 }),
};

export interface Operation {
  operationId: string;
  parameters?: { in: string; name: string }[];
}

export async function changingOperations({ system }: World): Promise<{ method: string; operation: Operation }[]> {
  const { paths } = (await system.send('GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, Operation>>;
  };
  return Object.values(paths).flatMap((methods) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'get')
      .map(([method, operation]) => ({ method: method.toUpperCase(), operation })),
  );
}

/** The method of the route, and a request to it that does something. */
export async function arrange(world: World, operationId: string): Promise<{ method: string; arranged: Arranged }> {
  const found = (await changingOperations(world)).find(({ operation }) => operation.operationId === operationId);
  const make = routes[operationId];
  if (found === undefined || make === undefined) throw new Error(`no such changing route: ${operationId}`);
  return { method: found.method, arranged: await make(world) };
}

/** Until it is decided: 202, 409 and 503 of what is still under way say nothing. */
export async function sendUntilKnown(
  { system }: World,
  method: string,
  { path, body }: Arranged,
  options: RequestOptions,
): Promise<Reply> {
  return await system.until(`${method} ${path} is answered`, async () => {
    const reply = await system.send(method, path, body, options);
    return reply.status === 202 || reply.status >= 500 ? undefined : reply;
  });
}
