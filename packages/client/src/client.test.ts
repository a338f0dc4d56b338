import { afterEach, describe, expect, it } from 'vitest';
import {
  breakOff,
  breakOffWithin,
  type FaultyServer,
  faultyServer,
  json,
  problem,
  type Respond,
  silence,
} from '../test/faulty-server.ts';
import { type ClientOptions, createClient, type HoldfastClient, type OrderRequest } from './client.ts';

let server: FaultyServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function clientOf(responses: Respond[], options: Partial<ClientOptions> = {}) {
  server = await faultyServer(...responses);
  const retry = { baseMs: 5, capMs: 20, ...options.retry };
  const client = createClient({ baseUrl: server.url, apiKey: 'k', ...options, retry });
  return { client, seen: server.seen };
}

const ORDER: OrderRequest = {
  customerId: 'ann',
  currency: 'EUR',
  items: [{ sku: 'apple', quantity: 1 }],
  payment: { method: 'balance' },
  shipTo: { name: 'Ann', line1: 'Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
};
const order = (status: string) => ({ id: 'o1', status });
const events =
  (...statuses: string[]): Respond =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': still here\n\n');
    for (const status of statuses) response.write(`event: ${status}\ndata: ${JSON.stringify(order(status))}\n\n`);
    response.end();
  };

