/**
 * K8: whatever is sent again changes nothing that came in between. Each changing route of /openapi.json has an entry in
 * `routes`; one that has none makes the first test red.
 */
import { createClient, newKey } from '@holdfast/client';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, NO_FAULTS, orderFor, type Reply, type System, setUpCatalogue } from './system.ts';

const RUNS = 3;

let system: System;
let orders: pg.Client;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
  orders = new pg.Client({ connectionString: system.cluster.databaseUrl('orchestrator') });
  await orders.connect();
});
afterAll(async () => {
  await orders?.end();
  await system?.stop();
});

let made = 0;
const unique = (kind: string) => `${kind}-${process.pid}-${made++}`;

const get = async (path: string) => (await system.send('GET', path)).body;
async function set(path: string, body: object): Promise<void> {
  const reply = await system.send('PUT', path, body, { key: newKey() });
  expect(reply.status, reply.text).toBe(200);
}
async function adjust(path: string, delta: number): Promise<void> {
  const reply = await system.send('POST', `${path}/adjust`, { delta }, { key: newKey() });
  expect(reply.status, reply.text).toBe(200);
}

/** An item and a customer of the test's own. */
async function shop() {
  const [sku, customerId] = [unique('item'), unique('customer')];
  await set(`/v1/stock/${sku}`, { onHand: 100, unitPrice: 1_000, currency: 'EUR' });
  await set(`/v1/accounts/${customerId}`, { balance: 20_000, currency: 'EUR' });
  return { sku, customerId, stock: `/v1/stock/${sku}`, account: `/v1/accounts/${customerId}` };
}
type Shop = Awaited<ReturnType<typeof shop>>;

const orderOf = ({ sku, customerId }: Shop, quantity = 1, method = 'balance') =>
  orderFor({ customerId, items: [{ sku, quantity }], payment: { method } });

async function completedOrder(of: Shop): Promise<string> {
  const placed = await system.send('POST', '/v1/orders', orderOf(of), { key: newKey(), prefer: 'wait=20' });
  expect(placed.body, placed.text).toMatchObject({ status: 'completed' });
  return placed.body.id;
}

/** An order whose card takes its time, so that it can still be turned back. */
async function slowOrder(of: Shop): Promise<string> {
  await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 1_000 } });
  const placed = await system.send('POST', '/v1/orders', orderOf(of, 1, 'pm_card_visa'), { key: newKey() });
  expect(placed.status, placed.text).toBe(201);
  return placed.body.id;
}

/** As if its last step had failed too often: the saga waits for an operator. */
async function park(id: string): Promise<void> {
  const parked = { step: 'create-shipment', direction: 'act', reason: 'planted', detail: 'by a test', attempts: 1 };
  const { rowCount } = await orders.query(
    `update holdfast.sagas set state = 'parked', resume_state = 'running', ended_at = null, position = 2,
            parked = $2::jsonb || jsonb_build_object('at', clock_timestamp())
      where id = $1 and state = 'completed'`,
    [id, JSON.stringify(parked)],
  );
  expect(rowCount).toBe(1);
}

interface Arranged {
  path: string;
  body?: object;
  /** What others do meanwhile, any of it in any order. */
  others: (() => Promise<unknown>)[];
  /** All that the request could change. */
  look: () => Promise<unknown>;
  /** Waits for what the request has set going. */
  settle?: () => Promise<unknown>;
}

const others = ({ stock, account, sku, customerId }: Shop): Arranged['others'] => [
  () => adjust(stock, -3),
  () => adjust(account, -700),
  () => set(stock, { unitPrice: 900 }),
  () => set(stock, { onHand: 41 }),
  () => set(account, { balance: 7_777 }),
  () => completedOrder({ sku, customerId, stock, account }),
];
const books =
  ({ stock, account }: Shop) =>
  async () => [await get(stock), await get(account)];

async function ofShop(path: (of: Shop) => string, body: object): Promise<Arranged> {
  const of = await shop();
  return { path: path(of), body, others: others(of), look: books(of) };
}

async function ofOrder(make: (of: Shop) => Promise<string>, verb: string): Promise<Arranged> {
  const of = await shop();
  const id = await make(of);
  const look = async () => [
    await get(`/v1/orders/${id}`),
    (await get(`/v1/sagas/${id}`)).interventions,
    ...(await books(of)()),
  ];
  return {
    path: `/v1/${verb.replace('{id}', id)}`,
    others: others(of).slice(0, 3),
    look,
    settle: () => system.untilEnded(id),
  };
}

