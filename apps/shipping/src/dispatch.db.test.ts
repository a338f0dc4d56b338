import { randomUUID } from 'node:crypto';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { transaction } from '@holdfast/postgres';
import { type CallOptions, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestCarrier, type TestCarrier } from '../test/test-carrier.ts';
import { dispatch as dispatchIn } from './dispatch.ts';
import { shippingMigrations, shippingService } from './index.ts';

type Shipping = TestParticipant<typeof services.shipping>;

let carrier: TestCarrier;
let own: Shipping;
let carried: Shipping;
let silent: Shipping;
const start = (bind: ReturnType<typeof shippingService>) =>
  testParticipant('dispatch', services.shipping, shippingMigrations, bind);
beforeAll(async () => {
  carrier = await startTestCarrier();
  const events = { publishes: true };
  own = await start(shippingService(undefined, events));
  carried = await start(shippingService({ baseUrl: carrier.url, timeoutMs: 2_000 }, events));
  silent = await start(shippingService());
});
afterAll(async () => {
  await Promise.all([own, carried, silent].map((shipping) => shipping?.stop()));
  await carrier?.stop();
});

const TENANT = 'shop';
const options = (key?: string, tenantId = TENANT): CallOptions => ({
  timeoutMs: 10_000,
  tenantId,
  ...(key && { key }),
});
const shipTo = { name: 'A. Buyer', line1: '1 High Street', city: 'Leeds', postalCode: 'LS1 4AP', country: 'GB' };
const actOf = (orderId: string) => `${orderId}:create-shipment`;

async function booked(shipping: Shipping): Promise<{ orderId: string; shipmentId: string }> {
  const orderId = randomUUID();
  const request = { orderId, shipTo, parcels: [{ sku: 'mug', quantity: 1 }] };
  const made = await shipping.client.CreateShipment(request, options(actOf(orderId)));
  if (made.kind !== 'completed') throw new Error(made.message);
  return { orderId, shipmentId: made.message.shipmentId };
}

const dispatch = (shipping: Shipping, orderId: string, tenantId?: string) =>
  shipping.client.DispatchShipment({ orderId }, options(undefined, tenantId));
const withhold = (shipping: Shipping, orderId: string, tenantId?: string) =>
  shipping.client.WithholdShipment({ orderId }, options(undefined, tenantId));
const cancel = (shipping: Shipping, orderId: string) =>
  shipping.client.CancelShipment({ orderId }, options(`${actOf(orderId)}:undo`));

async function standing(shipping: Shipping, orderId: string) {
  const { pool } = shipping.database;
  const { rows } = await pool.query('select state from shipments where order_id = $1', [orderId]);
  const told = await pool.query('select kind, tenant_id from holdfast.outbox where order_id = $1', [orderId]);
  return { state: rows[0]?.state as string | undefined, told: told.rows };
}

const TOLD = [{ kind: 'dispatched', tenant_id: TENANT }];