describe('an operation that needs a key', () => {
  it('K2: is sent again under one key, byte for byte, whatever is lost on the way', async () => {
    const responses = [
      breakOff,
      breakOffWithin,
      problem(503, 'try-again', true),
      problem(409, 'request-in-progress', true),
    ];
    const { client, seen } = await clientOf([
      ...responses,
      json(201, order('processing'), { 'idempotent-replayed': 'true' }),
    ]);
    const placed = await client.placeOrder(ORDER);
    expect(placed).toEqual({
      kind: 'completed',
      status: 201,
      body: order('processing'),
      replayed: true,
      key: seen[0]?.key,
    });
    expect(seen).toHaveLength(5);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(1);
    expect(new Set(seen.map(({ body }) => body)).size).toBe(1);
    expect(placed.key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('has a new key each time, unless it is given the one of an attempt that ended as unknown', async () => {
    const { client, seen } = await clientOf([breakOff, json(200, { sku: 'a' })], { retry: { maxAttempts: 1 } });
    const lost = await client.adjustStock('a', 5);
    expect(lost.kind).toBe('unknown');
    const again = await client.adjustStock('a', 5, { key: lost.key });
    await client.adjustStock('a', 5);
    expect(again).toMatchObject({ kind: 'completed', key: lost.key });
    expect(seen.map(({ key }) => key)).toEqual([lost.key, lost.key, expect.not.stringMatching(lost.key)]);
  });

  it('asks the server to wait, and itself waits that much longer', async () => {
    const late: Respond = (response, request) =>
      setTimeout(() => json(201, order('completed'))(response, request), 300);
    const { client, seen } = await clientOf([late], { retry: { attemptTimeoutMs: 100 } });
    expect((await client.placeOrder(ORDER, { waitMs: 1_500 })).kind).toBe('completed');
    expect(seen.map(({ prefer }) => prefer)).toEqual(['wait=2']);
  });
});

describe('K8: an operation that changes something', () => {
  it.each([
    ['putStock', (client: HoldfastClient) => client.putStock('a/b', { onHand: 5 })],
    ['putAccount', (client: HoldfastClient) => client.putAccount('ada', { balance: 5 })],
    ['cancelOrder', (client: HoldfastClient) => client.cancelOrder('o1')],
    ['dispatchOrder', (client: HoldfastClient) => client.dispatchOrder('o1')],
    ['resumeSaga', (client: HoldfastClient) => client.resumeSaga('o1')],
    ['retrySaga', (client: HoldfastClient) => client.retrySaga('o1')],
    ['compensateSaga', (client: HoldfastClient) => client.compensateSaga('o1')],
  ])('%s sends one key, at its retry too, and returns it', async (_name, operation) => {
    const { client, seen } = await clientOf([breakOff, json(200, {})]);
    const done = await operation(client);
    expect(done.kind).toBe('completed');
    expect(seen.map(({ key }) => key)).toEqual([done.key, done.key]);
  });

  it('says why it is done, at its retry too', async () => {
    const { client, seen } = await clientOf([breakOff, json(200, {})]);
    await client.adjustAccount('ada', 5, { reason: 'goodwill' });
    expect(seen.map(({ auditReason }) => auditReason)).toEqual(['goodwill', 'goodwill']);
  });

  it('names the version that it was decided by', async () => {
    const { client, seen } = await clientOf([problem(412, 'version-changed', false)]);
    const refused = await client.putAccount('ada', { balance: 5 }, { ifVersion: 7 });
    expect(refused).toMatchObject({ kind: 'refused', problem: { code: 'version-changed' } });
    expect(seen.map(({ ifMatch }) => ifMatch)).toEqual(['"7"']);
  });
});

describe('retries', () => {
  it('are not made where the server says that they can’t help', async () => {
    const { client, seen } = await clientOf([problem(422, 'idempotency-key-reused', false)]);
    expect(await client.placeOrder(ORDER)).toMatchObject({
      kind: 'refused',
      problem: { code: 'idempotency-key-reused' },
    });
    expect(seen).toHaveLength(1);
  });

  it('never come before Retry-After', async () => {
    const busy = problem(503, 'try-again', true, { 'retry-after': '1' });
    const { client, seen } = await clientOf([busy, json(200, order('completed'))]);
    expect((await client.getOrder('o1')).kind).toBe('completed');
    expect((seen[1]?.atMs ?? 0) - (seen[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('are made when a proxy answers instead of the API, and end as unknown', async () => {
    const page: Respond = (response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    const { client, seen } = await clientOf([page], { retry: { maxAttempts: 3 } });
    expect(await client.placeOrder(ORDER)).toMatchObject({ kind: 'unknown', why: expect.stringContaining('HTTP 502') });
    expect(seen).toHaveLength(3);
  });

  it('have a budget over all operations: an outage is not multiplied', async () => {
    const { client, seen } = await clientOf([problem(503, 'store-unavailable', true)], {
      budget: { maxTokens: 6, tokenRatio: 0.1 },
    });
    for (let at = 0; at < 20; at++) await client.getOrder('o1');
    // Two failures are retried, and from then on less than half of the tokens are there.
    expect(seen.length).toBeLessThanOrEqual(25);
    expect(seen.length).toBeGreaterThan(20);
  });

  it('grow by full jitter, drawn anew each time', async () => {
    const draws: number[] = [];
    const random = () => {
      draws.push(0.5);
      return 0.5;
    };
    const { client, seen } = await clientOf([breakOff], { random, retry: { maxAttempts: 4, baseMs: 100, capMs: 150 } });
    await client.getOrder('o1');
    const pauses = seen.slice(1).map(({ atMs }, at) => atMs - (seen[at]?.atMs ?? 0));
    expect(draws).toHaveLength(3);
    for (const [at, least] of [50, 75, 75].entries()) expect(pauses[at]).toBeGreaterThanOrEqual(least - 2);
  });

  it('end at once when the signal aborts; the outcome is unknown then', async () => {
    const { client, seen } = await clientOf([silence]);
    const startedMs = performance.now();
    const given = await client.placeOrder(ORDER, { signal: AbortSignal.timeout(100) });
    expect(given).toMatchObject({ kind: 'unknown', why: expect.stringContaining('abort') });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(seen).toHaveLength(1);
  });
});

describe('waiting for an order', () => {
  it('goes on over a stream that breaks off, and ends with the terminal event', async () => {
    const { client } = await clientOf([
      json(200, order('processing')),
      events('processing'),
      problem(503, 'store-unavailable', true),
      json(200, order('processing')),
      events('processing', 'compensating', 'failed'),
    ]);
    expect(await client.waitFor('o1')).toEqual({ kind: 'ended', order: order('failed') });
  });

  it('returns at once for an order that has ended, that waits for an operator, or that is not there', async () => {
    const { client, seen } = await clientOf([json(200, order('completed'))]);
    expect(await client.waitFor('o1')).toEqual({ kind: 'ended', order: order('completed') });
    expect(seen).toHaveLength(1);
    const parked = await clientOf([json(200, order('parked'))]);
    expect(await parked.client.waitFor('o1')).toEqual({ kind: 'parked', order: order('parked') });
    const none = await clientOf([problem(404, 'not-found', false)]);
    expect(await none.client.waitFor('o1')).toMatchObject({ kind: 'refused', problem: { code: 'not-found' } });
  });

  it('ends in time, with the order as it was seen last', async () => {
    const open: Respond = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(order('compensating'))}\n\n`);
    };
    const { client } = await clientOf([json(200, order('processing')), open]);
    const startedMs = performance.now();
    expect(await client.waitFor('o1', { timeoutMs: 300 })).toEqual({
      kind: 'in_progress',
      order: order('compensating'),
    });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
