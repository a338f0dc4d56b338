import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, newKey, type Reply, type System, setUpCatalogue } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const CARD = { payment: { method: 'pm_card_visa' } };
/** Two apples at 250 and a pear at 99. */
const TOTAL = 599;

async function completed(overrides: object = {}): Promise<string> {
  const { body } = await system.place(overrides, { prefer: 'wait=20' });
  expect(body).toMatchObject({ status: 'completed', total: TOTAL, refunded: 0, refunds: [] });
  return body.id;
}

const refund = (id: string, body: object, key = newKey()) =>
  system.send('POST', `/v1/orders/${id}/refunds`, body, { key });

async function untilSettled(id: string, refundId: string): Promise<Reply['body']> {
  return await system.until(`refund ${refundId} ends`, async () => {
    const { body } = await system.send('GET', `/v1/orders/${id}/refunds/${refundId}`);
    return ['succeeded', 'failed'].includes(body.status) ? body : undefined;
  });
}

const orderOf = async (id: string) => (await system.send('GET', `/v1/orders/${id}`)).body;
const stockOf = async (sku: string) => (await system.send('GET', `/v1/stock/${sku}`)).body;

describe('refunding an order', () => {
  it.each([
    ['an account', {}],
    ['a card', CARD],
  ])('gives a part back to %s, once, and the same key gets the same bytes', async (_what, paidBy) => {
    const id = await completed(paidBy);
    const key = newKey();
    const before = (await system.send('GET', '/v1/accounts/ann')).body.balance;
    const first = await refund(id, { amount: 200, reason: 'came late' }, key);
    expect(first, first.text).toMatchObject({
      status: 201,
      body: { orderId: id, status: 'processing', amount: 200, currency: 'EUR', reason: 'came late', origin: 'api' },
    });
    expect(first.headers.get('location')).toBe(`/v1/orders/${id}/refunds/${first.body.id}`);
    expect(await untilSettled(id, first.body.id)).toMatchObject({ status: 'succeeded', failure: null, lines: [] });
    const again = await refund(id, { reason: 'came late', amount: 200 }, key);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const order = await orderOf(id);
    expect(order).toMatchObject({ status: 'completed', refunded: 200, refunds: [{ id: first.body.id }] });
    const after = (await system.send('GET', '/v1/accounts/ann')).body.balance;
    expect(after - before).toBe(paidBy === CARD ? 0 : 200);
    await expectSound(system);
  });

  it('by lines gives their price back, and what is returned is free to be sold', async () => {
    const id = await completed();
    const before = await stockOf('apple');
    const lines = [
      { sku: 'apple', quantity: 1, restock: true },
      { sku: 'pear', quantity: 1, restock: false },
    ];
    const { body } = await refund(id, { lines });
    expect(await untilSettled(id, body.id)).toMatchObject({ status: 'succeeded', amount: 349, lines });
    expect(await stockOf('apple')).toMatchObject({ onHand: before.onHand, reserved: before.reserved - 1 });
    const more = await refund(id, { lines: [{ sku: 'apple', quantity: 2, restock: true }] });
    expect(await untilSettled(id, more.body.id)).toMatchObject({
      status: 'failed',
      failure: { step: 'reserve-restock', reason: 'RESTOCK_EXCEEDS_SOLD' },
    });
    expect(await orderOf(id)).toMatchObject({ refunded: 349 });
    await expectSound(system);
  });

  it('A1: to stock before it has left keeps the order from being dispatched; one that failed does not', async () => {
    const dispatch = (id: string) => system.send('POST', `/v1/orders/${id}/dispatch`);
    const lines = [{ sku: 'apple', quantity: 1, restock: true }];
    const kept = await completed();
    const { body } = await refund(kept, { lines });
    // Also while the refund is under way.
    for (let time = 1; time <= 2; time++) {
      expect(await dispatch(kept)).toMatchObject({
        status: 409,
        body: { code: 'conflict', detail: expect.stringContaining('returned before they have left') },
      });
      expect(await untilSettled(kept, body.id)).toMatchObject({ status: 'succeeded' });
    }
    const sent = await completed();
    await untilSettled(sent, (await refund(sent, { amount: TOTAL })).body.id);
    const failed = await refund(sent, { lines });
    expect(await untilSettled(sent, failed.body.id)).toMatchObject({ status: 'failed' });
    expect(await dispatch(sent)).toMatchObject({ status: 200 });
    const back = await completed();
    const first = await dispatch(back);
    const { body: returned } = await refund(back, { lines });
    expect(await untilSettled(back, returned.id)).toMatchObject({ status: 'succeeded' });
    expect((await dispatch(back)).text).toBe(first.text);
    await expectSound(system);
  });

  it('by lines of an order with a discount gives back the amount that the shop says, up to what was captured', async () => {
    const lines = [{ kind: 'discount', name: 'Spring', amount: -100 }];
    const { body: order } = await system.place({ lines }, { prefer: 'wait=20' });
    expect(order).toMatchObject({ status: 'completed', total: TOTAL - 100 });
    const all = [
      { sku: 'apple', quantity: 2, restock: true },
      { sku: 'pear', quantity: 1, restock: true },
    ];
    for (const amount of [undefined, TOTAL]) {
      const { body } = await refund(order.id, { lines: all, ...(amount && { amount }) });
      expect(await untilSettled(order.id, body.id)).toMatchObject({
        status: 'failed',
        amount: TOTAL,
        failure: { reason: 'REFUND_EXCEEDS_CAPTURED' },
      });
    }
    const before = await stockOf('apple');
    const { body } = await refund(order.id, { lines: all, amount: TOTAL - 100 });
    const settled = await untilSettled(order.id, body.id);
    expect(settled).toMatchObject({ status: 'succeeded', amount: TOTAL - 100, lines: all });
    expect((await stockOf('apple')).reserved).toBe(before.reserved - 2);
    await expectSound(system);
  });

  it('M1: two at once give back what was captured at most; one that is refused exists, and says why', async () => {
    const id = await completed(CARD);
    const asked = await Promise.all([refund(id, { amount: 400 }), refund(id, { amount: 400 })]);
    const ended = await Promise.all(asked.map(({ body }) => untilSettled(id, body.id)));
    expect(ended.map(({ status }) => status).sort()).toEqual(['failed', 'succeeded']);
    expect(ended.find(({ status }) => status === 'failed')).toMatchObject({
      failure: { step: 'reserve-refund', reason: 'REFUND_EXCEEDS_CAPTURED' },
    });
    expect(await orderOf(id)).toMatchObject({ refunded: 400 });
    await expectSound(system);
  });

  it('that was made at the provider is learned, shown as such, and counts', async () => {
    const id = await completed(CARD);
    const { paymentId } = await orderOf(id);
    const made = await fetch(`${system.cluster.run.sandbox}/v1/refunds`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer sk_test_holdfast',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ payment_intent: paymentId, amount: '500' }),
    });
    expect(made.status, await made.clone().text()).toBe(200);
    const { id: there } = (await made.json()) as { id: string };
    const order = await system.until('it is learned', async () => {
      const seen = await orderOf(id);
      return seen.refunded === 500 ? seen : undefined;
    });
    expect(order.refunds).toMatchObject([{ id: there, origin: 'provider', amount: 500, status: 'succeeded' }]);
    const { body } = await refund(id, { amount: 100 });
    expect(await untilSettled(id, body.id)).toMatchObject({ status: 'failed' });
    const page = await system.send('GET', `/v1/orders/${id}/refunds?limit=1`);
    expect(page.body).toMatchObject({ refunds: [{ id: body.id }], nextCursor: expect.any(String) });
    const rest = await system.send('GET', `/v1/orders/${id}/refunds?limit=1&cursor=${page.body.nextCursor}`);
    expect(rest.body).toMatchObject({ refunds: [{ id: there }], nextCursor: null });
    await expectSound(system);
  });

  it('has a saga of its own, with its own history', async () => {
    const id = await completed();
    const { body } = await refund(id, { amount: 1 });
    await untilSettled(id, body.id);
    const saga = await system.send('GET', `/v1/sagas/${body.id}`);
    expect(saga.body).toMatchObject({ id: body.id, definition: 'refund-order', status: 'completed' });
    const names = saga.body.steps.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['reserve-restock', 'reserve-refund', 'refund-payment', 'restock']);
  });

  it('waits for its provider as a saga that waits, not as a payment that is awaited', async () => {
    const id = await completed({ payment: { method: 'pm_card_pendingRefund' } });
    const { body } = await refund(id, { amount: 1 });
    const saga = await system.until('it waits', async () => {
      const seen = (await system.send('GET', `/v1/sagas/${body.id}`)).body;
      return seen.waiting === null ? undefined : seen;
    });
    expect(saga).toMatchObject({ status: 'waiting', waiting: { step: 'refund-payment', since: expect.any(String) } });
    const { sagas } = (await system.send('GET', '/v1/sagas?status=waiting&step=refund-payment')).body;
    expect(sagas).toContainEqual(expect.objectContaining({ id: body.id, status: 'waiting' }));
    expect(await untilSettled(id, body.id)).toMatchObject({ status: 'succeeded' });
  });

  it('H6: under a key that stands for another request is refused; without one, or beyond the order, it is 400', async () => {
    const id = await completed();
    const key = newKey();
    await refund(id, { amount: 1 }, key);
    expect(await refund(id, { amount: 2 }, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused', errors: [{ pointer: '/amount' }] },
    });
    expect(await system.send('POST', `/v1/orders/${id}/refunds`, { amount: 1 })).toMatchObject({ status: 400 });
    for (const wrong of [
      {},
      { lines: [{ sku: 'plum', quantity: 1, restock: true }] },
      { lines: [{ sku: 'apple', quantity: 3, restock: true }] },
      { amount: 0 },
    ]) {
      expect(await refund(id, wrong), JSON.stringify(wrong)).toMatchObject({ status: 400 });
    }
  });

  it('of an order that has not completed is refused, and the key stays free; of none, or another tenant’s, is 404', async () => {
    const { body: failed } = await system.place({ customerId: 'poor' }, { prefer: 'wait=20' });
    expect(await refund(failed.id, { amount: 1 })).toMatchObject({ status: 409, body: { code: 'not-completed' } });
    expect(await refund('no-such-order', { amount: 1 })).toMatchObject({ status: 404 });
    expect(await system.send('GET', '/v1/orders/no-such-order/refunds')).toMatchObject({ status: 404 });
  });
});
