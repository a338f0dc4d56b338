import { randomUUID } from 'node:crypto';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { type CallOptions, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCarrier, type TestCarrier } from '../test/test-carrier.ts';
import { shippingMigrations, shippingService } from './index.ts';

type Shipping = TestParticipant<typeof services.shipping>;

let carrier: TestCarrier;
let own: Shipping;
let carried: Shipping;
beforeAll(async () => {
  carrier = await startTestCarrier();
  own = await testParticipant('shipping', services.shipping, shippingMigrations, shippingService());
  const settings = { baseUrl: carrier.url, timeoutMs: 2_000 };
  carried = await testParticipant('shipping', services.shipping, shippingMigrations, shippingService(settings));
});
afterAll(async () => {
  await Promise.all([own.stop(), carried.stop()]);
  await carrier.stop();
});

const TENANT = 'shop';
const options = (key: string, extra: Partial<CallOptions> = {}): CallOptions => ({
  timeoutMs: 10_000,
  tenantId: TENANT,
  key,
  ...extra,
});

const ADDRESS = { name: 'A. Buyer', line1: '1 High Street', city: 'Leeds', postalCode: 'LS1 4AP', country: 'GB' };
const PARCELS = [
  { sku: 'mug', quantity: 2 },
  { sku: 'spoon', quantity: 1 },
];

const newOrder = (shipTo = ADDRESS) => {
  const orderId = randomUUID();
  const key = `${orderId}:create-shipment`;
  return { orderId, key, undoKey: `${key}:undo`, request: { orderId, shipTo, parcels: PARCELS } };
};

const undeliverable = { ...ADDRESS, postalCode: '00000' };