/** A saga that is parked; others park it again after the request. */
async function ofParked(verb: string): Promise<Arranged> {
  const of = await shop();
  const id = await completedOrder(of);
  await park(id);
  const look = async () => [
    (await get(`/v1/orders/${id}`)).status,
    (await get(`/v1/sagas/${id}`)).interventions.length,
  ];
  return { path: `/v1/sagas/${id}/${verb}`, others: [() => park(id)], look, settle: () => system.untilEnded(id) };
}

async function placing(): Promise<Arranged> {
  const of = await shop();
  const mine = async () => {
    const { orders: listed } = await get('/v1/orders?limit=100');
    return listed.filter((order: { customerId: string }) => order.customerId === of.customerId).length;
  };
  const look = async () => [await mine(), ...(await books(of)())];
  const settle = () =>
    system.until(
      'all have ended',
      async () => (await get('/v1/orders?status=processing')).orders.length === 0 || undefined,
    );
  return { path: '/v1/orders', body: orderOf(of, 2), others: others(of), look, settle };
}

async function refunding(): Promise<Arranged> {
  const of = await shop();
  const path = `/v1/orders/${await completedOrder(of)}/refunds`;
  const settle = () =>
    system.until('refunds have ended', async () => {
      const { refunds } = await get(path);
      return refunds.every(({ status }: { status: string }) => status === 'succeeded') || undefined;
    });
  const refund = async () => {
    const reply = await system.send('POST', path, { amount: 100 }, { key: newKey() });
    expect(reply.status, reply.text).toBeLessThan(300);
    await settle();
  };
  // Payment tells of each refund once more when it is made; that moves the instant of its last change, and nothing else.
  const refunds = async () => {
    const { refunds: listed } = await get(path);
    return listed.map(({ updatedAt: _, ...refund }: { updatedAt: string }) => refund);
  };
  const look = async () => [await refunds(), ...(await books(of)())];
  return { path, body: { amount: 400 }, others: [refund, ...others(of).slice(0, 5)], look, settle };
}

const routes: Record<string, () => Promise<Arranged>> = {
  refundOrder: refunding,
  placeOrder: placing,
  cancelOrder: () => ofOrder(slowOrder, 'orders/{id}/cancel'),
  dispatchOrder: () => ofOrder(completedOrder, 'orders/{id}/dispatch'),
  compensateSaga: () => ofOrder(slowOrder, 'sagas/{id}/compensate'),
  resumeSaga: () => ofParked('resume'),
  retrySaga: () => ofParked('retry'),
  putStock: () => ofShop(({ stock }) => stock, { onHand: 500, unitPrice: 250 }),
  adjustStock: () => ofShop(({ stock }) => `${stock}/adjust`, { delta: 5 }),
  putAccount: () => ofShop(({ account }) => account, { balance: 10_000 }),
  adjustAccount: () => ofShop(({ account }) => `${account}/adjust`, { delta: -100 }),
};

interface Operation {
  operationId: string;
  parameters?: { in: string; name: string }[];
}

async function changingOperations(): Promise<{ method: string; operation: Operation }[]> {
  const { paths } = (await system.send('GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, Operation>>;
  };
  return Object.values(paths).flatMap((methods) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'get')
      .map(([method, operation]) => ({ method: method.toUpperCase(), operation })),
  );
}

/** Until it is decided: 202, 409 and 503 of what is still under way say nothing. */
async function sendUntilKnown(method: string, { path, body }: Arranged, key: string): Promise<Reply> {
  return await system.until(`${method} ${path} is answered`, async () => {
    const reply = await system.send(method, path, body, { key });
    return reply.status === 202 || reply.status >= 500 ? undefined : reply;
  });
}

async function expectUnchangedByRetry(operationId: string, method: string, disturbances: number[]): Promise<void> {
  const arranged = await (routes[operationId] as () => Promise<Arranged>)();
  const { look, settle } = arranged;
  const key = newKey();
  const before = operationId === 'dispatchOrder' ? undefined : await look();
  const first = await sendUntilKnown(method, arranged, key);
  await system.setFaults({});
  await settle?.();
  expect(first.status, first.text).toBeLessThan(300);
  // The request has done something: a retry that did it again would be seen.
  if (before !== undefined) expect(await look()).not.toEqual(before);
  for (const at of disturbances) await arranged.others[at % arranged.others.length]?.();
  const between = await look();
  const again = await system.send(method, arranged.path, arranged.body, { key });
  expect([again.status, again.text], 'the retry is answered as the first was').toEqual([first.status, first.text]);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
  expect(await look(), 'the retry changes nothing').toEqual(between);
}

