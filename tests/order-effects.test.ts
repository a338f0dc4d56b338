import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinSystem, newKey, type Reply, type System, setUpCatalogue } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const effectsOf = async (id: string): Promise<Reply['body']> => {
  const reply = await system.send('GET', `/v1/orders/${id}/effects`);
  expect(reply.status, reply.text).toBe(200);
  return reply.body;
};
const statesOf = (effects: { step: string; state: string }[]) => effects.map(({ step, state }) => [step, state]);

describe('the effects of an order', () => {
  it('are shown as each participant holds them, by the ids that the order has', async () => {
    const { body: order } = await system.place({}, { prefer: 'wait=20' });
    expect(order.status).toBe('completed');
    expect(await effectsOf(order.id)).toMatchObject({
      orderId: order.id,
      status: 'completed',
      effects: [
        {
          step: 'reserve-inventory',
          participant: 'inventory',
          key: `${order.id}:reserve-inventory`,
          state: 'completed',
          effect: { reservationId: order.reservationId, total: order.total },
          detail: null,
        },
        { step: 'charge-payment', participant: 'payment', state: 'completed', effect: { paymentId: order.paymentId } },
        {
          step: 'create-shipment',
          participant: 'shipping',
          state: 'completed',
          effect: { shipmentId: order.shipmentId },
        },
      ],
      refunds: [],
    });
  });

  it('of an order that failed are what was refused, what was undone, and what was never called', async () => {
    const { body: order } = await system.place(
      { payment: { method: 'pm_card_chargeDeclined' } },
      { prefer: 'wait=20' },
    );
    expect(order.status).toBe('failed');
    const { effects } = await effectsOf(order.id);
    expect(statesOf(effects)).toEqual([
      ['reserve-inventory', 'sealed'],
      ['charge-payment', 'refused'],
      ['create-shipment', 'not_called'],
    ]);
    expect(effects[1].detail).toContain('CARD_DECLINED');
  });

  it('include those of its refunds', async () => {
    const { body: order } = await system.place({}, { prefer: 'wait=20' });
    const lines = [{ sku: order.items[0].sku, quantity: 1, restock: true }];
    const refund = await system.send('POST', `/v1/orders/${order.id}/refunds`, { lines }, { key: newKey() });
    await system.until('the refund ends', async () => {
      const { body } = await system.send('GET', `/v1/orders/${order.id}/refunds/${refund.body.id}`);
      return body.status === 'succeeded' ? true : undefined;
    });
    const { refunds } = await effectsOf(order.id);
    expect(refunds).toMatchObject([{ id: refund.body.id }]);
    expect(statesOf(refunds[0].effects)).toEqual([
      ['reserve-restock', 'completed'],
      ['reserve-refund', 'completed'],
      ['refund-payment', 'completed'],
      ['restock', 'completed'],
    ]);
  });

  it('of an order that nobody placed are a 404', async () => {
    expect(await system.send('GET', `/v1/orders/${crypto.randomUUID()}/effects`)).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
  });
});
