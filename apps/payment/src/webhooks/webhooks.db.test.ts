import { createSingleFlight } from '@holdfast/idempotency';
import { sendJson } from '@holdfast/sandbox/test';
import { createHealth, createMetrics, type OpsServer, startOpsServer } from '@holdfast/service';
import Stripe from 'stripe';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newOrder, startTestCards, TENANT, type TestCards, type TestOrder } from '../../test/test-provider.ts';
import { paymentService } from '../index.ts';
import { WEBHOOK_PATH } from './endpoint.ts';

const [OLD_SECRET, SECRET] = ['whsec_of_last_year', 'whsec_of_this_year'];
const CHECKED = 'pm_card_authenticationRequired';

let cards: TestCards;
let ops: OpsServer;
let url: string;
const metrics = createMetrics('payment');
beforeAll(async () => {
  cards = await startTestCards();
  const settings = { ...cards.settings, STRIPE_WEBHOOK_SECRET: `${OLD_SECRET},${SECRET}` };
  const participant = { ...cards.payment.participant, singleFlight: createSingleFlight(), metrics };
  const { http } = paymentService(settings, { publishes: true })(participant);
  ops = await startOpsServer('127.0.0.1', 0, createHealth({}), metrics, http);
  url = `http://127.0.0.1:${ops.port}${WEBHOOK_PATH}`;
});
afterEach(async () => {
  await cards.reset();
  await sendJson(cards.sandbox.url, 'PUT', '/webhooks', { url: null });
});
afterAll(async () => {
  await ops?.close();
  await cards?.stop();
});

/** From now on the sandbox sends its events here. */
const listen = (secret: string | undefined = SECRET) =>
  sendJson(cards.sandbox.url, 'PUT', '/webhooks', { url, secret });
/** What is to be told of an order, in its order. */
async function toldOf({ orderId }: TestOrder): Promise<string[]> {
  const { rows } = await cards.payment.database.pool.query<{ kind: string }>(
    'select kind from holdfast.outbox where order_id = $1 order by at',
    [orderId],
  );
  return rows.map(({ kind }) => kind);
}
async function answerBank(order: TestOrder): Promise<void> {
  const called = await cards.charge(order, undefined, CHECKED);
  if (called.kind !== 'error') throw new Error('it does not wait');
  const { clientSecret } = JSON.parse(called.metadata.data ?? '{}');
  expect(
    (await sendJson(cards.sandbox.url, 'POST', '/browser/authenticate', { clientSecret, outcome: 'succeed' })).status,
  ).toBe(200);
}

/** An event that the test signs by itself. */
async function send(body: string, { secret = SECRET, at = Math.floor(Date.now() / 1_000) } = {}): Promise<number> {
  const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at });
  const answer = await fetch(url, { method: 'POST', headers: { 'stripe-signature': signature }, body });
  return answer.status;
}
async function eventOf(order: TestOrder, id: string): Promise<string> {
  const { intent_id } = await cards.recorded(order);
  const object = { id: intent_id, object: 'payment_intent', metadata: { order_id: order.orderId, tenant_id: TENANT } };
  return JSON.stringify({ id, object: 'event', type: 'payment_intent.succeeded', data: { object } });
}

describe('a webhook about a payment that waits', () => {
  it('E1: is told on, once for each event, whatever order and number they come in', async () => {
    await listen();
    const order = newOrder();
    await answerBank(order);
    await expect.poll(() => toldOf(order), { timeout: 5_000 }).toHaveLength(2);
    const before = await toldOf(order);
    const again = await eventOf(order, before[0]?.slice('changed:'.length) ?? '');
    expect(await send(again)).toBe(200);
    expect(await toldOf(order)).toEqual(before);
  });

  it('is a hint: what it says of the payment is not believed', async () => {
    const order = newOrder();
    const waiting = await cards.charge(order, undefined, CHECKED);
    expect(await send(await eventOf(order, 'evt_1says_succeeded'))).toBe(200);
    expect(await toldOf(order)).toEqual(['changed:evt_1says_succeeded']);
    expect(await cards.charge(order, undefined, CHECKED)).toEqual(waiting);
  });

  it('changes nothing where the charge is decided, or is none of ours', async () => {
    const [done, none] = [newOrder(), newOrder()];
    await cards.charge(done);
    for (const order of [done, none]) {
      const object = { id: 'pi_1', metadata: { order_id: order.orderId, tenant_id: TENANT } };
      const body = { id: 'evt_1', object: 'event', type: 'payment_intent.succeeded', data: { object } };
      expect(await send(JSON.stringify(body))).toBe(200);
      expect(await toldOf(order)).toEqual([]);
    }
  });

  it('K6: is not taken when it can’t be stored, and changes nothing then', async () => {
    const order = newOrder();
    await cards.charge(order, undefined, CHECKED);
    const { pool } = cards.payment.database;
    const locker = await pool.connect();
    await locker.query('begin; lock table holdfast.outbox in access exclusive mode');
    const body = await eventOf(order, 'evt_1comes_again');
    expect(await send(body)).toBe(503);
    await locker.query('rollback');
    locker.release();
    expect(await send(body)).toBe(200);
    expect(await toldOf(order)).toEqual(['changed:evt_1comes_again']);
  });
});