describe('every changing route', () => {
  it('K8: takes a key and has an entry here', async () => {
    const operations = await changingOperations();
    expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual(Object.keys(routes).sort());
    for (const { operation } of operations) {
      const headers = (operation.parameters ?? []).filter((parameter) => parameter.in === 'header');
      expect(
        headers.map(({ name }) => name),
        operation.operationId,
      ).toContain('idempotency-key');
    }
  });

  it.each(Object.keys(routes))(
    'K8: %s, answered and lost, sent again after others have changed things',
    async (operationId) => {
      const found = (await changingOperations()).find(({ operation }) => operation.operationId === operationId);
      const method = found?.method ?? 'nowhere';
      const isParked = operationId === 'resumeSaga' || operationId === 'retrySaga';
      // Parked again is parked: there is one thing that others can do, once.
      const drawn = isParked ? fc.constant<number[]>([0]) : fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 6 });
      const property = fc.asyncProperty(drawn, (disturbances) =>
        expectUnchangedByRetry(operationId, method, disturbances),
      );
      await fc.assert(property, { numRuns: isParked ? 1 : RUNS, endOnFailure: true });
      if (isParked) await resumeAll();
    },
  );
});

async function resumeAll(): Promise<void> {
  const { sagas } = await get('/v1/sagas?status=parked');
  for (const { id } of sagas) {
    const resumed = await system.send('POST', `/v1/sagas/${id}/resume`, undefined, { key: newKey() });
    expect(resumed.status, resumed.text).toBe(200);
    await system.untilEnded(id);
  }
}

describe('a verb of an operator', () => {
  it('K8: answers for what it has done itself, not for what another key has done since', async () => {
    const { path, settle } = await ofParked('resume');
    const id = path.split('/').at(-2);
    const key = newKey();
    expect((await system.send('POST', path, undefined, { key })).status).toBe(200);
    await settle?.();
    // As if its process had died before it did anything, and another operator had then resumed it.
    await orders.query(
      `update holdfast.claims set state = 'in_progress', answer = null, settled_at = null
        where resource = $1 and operation = 'POST /v1/sagas/{id}/resume'`,
      [`/v1/sagas/${id}`],
    );
    const others = await orders.query(
      `update holdfast.saga_interventions set key = 'of another' where saga_id = $1 and key is not null`,
      [id],
    );
    expect(others.rowCount).toBe(1);
    const late = await system.send('POST', path, undefined, { key });
    expect(late).toMatchObject({ status: 409, body: { code: 'not-parked' } });
  });

  it.each(['resume', 'retry'])(
    'K8: %s, done by a process that died before it stored the answer, is not done again',
    async (verb) => {
      const { path, others, settle, look } = await ofParked(verb);
      const key = newKey();
      expect((await system.send('POST', path, undefined, { key })).status).toBe(200);
      await settle?.();
      const opened = await orders.query(
        `update holdfast.claims set state = 'in_progress', answer = null, settled_at = null
        where resource = $1 and operation = $2`,
        [path.replace(`/${verb}`, ''), `POST /v1/sagas/{id}/${verb}`],
      );
      expect(opened.rowCount).toBe(1);
      for (const other of others) await other();
      const between = await look();
      const again = await system.send('POST', path, undefined, { key });
      expect([again.status, again.headers.get('idempotent-replayed')], again.text).toEqual([200, 'false']);
      expect(await look()).toEqual(between);
      await resumeAll();
    },
  );
});

describe('a client whose answer is lost', () => {
  it('K8: sets a balance once: 10,000, of which an order has taken 3,000, stay 7,000', async () => {
    const of = await shop();
    await set(of.stock, { unitPrice: 3_000 });
    let lost = 0;
    const losing: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (init?.method !== 'PUT' || lost++ > 0) return response;
      expect(response.status).toBe(200);
      await completedOrder(of);
      throw new Error('the answer is lost');
    };
    const { http, apiKey } = system.cluster.run;
    const client = createClient({ baseUrl: http, apiKey, fetch: losing });
    const put = await client.putAccount(of.customerId, { balance: 10_000, currency: 'EUR' });
    expect([put.kind, lost]).toEqual(['completed', 2]);
    expect((await get(of.account)).balance).toBe(7_000);
    await expectSound(system);
  });
});