describe.each([{ whose: 'our own' }, { whose: 'a carrier’s' }])('$whose shipment', ({ whose }) => {
  const shipping = () => (whose === 'our own' ? own : carried);

  it('E1, K5: dispatched twice, is dispatched once: one answer, one event', async () => {
    const { orderId, shipmentId } = await booked(shipping());
    const first = await dispatch(shipping(), orderId);
    expect(first).toMatchObject({
      kind: 'completed',
      message: { shipmentId, dispatchedAt: expect.stringMatching(/Z$/) },
    });
    expect(await dispatch(shipping(), orderId)).toEqual(first);
    expect(await standing(shipping(), orderId)).toEqual({ state: 'dispatched', told: TOLD });
  });

  it('E1, K5: dispatched by twenty at once, is dispatched once', async () => {
    // The first one finds connections being opened, the next ones are really at once.
    for (let round = 1; round <= 5; round++) {
      const { orderId } = await booked(shipping());
      const all = await Promise.all(Array.from({ length: 20 }, () => dispatch(shipping(), orderId)));
      expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
      expect(all[0]?.kind).toBe('completed');
      expect(await standing(shipping(), orderId)).toEqual({ state: 'dispatched', told: TOLD });
    }
  });

  it('S3: that was dispatched can’t be cancelled: the undo fails and says why, every time', async () => {
    const { orderId } = await booked(shipping());
    await dispatch(shipping(), orderId);
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await cancel(shipping(), orderId)).toMatchObject({
        reason: 'CONFLICT',
        message: expect.stringContaining('was dispatched'),
      });
    }
    expect((await standing(shipping(), orderId)).state).toBe('dispatched');
    if (whose !== 'our own') expect(await carrier.statusOf(`${TENANT}:${orderId}`)).toBe('booked');
  });

  it('S3: that was cancelled can’t be dispatched, and nothing is told', async () => {
    const { orderId } = await booked(shipping());
    await cancel(shipping(), orderId);
    expect(await dispatch(shipping(), orderId)).toMatchObject({
      reason: 'CONFLICT',
      message: expect.stringContaining('cancelled'),
    });
    expect(await standing(shipping(), orderId)).toEqual({ state: 'cancelled', told: [] });
  });

  it('S3: that is just being dispatched is not cancelled: the undo waits, and fails', async () => {
    const { orderId } = await booked(shipping());
    const { pool } = shipping().database;
    const blocked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    let cancelling: ReturnType<typeof cancel> | undefined;
    await transaction(pool, async (tx) => {
      await dispatchIn(tx, { tenantId: TENANT, orderId }, { publishes: true, returning: false, key: undefined });
      cancelling = cancel(shipping(), orderId);
      await vi.waitUntil(async () => (await pool.query(blocked)).rowCount === 1, 5_000);
    });
    // A slow machine may have kept it waiting for longer than a lock is waited for: asked again, as the saga does.
    const waited = await cancelling;
    const undone =
      waited?.kind === 'error' && waited.reason === 'TRY_AGAIN' ? await cancel(shipping(), orderId) : waited;
    expect(undone).toMatchObject({ reason: 'CONFLICT' });
    expect(await standing(shipping(), orderId)).toEqual({ state: 'dispatched', told: TOLD });
    if (whose !== 'our own') expect(await carrier.statusOf(`${TENANT}:${orderId}`)).toBe('booked');
  });

  it('A1: of which goods are returned before it has left is not dispatched any more, and says why', async () => {
    const { orderId } = await booked(shipping());
    for (let time = 1; time <= 2; time++) {
      expect(await withhold(shipping(), orderId)).toMatchObject({ message: { dispatched: false } });
      expect(await dispatch(shipping(), orderId)).toMatchObject({
        reason: 'CONFLICT',
        message: expect.stringContaining('returned before they have left'),
      });
    }
    expect(await standing(shipping(), orderId)).toEqual({ state: 'booked', told: [] });
  });

  it('A1: that has left stays dispatched when goods of it are returned, with the same answer', async () => {
    const { orderId } = await booked(shipping());
    const first = await dispatch(shipping(), orderId);
    expect(await withhold(shipping(), orderId)).toMatchObject({ message: { dispatched: true } });
    expect(await dispatch(shipping(), orderId)).toEqual(first);
    const again = await shipping().client.DispatchShipment({ orderId, returning: true }, options());
    expect(again).toEqual(first);
  });

  it('A1: that is dispatched and withheld at once is either, and both are told the same', async () => {
    for (let round = 0; round < 20; round++) {
      const { orderId } = await booked(shipping());
      const [sent, kept] = await Promise.all([dispatch(shipping(), orderId), withhold(shipping(), orderId)]);
      expect(kept).toMatchObject({ message: { dispatched: sent.kind === 'completed' } });
      const { state, told } = await standing(shipping(), orderId);
      expect([state, told.length]).toEqual(sent.kind === 'completed' ? ['dispatched', 1] : ['booked', 0]);
    }
  });

  it('K5: booked again when its claim is gone, is the one that was dispatched', async () => {
    const { orderId, shipmentId } = await booked(shipping());
    await dispatch(shipping(), orderId);
    await shipping().database.pool.query('delete from holdfast.claims where scope = $1', [orderId]);
    const request = { orderId, shipTo, parcels: [{ sku: 'mug', quantity: 1 }] };
    const again = await shipping().client.CreateShipment(request, options(actOf(orderId)));
    expect(again).toMatchObject({ kind: 'completed', message: { shipmentId } });
  });
});