// The promises are the same with and without a carrier.
describe.each([{ whose: 'our own' }, { whose: 'a carrier’s' }])('$whose shipment', ({ whose }) => {
  const byCarrier = whose !== 'our own';
  const shipping = () => (byCarrier ? carried : own);
  const client = () => shipping().client;

  /** What is recorded here and, with one, at the carrier. */
  async function standing(orderId: string) {
    const { rows } = await shipping().database.pool.query(
      'select state from shipments where tenant_id = $1 and order_id = $2',
      [TENANT, orderId],
    );
    const state: string | undefined = rows[0]?.state;
    return { state, atCarrier: byCarrier ? await carrier.statusOf(`${TENANT}:${orderId}`) : state };
  }

  it('G3, K2: asked for twice under one key is booked once and answered with the same bytes', async () => {
    const { orderId, key, request } = newOrder();
    const once = await client().CreateShipment(request, options(key));
    const again = await client().CreateShipment(request, options(key));
    expect(once).toMatchObject({
      kind: 'completed',
      replayed: false,
      message: { shipmentId: expect.stringMatching(/^shp_/) },
    });
    expect(again).toEqual({ ...once, replayed: true });
    expect(await standing(orderId)).toEqual({ state: 'booked', atCarrier: 'booked' });
  });

  it('G14: asked for 20 times at once is booked once', async () => {
    const { orderId, key, request } = newOrder();
    const all = await Promise.all(Array.from({ length: 20 }, () => client().CreateShipment(request, options(key))));
    expect(all.filter((result) => result.kind === 'completed')).toHaveLength(20);
    expect(all.filter((result) => result.kind === 'completed' && !result.replayed)).toHaveLength(1);
    expect(await standing(orderId)).toEqual({ state: 'booked', atCarrier: 'booked' });
  });

  it('S5, G6: to an address that nothing can be delivered to is refused, for ever', async () => {
    const { orderId, key, request } = newOrder(undeliverable);
    const first = await client().CreateShipment(request, options(key));
    expect(first).toMatchObject({ kind: 'error', reason: 'ADDRESS_REFUSED', pushbackMs: -1, replayed: false });
    expect(await client().CreateShipment(request, options(key))).toEqual({ ...first, replayed: true });
    expect(await standing(orderId)).toMatchObject({ state: 'refused' });
  });

  it('K2, G4: another request under the key is refused and leaves the stored answer alone', async () => {
    const { key, request } = newOrder();
    const first = await client().CreateShipment(request, options(key));
    const other = { ...request, shipTo: { ...ADDRESS, city: 'York' } };
    // Even with a higher epoch: a refused call must not raise the fence.
    expect(await client().CreateShipment(other, options(key, { epoch: 9 }))).toMatchObject({
      reason: 'IDEMPOTENCY_KEY_REUSED',
      pushbackMs: -1,
    });
    expect(await client().CreateShipment(request, options(key))).toEqual({ ...first, replayed: true });
  });

  it('K4, G9: a call with a lower epoch than the highest seen for the order changes nothing', async () => {
    const { orderId, key, undoKey, request } = newOrder();
    await client().CreateShipment(request, options(key, { epoch: 5 }));
    const fenced = await client().CancelShipment({ orderId }, options(undoKey, { epoch: 4 }));
    expect(fenced).toMatchObject({ kind: 'error', reason: 'FENCED', pushbackMs: -1 });
    expect(await standing(orderId)).toEqual({ state: 'booked', atCarrier: 'booked' });
    const step = await client().GetStep({ key: undoKey }, { timeoutMs: 5_000, tenantId: TENANT });
    expect(step).toMatchObject({ message: { state: 'STEP_STATE_UNKNOWN_KEY' } });
  });

  it('is cancelled by its undo; again, the same answer and nothing changed', async () => {
    const { orderId, key, undoKey, request } = newOrder();
    const made = await client().CreateShipment(request, options(key));
    const undone = await client().CancelShipment({ orderId }, options(undoKey));
    expect(undone).toMatchObject({ kind: 'completed', message: made.kind === 'completed' ? made.message : {} });
    expect(await client().CancelShipment({ orderId }, options(undoKey))).toEqual({ ...undone, replayed: true });
    expect(await standing(orderId)).toEqual({ state: 'cancelled', atCarrier: 'cancelled' });
    expect(await client().CreateShipment(request, options(key))).toMatchObject({ reason: 'SEALED' });
  });

  it('K3, G10, G11: its undo that comes first changes nothing but the seal: the late act is refused every time', async () => {
    const { orderId, key, undoKey, request } = newOrder();
    const undone = await client().CancelShipment({ orderId }, options(undoKey));
    expect(undone).toMatchObject({ kind: 'completed', message: { shipmentId: '' } });
    expect(await client().CancelShipment({ orderId }, options(undoKey))).toEqual({ ...undone, replayed: true });
    for (let attempt = 1; attempt <= 3; attempt++) {
      const late = await client().CreateShipment(request, options(key));
      expect(late).toMatchObject({ kind: 'error', reason: 'SEALED', pushbackMs: -1 });
    }
    expect(await standing(orderId)).toEqual({ state: undefined, atCarrier: undefined });
  });

  it('S5: that was refused has nothing to undo, and stays refused', async () => {
    const { orderId, key, undoKey, request } = newOrder(undeliverable);
    await client().CreateShipment(request, options(key));
    const undone = await client().CancelShipment({ orderId }, options(undoKey));
    expect(undone).toMatchObject({ kind: 'completed', message: { shipmentId: '' } });
    expect(await client().CreateShipment(request, options(key))).toMatchObject({ reason: 'ADDRESS_REFUSED' });
    // Not even a tombstone at the carrier: it is not asked.
    expect(await standing(orderId)).toEqual({ state: 'refused', atCarrier: byCarrier ? undefined : 'refused' });
  });

  it('G12: asked for and undone at the same instant leaves nothing live', async () => {
    const orders = Array.from({ length: 25 }, () => newOrder());
    await Promise.all(
      orders.map(async ({ orderId, key, undoKey, request }) => {
        const undo = async () => {
          for (;;) {
            const undone = await client().CancelShipment({ orderId }, options(undoKey));
            if (undone.kind === 'completed') return;
            expect(undone.reason).toBe('TRY_AGAIN');
          }
        };
        await Promise.all([client().CreateShipment(request, options(key)), undo()]);
      }),
    );
    for (const { orderId } of orders) {
      const { state, atCarrier } = await standing(orderId);
      expect([undefined, 'cancelled']).toContain(state);
      expect([undefined, 'cancelled']).toContain(atCarrier);
    }
  });

  it('K5: whose claim is gone is still the order’s only one, and another one is refused', async () => {
    const { orderId, key, undoKey, request } = newOrder();
    const first = await client().CreateShipment(request, options(key));
    await forget(orderId);
    const late = await client().CreateShipment(request, options(key));
    expect(late).toMatchObject({ kind: 'completed', message: first.kind === 'completed' ? first.message : {} });
    const other = { ...request, parcels: [{ sku: 'mug', quantity: 3 }] };
    expect(await client().CreateShipment(other, options(`${key}-other`))).toMatchObject({ reason: 'CONFLICT' });
    await client().CancelShipment({ orderId }, options(undoKey));
    await forget(orderId);
    expect(await client().CreateShipment(request, options(key))).toMatchObject({ reason: 'CONFLICT' });
    expect(await client().CancelShipment({ orderId }, options(undoKey))).toMatchObject({
      message: first.kind === 'completed' ? first.message : {},
    });
    expect(await standing(orderId)).toEqual({ state: 'cancelled', atCarrier: 'cancelled' });
  });

  it('K5, S5: refused, is refused even when its claim is gone', async () => {
    const { orderId, key, request } = newOrder(undeliverable);
    const first = await client().CreateShipment(request, options(key));
    await forget(orderId);
    expect(await client().CreateShipment(request, options(key))).toEqual(first);
  });

  async function forget(orderId: string): Promise<void> {
    const gone = await shipping().database.pool.query(
      'delete from holdfast.claims where tenant_id = $1 and scope = $2',
      [TENANT, orderId],
    );
    expect(gone.rowCount).toBeGreaterThan(0);
  }

  it('G16: can be asked about: executed, refused, sealed, unknown', async () => {
    const ask = async (key: string) => {
      const step = await client().GetStep({ key }, { timeoutMs: 5_000, tenantId: TENANT });
      return step.kind === 'completed' ? step.message : step;
    };
    const done = newOrder();
    const made = await client().CreateShipment(done.request, options(done.key));
    expect(await ask(done.key)).toMatchObject({
      state: 'STEP_STATE_EXECUTED',
      created: made.kind === 'completed' ? made.message : {},
    });
    const refused = newOrder(undeliverable);
    await client().CreateShipment(refused.request, options(refused.key));
    expect(await ask(refused.key)).toMatchObject({
      state: 'STEP_STATE_REFUSED',
      refusal: { reason: 'ADDRESS_REFUSED', message: expect.stringContaining('place a new order') },
    });
    await client().CancelShipment({ orderId: done.orderId }, options(done.undoKey));
    expect(await ask(done.key)).toMatchObject({ state: 'STEP_STATE_SEALED' });
    expect(await ask(done.undoKey)).toMatchObject({
      state: 'STEP_STATE_EXECUTED',
      cancelled: made.kind === 'completed' ? made.message : {},
    });
    expect(await ask('nobody-has-sent-this')).toMatchObject({ state: 'STEP_STATE_UNKNOWN_KEY' });
  });

  it('H17: of one tenant is nobody else’s', async () => {
    const { orderId, key, undoKey, request } = newOrder();
    await client().CreateShipment(request, options(key));
    const other = options(undoKey, { tenantId: 'other' });
    expect(await client().CancelShipment({ orderId }, other)).toMatchObject({ message: { shipmentId: '' } });
    expect(await standing(orderId)).toEqual({ state: 'booked', atCarrier: 'booked' });
  });
});