describe('a key whose claims are long purged', () => {
  it.each(['stock', 'account'] as const)('K5: changes nothing of the %s, whatever it asks for now', async (kind) => {
    const of = await shop();
    const path = of[kind];
    const [setKey, adjustKey] = [newKey(), newKey()];
    const put = (amount: number) => ({ [kind === 'stock' ? 'onHand' : 'balance']: amount });
    const send = async (amount: number) => {
      const set = await system.send('PUT', path, put(amount), { key: setKey });
      const adjusted = await system.send('POST', `${path}/adjust`, { delta: amount }, { key: adjustKey });
      expect([set.status, adjusted.status], set.text + adjusted.text).toEqual([200, 200]);
    };
    await send(50);
    await adjust(path, 1_000);
    const between = await get(path);
    await purgeClaims(kind === 'stock' ? 'inventory' : 'payment');
    await send(60);
    expect(await get(path)).toEqual(between);
    await expectSound(system);
  });
});

/** As the sweepers do when the retention of keys and claims has ended. */
async function purgeClaims(participant: 'inventory' | 'payment'): Promise<void> {
  const books = new pg.Client({ connectionString: system.cluster.databaseUrl(participant) });
  await books.connect();
  try {
    for (const db of [orders, books]) {
      const { rowCount } = await db.query(
        `delete from holdfast.claims where operation ~ '^PUT |/adjust$|^(put|adjust)-'`,
      );
      expect(rowCount).toBeGreaterThanOrEqual(2);
    }
  } finally {
    await books.end();
  }
}

describe('a version', () => {
  it('K8: is the ETag of what is read and set, and under an old one nothing is done', async () => {
    const of = await shop();
    for (const [path, change] of [
      [of.stock, { unitPrice: 5 }],
      [of.account, { balance: 5 }],
    ] as const) {
      const read = await system.send('GET', path);
      const etag = read.headers.get('etag') ?? '';
      expect(etag).toBe(`"${read.body.version}"`);
      await adjust(path, 1);
      for (const stale of [etag, `W/${etag}`, '"none-of-ours"', `"x", ${etag}`]) {
        const headers = { 'if-match': stale };
        const refused = await system.send('PUT', path, change, { key: newKey(), headers });
        expect(refused).toMatchObject({ status: 412, body: { code: 'version-changed', retryable: false } });
      }
      const fresh = (await system.send('GET', path)).headers.get('etag') ?? '';
      const set = await system.send('PUT', path, change, { headers: { 'if-match': `${etag}, ${fresh}` } });
      expect([set.status, set.headers.get('etag')], set.text).toEqual([200, `"${set.body.version}"`]);
      const any = await system.send('PUT', path, change, { headers: { 'if-match': '*' } });
      expect(any.status).toBe(200);
      const nonsense = await system.send('PUT', path, change, { headers: { 'if-match': etag.replaceAll('"', '') } });
      expect(nonsense).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    }
    const absent = await system.send(
      'PUT',
      `/v1/stock/${unique('item')}`,
      { unitPrice: 1, currency: 'EUR' },
      {
        headers: { 'if-match': '*' },
      },
    );
    expect(absent).toMatchObject({ status: 412, body: { code: 'version-changed' } });
  });
});

describe('a write without a key', () => {
  it('K8: is done each time, and the auditor names one that gave spent money back', async () => {
    const of = await shop();
    const blind = async () => expect((await system.send('PUT', of.account, { balance: 10_000 })).status).toBe(200);
    await blind();
    await completedOrder(of);
    await blind();
    expect((await get(of.account)).balance).toBe(10_000);
    const { checks } = await system.audit();
    const sets = checks.find(({ name }) => name === 'sets');
    expect(sets?.examples).toEqual([
      { subject: expect.stringContaining(`:${of.customerId}`), detail: expect.stringContaining('{"balance":9000}') },
    ]);
    await forgetBlindSets();
  });
});

/** What the test above has done wrongly must not be found by those that share the system. */
async function forgetBlindSets(): Promise<void> {
  const payment = new pg.Client({ connectionString: system.cluster.databaseUrl('payment') });
  await payment.connect();
  try {
    // Days apart, they are no retries of each other.
    const text = `update account_entries set recorded_at = recorded_at - interval '1 day' * (1000 - (after ->> 'version')::integer)
                   where entry_key like 'blind~%'`;
    expect((await payment.query(text)).rowCount).toBeGreaterThan(0);
  } finally {
    await payment.end();
  }
}
