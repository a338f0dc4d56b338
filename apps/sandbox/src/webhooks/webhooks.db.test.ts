import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendJson, startTestSandbox, type TestSandbox } from '../../test/test-sandbox.ts';

const SECRET = 'whsec_of_this_test';
let sandbox: TestSandbox;
let server: Server;
/** In the order in which they arrived, as the SDK verifies them. */
let arrived: Stripe.Event[];
/** What the endpoint answers; the event counts as arrived all the same. */
let answer: () => number;
beforeAll(async () => {
  sandbox = await startTestSandbox();
  server = createServer(async (request, response) => {
    const body = await text(request);
    const signature = request.headers['stripe-signature'] ?? '';
    arrived.push(sandbox.stripe.webhooks.constructEvent(body, signature, SECRET));
    response.writeHead(answer()).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  await sandbox.stop();
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  arrived = [];
  answer = () => 200;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  expect((await sendJson(sandbox.url, 'PUT', '/webhooks', { url, secret: SECRET })).status).toBe(200);
});
afterEach(async () => {
  await sandbox.setFaults({});
});

const SURE = { lost: 0, doubled: 0, late: 0, lateMs: 0, beforeAnswer: 0 };
const pay = (payment_method = 'pm_card_visa') =>
  sandbox.stripe.paymentIntents.create({ amount: 700, currency: 'eur', payment_method, confirm: true });
const typesOf = (id: string) =>
  arrived.flatMap(({ type, data }) => {
    const object = data.object as { id: string; payment_intent?: string };
    return object.id === id || object.payment_intent === id ? [type] : [];
  });

describe('webhooks', () => {
  it('tell of each change with the object as it is then, signed as the SDK verifies it', async () => {
    const { id, client_secret: clientSecret } = await pay('pm_card_authenticationRequired');
    await sandbox.play('/browser/authenticate', { clientSecret: clientSecret ?? '', outcome: 'succeed' });
    const refund = await sandbox.stripe.refunds.create({ payment_intent: id, amount: 100 });
    await expect
      .poll(() => typesOf(id).toSorted(), { timeout: 5_000 })
      .toEqual(['payment_intent.requires_action', 'payment_intent.succeeded', 'refund.created']);
    const told = arrived.find(({ type }) => type === 'refund.created');
    const { lastResponse: _, ...object } = refund;
    expect(told).toMatchObject({ object: 'event', data: { object } });
    expect(new Set(arrived.map((event) => event.id)).size).toBe(arrived.length);
  });

  it('E2: are sent again until they are taken', async () => {
    let refusals = 2;
    answer = () => (refusals-- > 0 ? 500 : 200);
    const { id } = await pay();
    await expect.poll(() => typesOf(id).length, { timeout: 10_000 }).toBe(3);
    const settled = 'select from deliveries where settled_at is null and intent_id = $1';
    await expect.poll(async () => (await sandbox.db.pool.query(settled, [id])).rowCount).toBe(0);
    expect(new Set(arrived.map((event) => event.id)).size).toBe(1);
  });

  it('that are drawn to be lost never arrive, and are events all the same', async () => {
    await sandbox.setFaults({ webhooks: { ...SURE, lost: 1 } });
    const lost = await pay();
    await sandbox.setFaults({});
    const { id } = await pay();
    await expect.poll(() => typesOf(id), { timeout: 5_000 }).toEqual(['payment_intent.succeeded']);
    expect(typesOf(lost.id)).toEqual([]);
    expect((await sandbox.db.pool.query('select from events where intent_id = $1', [lost.id])).rowCount).toBe(1);
  });

  it('that are doubled arrive twice under one id', async () => {
    await sandbox.setFaults({ webhooks: { ...SURE, doubled: 1, lateMs: 200 } });
    const { id } = await pay();
    await expect.poll(() => typesOf(id).length, { timeout: 5_000 }).toBe(2);
    expect(new Set(arrived.map((event) => event.id)).size).toBe(1);
  });

  it('that are late arrive out of order', async () => {
    await sandbox.setFaults({ seed: 3, webhooks: { ...SURE, late: 0.5, lateMs: 3_000 } });
    const paid = await Promise.all(Array.from({ length: 12 }, () => pay()));
    await Promise.all(paid.map(({ id }) => sandbox.stripe.refunds.create({ payment_intent: id })));
    await expect.poll(() => arrived.length, { timeout: 20_000 }).toBe(24);
    const firsts = paid.map(({ id }) => typesOf(id)[0]);
    expect(firsts).toContain('refund.created');
    expect(firsts).toContain('payment_intent.succeeded');
  });

  it('can come before the API’s own answer', async () => {
    await sandbox.setFaults({ webhooks: { ...SURE, beforeAnswer: 1 } });
    const { id } = await pay();
    expect(typesOf(id)).toEqual(['payment_intent.succeeded']);
  });

  it('are neither written nor sent without an endpoint', async () => {
    expect((await sendJson(sandbox.url, 'PUT', '/webhooks', { url: null })).status).toBe(200);
    const { id } = await pay();
    expect((await sandbox.db.pool.query('select from events where intent_id = $1', [id])).rowCount).toBe(0);
  });
});