describe('a request', () => {
  it('that is wrong is refused before anything runs, naming the field and not its value', async () => {
    const { key, request } = newOrder();
    const address = (part: Partial<typeof ADDRESS>) => ({ ...request, shipTo: { ...ADDRESS, ...part } });
    const wrong: [string, object][] = [
      ['order_id', { ...request, orderId: 'a b' }],
      ['ship_to', { ...request, shipTo: null }],
      ['ship_to.country', address({ country: 'Britain' })],
      ['ship_to.country', address({ country: 'gb' })],
      ['ship_to.postal_code', address({ postalCode: '\u200b' })],
      ['ship_to.line2', { ...request, shipTo: { ...ADDRESS, line2: 'a\nb' } }],
      ['ship_to.name', address({ name: '\u3164 ' })],
      ['ship_to.name', address({ name: 'x'.repeat(201) })],
      ['ship_to.line1', address({ line1: 'a\0b' })],
      ['ship_to.city', address({ city: '' })],
      ['parcels', { ...request, parcels: [] }],
      ['parcels[1]', { ...request, parcels: [PARCELS[0], PARCELS[0]] }],
      ['parcels[0].sku', { ...request, parcels: [{ sku: ' a', quantity: 1 }] }],
      ['parcels[0].quantity', { ...request, parcels: [{ sku: 'mug', quantity: 0 }] }],
    ];
    for (const [field, message] of wrong) {
      const refused = await own.client.CreateShipment(message as typeof request, options(key));
      expect(refused).toMatchObject({ reason: 'INVALID_REQUEST', pushbackMs: -1, metadata: { field } });
    }
    const { rows } = await own.database.pool.query('select from holdfast.claims where scope = $1', [request.orderId]);
    expect(rows).toHaveLength(0);
  });

  it('brings an address of any country to the carrier, with what there is of it and no more', async () => {
    const { orderId, key, request } = newOrder();
    const there = { name: '陳大文', company: 'Tea & Co.', line1: '1 Harbour Road', line2: '12/F', city: 'Wan Chai' };
    const shipTo = { ...there, country: 'HK', region: '', postalCode: '', phone: '+852 2345 6789' };
    const booked = await carried.client.CreateShipment({ ...request, shipTo }, options(key));
    expect(booked).toMatchObject({ kind: 'completed' });
    expect(await carrier.statusOf(`${TENANT}:${orderId}`)).toBe('booked');
    const { rows } = await carried.database.pool.query('select ship_to from shipments where order_id = $1', [orderId]);
    expect(rows).toEqual([{ ship_to: { ...there, country: 'HK', phone: '+852 2345 6789' } }]);
  });

  it('G1, G2: without a right key is refused; an undo’s key is its act’s followed by :undo', async () => {
    const { orderId, key, undoKey, request } = newOrder();
    const missing = await own.client.CreateShipment(request, { timeoutMs: 5_000, tenantId: TENANT });
    expect(missing).toMatchObject({ reason: 'IDEMPOTENCY_KEY_MISSING', pushbackMs: -1 });
    const invalid = { reason: 'IDEMPOTENCY_KEY_INVALID', pushbackMs: -1 };
    expect(await own.client.CreateShipment(request, options('short'))).toMatchObject(invalid);
    expect(await own.client.CreateShipment(request, options(undoKey))).toMatchObject(invalid);
    expect(await own.client.CancelShipment({ orderId }, options(key))).toMatchObject(invalid);
  });
});
