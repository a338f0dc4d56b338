import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, newKey, type Reply, type System, setUpCatalogue } from './system.ts';

// Orders whose payment is captured when they are dispatched, and disputes of payments.

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const LATER = { payment: { method: 'pm_card_visa', capture: 'on_dispatch' } };
/** Two apples at 250 and a pear at 99. */
const TOTAL = 599;

async function authorized(overrides: object = {}): Promise<string> {
  const { body } = await system.place({ ...LATER, ...overrides }, { prefer: 'wait=20' });
  expect(body, JSON.stringify(body)).toMatchObject({
    status: 'completed',
    capture: { status: 'authorized', amount: 0 },
  });
  return body.id;
}

const orderOf = async (id: string) => (await system.send('GET', `/v1/orders/${id}`)).body;
/** Who hears that nothing is decided yet asks again, with the same key. */
async function ask(path: string, body: object | undefined, key: string): Promise<Reply> {
  return await system.until(`${path} is answered`, async () => {
    const reply = await system.send('POST', path, body, { key });
    return reply.status === 202 || reply.status === 503 ? undefined : reply;
  });
}
const dispatch = (id: string, body?: object, key = newKey()) => ask(`/v1/orders/${id}/dispatch`, body, key);
const cancel = (id: string, key = newKey()) => ask(`/v1/orders/${id}/cancel`, undefined, key);