describe('a shipment', () => {
  it('A1: of which goods are being returned is not dispatched, and is again when they are not', async () => {
    const { orderId } = await booked(own);
    const asked = await own.client.DispatchShipment({ orderId, returning: true }, options());
    expect(asked).toMatchObject({ reason: 'CONFLICT', pushbackMs: -1 });
    expect((await dispatch(own, orderId)).kind).toBe('completed');
  });

  it('that is not there, or another tenant’s, is not withheld', async () => {
    const { orderId } = await booked(own);
    expect(await withhold(own, randomUUID())).toMatchObject({ reason: 'NOT_FOUND', pushbackMs: -1 });
    expect(await withhold(own, orderId, 'other')).toMatchObject({ reason: 'NOT_FOUND' });
    expect((await dispatch(own, orderId)).kind).toBe('completed');
  });

  it('that is not there, or another tenant’s, or refused, is not dispatched', async () => {
    const { orderId } = await booked(own);
    expect(await dispatch(own, randomUUID())).toMatchObject({ reason: 'NOT_FOUND', pushbackMs: -1 });
    expect(await dispatch(own, orderId, 'other')).toMatchObject({ reason: 'NOT_FOUND' });
    expect(await dispatch(own, 'a b')).toMatchObject({ reason: 'INVALID_REQUEST' });
    const refused = randomUUID();
    const request = {
      orderId: refused,
      shipTo: { ...shipTo, postalCode: '00000' },
      parcels: [{ sku: 'mug', quantity: 1 }],
    };
    await own.client.CreateShipment(request, options(actOf(refused)));
    expect(await dispatch(own, refused)).toMatchObject({ reason: 'CONFLICT', pushbackMs: -1 });
  });

  it('that the carrier has not booked yet is not dispatched', async () => {
    const orderId = randomUUID();
    const held = carrier.hold('/v1/shipments', 'request');
    const request = { orderId, shipTo, parcels: [{ sku: 'mug', quantity: 1 }] };
    const making = carried.client.CreateShipment(request, options(actOf(orderId)));
    await held.arrived;
    expect(await dispatch(carried, orderId)).toMatchObject({
      reason: 'CONFLICT',
      message: expect.stringContaining('not booked yet'),
    });
    await held.deliver();
    expect((await making).kind).toBe('completed');
    expect((await dispatch(carried, orderId)).kind).toBe('completed');
  });

  it('S3: that the carrier is just cancelling is not dispatched', async () => {
    const { orderId } = await booked(carried);
    const held = carrier.hold('/v1/shipments/cancel', 'request');
    const cancelling = cancel(carried, orderId);
    await held.arrived;
    expect(await dispatch(carried, orderId)).toMatchObject({ reason: 'CONFLICT' });
    await held.deliver();
    expect((await cancelling).kind).toBe('completed');
    expect(await standing(carried, orderId)).toEqual({ state: 'cancelled', told: [] });
  });

  it('S3: that was dispatched becomes nothing else, whatever a statement says', async () => {
    const { orderId } = await booked(own);
    await dispatch(own, orderId);
    const change = own.database.pool.query(`update shipments set state = 'booked' where order_id = $1`, [orderId]);
    await expect(change).rejects.toMatchObject({ constraint: 'shipments_dispatched_at' });
  });

  it('is dispatched and nothing is told where events are off', async () => {
    const { orderId } = await booked(silent);
    expect((await dispatch(silent, orderId)).kind).toBe('completed');
    expect(await standing(silent, orderId)).toEqual({ state: 'dispatched', told: [] });
  });
});