describe('T2: a webhook', () => {
  it('counts when either of the two secrets has signed it', async () => {
    const order = newOrder();
    await cards.charge(order, undefined, CHECKED);
    expect(await send(await eventOf(order, 'evt_1new'))).toBe(200);
    expect(await send(await eventOf(order, 'evt_1old'), { secret: OLD_SECRET })).toBe(200);
    expect(await toldOf(order)).toHaveLength(2);
  });

  it('does not count when anybody else has, when it is old, or when it was changed on the way', async () => {
    const order = newOrder();
    await cards.charge(order, undefined, CHECKED);
    const body = await eventOf(order, 'evt_1forged');
    expect(await send(body, { secret: 'whsec_of_somebody' })).toBe(400);
    expect(await send(body, { at: Math.floor(Date.now() / 1_000) - 301 })).toBe(400);
    const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret: SECRET });
    const changed = await fetch(url, { method: 'POST', headers: { 'stripe-signature': signature }, body: `${body} ` });
    expect(changed.status).toBe(400);
    expect((await fetch(url, { method: 'POST', body })).status).toBe(400);
    expect(await toldOf(order)).toEqual([]);
  });

  it('is bounded, and only posted', async () => {
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(256 * 1024 + 1) })).status).toBe(413);
    expect((await fetch(url)).status).toBe(404);
    expect(await send('no JSON')).toBe(400);
    expect(await send('{"id":"evt_1","data":{"object":{}},"type":"customer.created"}')).toBe(200);
  });
});

describe('the refund of a turned-back order', () => {
  it('M1: that fails later is counted, without a saga that could be told', async () => {
    await cards.sandbox.setFaults({ bank: { refundMs: 600_000 } });
    const order = newOrder();
    await cards.charge(order, undefined, 'pm_card_refundFail');
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed' });
    const payment_intent = (await cards.recorded(order)).intent_id ?? '';
    const [made] = (await cards.sandbox.stripe.refunds.list({ payment_intent })).data;
    await cards.sandbox.play('/bank/refunds', { refund: made?.id ?? '', outcome: 'fail' });
    const event = { id: 'evt_1failed', type: 'charge.refund.updated', data: { object: { payment_intent } } };
    for (let time = 1; time <= 2; time++) expect(await send(JSON.stringify(event))).toBe(200);
    const counted = 'payment_undo_refunds_failed_total{service="payment"} 1';
    expect(await metrics.registry.metrics()).toContain(counted);
  });
});

describe('a dispute', () => {
  async function disputed(order: TestOrder) {
    const { rows } = await cards.payment.database.pool.query(
      'select amount, currency, reason, status from disputes where order_id = $1',
      [order.orderId],
    );
    return rows;
  }

  it('is recorded as the provider has it, and an end is not undone by what comes late', async () => {
    await listen();
    const order = newOrder();
    await cards.charge(order);
    const { intent_id: paymentIntent } = await cards.recorded(order);
    const opened = await cards.sandbox.play('/bank/disputes', { paymentIntent: paymentIntent ?? '' });
    const entry = { amount: 700, currency: 'EUR', reason: 'fraudulent' };
    await expect.poll(() => disputed(order), { timeout: 5_000 }).toEqual([{ ...entry, status: 'needs_response' }]);
    await cards.sandbox.play('/bank/disputes/close', { dispute: String(opened.id), outcome: 'won' });
    await expect.poll(() => disputed(order), { timeout: 5_000 }).toEqual([{ ...entry, status: 'won' }]);
    const late = {
      id: 'evt_1late',
      type: 'charge.dispute.created',
      data: { object: { ...opened, status: 'needs_response' } },
    };
    expect(await send(JSON.stringify(late))).toBe(200);
    expect(await disputed(order)).toEqual([{ ...entry, status: 'won' }]);
    const told = (await toldOf(order)).filter((kind) => kind.startsWith('disputed:'));
    expect(told).toEqual([`disputed:${opened.id}:needs_response`, `disputed:${opened.id}:won`]);
    expect(await metrics.registry.metrics()).toContain('payment_disputes_total{status="won",service="payment"} 1');
  });

  it('K6: is heard again later when the provider can’t be asked now', async () => {
    const order = newOrder();
    await cards.charge(order);
    const { intent_id: paymentIntent } = await cards.recorded(order);
    const opened = await cards.sandbox.play('/bank/disputes', { paymentIntent: paymentIntent ?? '' });
    const body = JSON.stringify({ id: 'evt_1', type: 'charge.dispute.created', data: { object: opened } });
    cards.line.cut(true);
    expect(await send(body)).toBe(503);
    cards.line.cut(false);
    expect(await send(body)).toBe(200);
    expect(await disputed(order)).toHaveLength(1);
  });
});

describe('without webhooks', () => {
  it('S4: a payment that waits is found paid by asking', async () => {
    const order = newOrder();
    await answerBank(order);
    expect(await cards.charge(order, undefined, CHECKED)).toMatchObject({ kind: 'completed' });
    expect(await toldOf(order)).toEqual([]);
  });
});

describe('a webhook about an authorisation', () => {
  it('M1: that has run out makes its charge expire at once; one that is only said to have changes nothing', async () => {
    await listen();
    const order = newOrder();
    await cards.charge(order, undefined, 'pm_card_visa', { authorizeOnly: true });
    const forged = (await eventOf(order, 'evt_forged')).replace('payment_intent.succeeded', 'payment_intent.canceled');
    expect(await send(forged)).toBe(200);
    expect(await cards.recorded(order)).toMatchObject({ state: 'authorized' });
    const { intent_id: paymentIntent } = await cards.recorded(order);
    await cards.sandbox.play('/bank/expire', { paymentIntent: paymentIntent ?? '' });
    await expect.poll(() => cards.recorded(order), { timeout: 5_000 }).toMatchObject({ state: 'expired' });
  });
});