async function play(path: string, body: object): Promise<Reply['body']> {
  const response = await fetch(`${system.cluster.run.sandbox}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status, await response.clone().text()).toBe(200);
  return await response.json();
}
const expire = async (id: string) => play('/bank/expire', { paymentIntent: (await orderOf(id)).paymentId });

/** What the provider has taken for it and not given back. */
async function taken(id: string): Promise<number> {
  const { paymentId } = await orderOf(id);
  const response = await fetch(`${system.cluster.run.sandbox}/v1/payment_intents/${paymentId}?expand[]=latest_charge`, {
    headers: { authorization: 'Bearer sk_test_holdfast' },
  });
  const { amount, amount_received: received, latest_charge: charge } = (await response.json()) as Reply['body'];
  // What was not captured counts as given back there.
  return received === 0 ? 0 : amount - charge.amount_refunded;
}

describe('an order that is captured when it is dispatched', () => {
  it('M1: takes nothing before, all of it then, once, and leaves', async () => {
    const id = await authorized();
    const { capture } = await orderOf(id);
    expect((Date.parse(capture.expiresAt) - Date.now()) / 86_400_000).toBeCloseTo(7, 1);
    expect(await taken(id)).toBe(0);
    await expectSound(system);
    const key = newKey();
    const first = await dispatch(id, undefined, key);
    expect(first, first.text).toMatchObject({ status: 200, body: { id, captured: TOTAL } });
    expect(Date.parse(first.body.dispatchedAt)).toBeLessThanOrEqual(Date.now());
    expect((await dispatch(id, undefined, key)).text).toBe(first.text);
    expect((await dispatch(id)).text).toBe(first.text);
    expect(await orderOf(id)).toMatchObject({ status: 'completed', capture: { status: 'captured', amount: TOTAL } });
    expect(await taken(id)).toBe(TOTAL);
    expect(await cancel(id)).toMatchObject({ status: 409, body: { code: 'cancel-refused' } });
    await expectSound(system);
  });

  it('M1: wholly or less, as the caller says; the rest is never taken, and refunds are for what was', async () => {
    const id = await authorized();
    expect(await dispatch(id, { amount: TOTAL + 1 })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/amount' }] },
    });
    const refund = (amount: number) => system.send('POST', `/v1/orders/${id}/refunds`, { amount }, { key: newKey() });
    expect(await refund(1)).toMatchObject({ status: 409, body: { code: 'not-captured', retryable: false } });
    expect(await dispatch(id, { amount: 400 })).toMatchObject({ status: 200, body: { captured: 400 } });
    expect(await dispatch(id, { amount: 401 })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await taken(id)).toBe(400);
    const untilEnded = async (refundId: string) =>
      await system.until('the refund ends', async () => {
        const { body } = await system.send('GET', `/v1/orders/${id}/refunds/${refundId}`);
        return ['succeeded', 'failed'].includes(body.status) ? body : undefined;
      });
    const tooMuch = await refund(401);
    expect(await untilEnded(tooMuch.body.id)).toMatchObject({ failure: { reason: 'REFUND_EXCEEDS_CAPTURED' } });
    expect(await untilEnded((await refund(400)).body.id)).toMatchObject({ status: 'succeeded' });
    expect(await taken(id)).toBe(0);
    expect(await orderOf(id)).toMatchObject({ refunded: 400, capture: { status: 'captured', amount: 400 } });
    await expectSound(system);
  });

  it('A1: that is cancelled before has nothing left of it: no charge, no parcel, no stock', async () => {
    const before = (await system.send('GET', '/v1/stock/apple')).body.reserved;
    const id = await authorized();
    const key = newKey();
    const cancelled = await cancel(id, key);
    expect(cancelled, cancelled.text).toMatchObject({
      status: 200,
      body: { status: 'cancelled', failure: { reason: 'CANCELLED' }, capture: { status: 'released', amount: 0 } },
    });
    expect((await cancel(id, key)).text).toBe(cancelled.text);
    expect(await cancel(id)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect((await system.send('GET', '/v1/stock/apple')).body.reserved).toBe(before);
    expect(await taken(id)).toBe(0);
    expect(await dispatch(id)).toMatchObject({ status: 409, body: { code: 'not-completed' } });
    expect(await system.send('POST', `/v1/orders/${id}/refunds`, { amount: 1 }, { key: newKey() })).toMatchObject({
      status: 409,
    });
    const listed = async (status: string) => {
      const { body } = await system.send('GET', `/v1/orders?status=${status}&limit=100`);
      return body.orders.map((order: { id: string }) => order.id);
    };
    expect(await listed('cancelled')).toContain(id);
    expect(await listed('completed')).not.toContain(id);
    await expectSound(system);
  });

  it('M1: dispatched and cancelled at once, again and again, is one of both', async () => {
    const orders = await Promise.all(Array.from({ length: 12 }, () => authorized()));
    await Promise.all(orders.flatMap((id) => [dispatch(id), cancel(id), dispatch(id), cancel(id)]));
    for (const id of orders) {
      const order = await system.until('one of them is done', async () => {
        const seen = await orderOf(id);
        return ['captured', 'released'].includes(seen.capture.status) ? seen : undefined;
      });
      const isSent = order.capture.status === 'captured';
      expect(order.status).toBe(isSent ? 'completed' : 'cancelled');
      expect(await taken(id)).toBe(isSent ? TOTAL : 0);
    }
    await expectSound(system);
  });

  it('M1: whose authorisation has run out is not sent, and can be cancelled', async () => {
    const id = await authorized();
    await expire(id);
    const key = newKey();
    const refused = await dispatch(id, undefined, key);
    expect(refused, refused.text).toMatchObject({
      status: 409,
      body: { code: 'authorization-expired', retryable: false },
    });
    expect((await dispatch(id, undefined, key)).text).toBe(refused.text);
    expect(await dispatch(id)).toMatchObject({ status: 409, body: { code: 'authorization-expired' } });
    expect(await orderOf(id)).toMatchObject({ status: 'completed', capture: { status: 'expired', amount: 0 } });
    await expectSound(system);
    expect(await cancel(id)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    // K2: the key has its answer, whatever has become of the order.
    expect((await dispatch(id, undefined, key)).text).toBe(refused.text);
    await expectSound(system);
  });

  it('that turns back by itself releases what was authorised', async () => {
    const shipTo = { name: 'Ann', line1: 'Nowhere 1', city: 'Undeliverable', postalCode: '00000', country: 'DE' };
    const { body } = await system.place({ ...LATER, shipTo }, { prefer: 'wait=20' });
    expect(body).toMatchObject({ status: 'failed', capture: { status: 'released' } });
    await expectSound(system);
  });

  it('has sagas of its own, which their tenant can see', async () => {
    const [sent, back] = [await authorized(), await authorized()];
    await dispatch(sent);
    await cancel(back);
    const { body } = await system.send('GET', '/v1/sagas?status=completed&limit=100');
    const byDefinition = (name: string) =>
      body.sagas.find(({ definition }: { definition: string }) => definition === name)?.id;
    for (const [name, steps] of [
      ['capture-order', ['reserve-capture', 'capture-payment', 'dispatch-shipment']],
      ['release-order', ['decide-release', 'cancel-shipment', 'release-payment', 'release-stock']],
    ] as const) {
      const saga = await system.send('GET', `/v1/sagas/${byDefinition(name)}`);
      expect(saga.body.steps.map((step: { name: string }) => step.name)).toEqual(steps);
    }
  });

  it('is paid by card; an amount to capture is for it alone', async () => {
    const wrong = await system.place({ payment: { method: 'balance', capture: 'on_dispatch' } });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ pointer: '/payment/capture' }] } });
    const { body: paid } = await system.place({}, { prefer: 'wait=20' });
    expect(paid.capture).toBeUndefined();
    expect(await dispatch(paid.id, { amount: 1 })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/amount' }] },
    });
  });
});

describe('a dispute', () => {
  it('E2: is shown on its order, and so is its end', async () => {
    const { body: order } = await system.place({ payment: { method: 'pm_card_visa' } }, { prefer: 'wait=20' });
    expect(order.disputes).toBeUndefined();
    const opened = await play('/bank/disputes', { paymentIntent: order.paymentId });
    const shown = (status: string) =>
      system.until(`it is ${status}`, async () => {
        const { disputes = [] } = await orderOf(order.id);
        return disputes[0]?.status === status ? disputes : undefined;
      });
    const dispute = { id: opened.id, amount: TOTAL, currency: 'EUR', reason: 'fraudulent' };
    expect(await shown('needs_response')).toMatchObject([{ ...dispute, status: 'needs_response' }]);
    await play('/bank/disputes/close', { dispute: opened.id, outcome: 'won' });
    expect(await shown('won')).toMatchObject([{ ...dispute, status: 'won' }]);
    await expectSound(system);
  });
});
