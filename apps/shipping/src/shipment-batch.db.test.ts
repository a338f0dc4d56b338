import { randomUUID } from 'node:crypto';
import { createStepClient } from '@holdfast/participant';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { type CallOptions, type Client, services } from '@holdfast/rpc';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestCarrier, type TestCarrier } from '../test/test-carrier.ts';
import { shippingMigrations, shippingService } from './index.ts';

type Shipping = TestParticipant<typeof services.shipping>;

let carrier: TestCarrier;
let own: Shipping;
let carried: Shipping;
/** Calls of one turn leave in one message, and are one transaction. */
const clients = new Map<Shipping, Client<typeof services.shipping>>();
beforeAll(async () => {
  carrier = await startTestCarrier();
  own = await testParticipant('shipment_batch', services.shipping, shippingMigrations, shippingService());
  const settings = { baseUrl: carrier.url, timeoutMs: 10_000 };
  carried = await testParticipant('shipment_batch', services.shipping, shippingMigrations, shippingService(settings));
  for (const shipping of [own, carried]) {
    clients.set(shipping, createStepClient(services.shipping, shipping.address));
  }
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await Promise.all([own?.stop(), carried?.stop()]);
  await carrier?.stop();
});
afterEach(() => carrier.faults());

const TENANT = 'shop';
const options = (key: string): CallOptions => ({ timeoutMs: 15_000, tenantId: TENANT, key });
const ADDRESS = { name: 'A. Buyer', line1: '1 High Street', city: 'Leeds', postalCode: 'LS1 4AP', country: 'GB' };
const UNDELIVERABLE = { ...ADDRESS, postalCode: '00000' };
const orderOf = (shipTo = ADDRESS) => ({ orderId: randomUUID(), shipTo });
type Order = ReturnType<typeof orderOf>;
const newOrders = (count: number) => Array.from({ length: count }, () => orderOf());
const kindsOf = (results: { kind: string; reason?: string }[]) => results.map(({ kind, reason }) => reason ?? kind);

// The promises are the same with and without a carrier.
describe.each([{ whose: 'our own' }, { whose: 'a carrier’s' }])(
  '$whose shipments that arrive together',
  ({ whose }) => {
    const byCarrier = whose !== 'our own';
    const shipping = () => (byCarrier ? carried : own);
    const client = () => clients.get(shipping()) as Client<typeof services.shipping>;
    const rows = async (text: string, values: unknown[]) => (await shipping().database.pool.query(text, values)).rows;
    const keyOf = ({ orderId }: Order) => `${orderId}:create-shipment`;
    const ship = (order: Order, quantity = 2) =>
      client().CreateShipment({ ...order, parcels: [{ sku: 'mug', quantity }] }, options(keyOf(order)));
    const cancel = (order: Order) =>
      client().CancelShipment({ orderId: order.orderId }, options(`${keyOf(order)}:undo`));
    const idsOf = (orders: Order[]) => [orders.map(({ orderId }) => orderId)];
    const forgetClaims = (orders: Order[]) => rows('delete from holdfast.claims where scope = any($1)', idsOf(orders));
    const stateOf = async ({ orderId }: Order) =>
      byCarrier
        ? await carrier.statusOf(`${TENANT}:${orderId}`)
        : (await rows('select state from shipments where order_id = $1', [orderId]))[0]?.state;

    it('K1: are one transaction, and one shipment each', async () => {
      const orders = newOrders(20);
      const first = await Promise.all(orders.map((order) => ship(order)));
      expect(kindsOf(first)).toEqual(Array(20).fill('completed'));
      // The row of a claim is born with its shipment; the carrier's answers may come one by one.
      const born = 'select distinct xmin::text from shipments where order_id = any($1)';
      if (!byCarrier) expect(await rows(born, idsOf(orders))).toHaveLength(1);
      expect(new Set(first.map((result) => result.kind === 'completed' && result.message.shipmentId)).size).toBe(20);
      expect(await Promise.all(orders.map(stateOf))).toEqual(Array(20).fill('booked'));
    });

    it('S5: an address that is refused holds nobody up, and stays refused', async () => {
      const orders = [orderOf(), orderOf(UNDELIVERABLE), orderOf()];
      const first = await Promise.all(orders.map((order) => ship(order)));
      expect(kindsOf(first)).toEqual(['completed', 'ADDRESS_REFUSED', 'completed']);
      expect(await Promise.all(orders.map((order) => ship(order)))).toEqual(
        first.map((result) => ({ ...result, replayed: true })),
      );
    });

    it('K5: whose claims are gone are not shipped twice, and leave the new ones of their batch in peace', async () => {
      const before = newOrders(3);
      const first = await Promise.all(before.map((order) => ship(order)));
      await forgetClaims(before);
      const mixed = [orderOf(), ...before, orderOf()];
      const results = await Promise.all(mixed.map((order) => ship(order)));
      expect(kindsOf(results)).toEqual(Array(5).fill('completed'));
      expect(results.slice(1, 4)).toEqual(first);
    });

    it('K5: an order that had another shipment fails alone', async () => {
      const shipped = orderOf();
      await ship(shipped);
      await forgetClaims([shipped]);
      const [left, right] = [orderOf(), orderOf()];
      expect(kindsOf(await Promise.all([ship(left), ship(shipped, 3), ship(right)]))).toEqual([
        'completed',
        'CONFLICT',
        'completed',
      ]);
    });

    it('K3: are cancelled together, each what it had; none of their acts comes to life again', async () => {
      const [shipped, refused, never] = [orderOf(), orderOf(UNDELIVERABLE), orderOf()];
      await Promise.all([ship(shipped), ship(refused)]);
      const orders = [shipped, refused, never];
      const cancelled = await Promise.all(orders.map(cancel));
      expect(cancelled.map((result) => result.kind === 'completed' && result.message.shipmentId !== '')).toEqual([
        true,
        false,
        false,
      ]);
      expect(kindsOf(await Promise.all(orders.map((order) => ship(order))))).toEqual([
        'SEALED',
        'ADDRESS_REFUSED',
        'SEALED',
      ]);
      expect(await stateOf(shipped)).toBe('cancelled');
      expect(await stateOf(never)).not.toBe('booked');
    });

    it('G12: and are cancelled at the same instant leave nothing booked', async () => {
      const orders = newOrders(30);
      const settle = async (order: Order) => {
        for (let attempt = 1; attempt <= 20; attempt++) {
          const cancelled = await cancel(order);
          if (cancelled.kind === 'completed') return cancelled.kind;
        }
        return 'never';
      };
      const ended = await Promise.all(orders.flatMap((order) => [ship(order), settle(order)]));
      expect(ended.filter((result) => result === 'completed')).toHaveLength(30);
      for (const state of await Promise.all(orders.map(stateOf))) expect(state).not.toBe('booked');
      expect(kindsOf(await Promise.all(orders.map((order) => ship(order))))).toEqual(Array(30).fill('SEALED'));
    });
  },
);
