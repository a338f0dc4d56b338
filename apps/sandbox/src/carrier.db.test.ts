import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { booking, sendJson, startTestSandbox, type TestSandbox } from '../test/test-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

const book = (reference: string, shipTo: Record<string, string> = {}) =>
  sendJson(sandbox.url, 'POST', '/carrier/v1/shipments', booking(reference, shipTo));
const cancel = (reference: string) => sendJson(sandbox.url, 'POST', '/carrier/v1/shipments/cancel', { reference });
const find = async (reference: string) =>
  (await sendJson(sandbox.url, 'GET', `/carrier/v1/shipments?reference=${encodeURIComponent(reference)}`)).body
    .shipments;

describe('a booking', () => {
  it('is made once and found by its reference and its id', async () => {
    const reference = 'ord_1:create-shipment';
    const booked = await book(reference);
    expect(booked).toMatchObject({ status: 201, body: { reference, status: 'booked' } });
    expect(booked.body.id).toMatch(/^shp_/);
    expect(booked.body.trackingNumber).toMatch(/^HF/);
    expect(await book(reference)).toEqual({ status: 200, body: booked.body });
    expect(await find(reference)).toEqual([booked.body]);
    const byId = await sendJson(sandbox.url, 'GET', `/carrier/v1/shipments/${booked.body.id}`);
    expect(byId).toEqual({ status: 200, body: booked.body });
  });

  it('K2: is one, however many ask for the same reference at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => book(`many-${round}`)));
      expect(answers.map((answer) => answer.status).sort()).toEqual([...Array(19).fill(200), 201]);
      expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    }
  });

  it.each([{ postalCode: '00000' }, { country: 'AQ' }])(
    'to %j is refused and leaves nothing behind',
    async (shipTo) => {
      const reference = `refused-${Object.keys(shipTo)[0]}`;
      expect(await book(reference, shipTo)).toMatchObject({ status: 422, body: { code: 'ADDRESS_REFUSED' } });
      expect(await find(reference)).toEqual([]);
      expect((await book(reference)).status).toBe(201);
      // What is booked stays booked, whatever address the same reference comes with later.
      expect((await book(reference, shipTo)).status).toBe(200);
    },
  );

  it('that does not exist is 404', async () => {
    for (const id of ['shp_none', 'shp_%00']) {
      expect(await sendJson(sandbox.url, 'GET', `/carrier/v1/shipments/${id}`)).toMatchObject({ status: 404 });
    }
    expect(await find('nobody')).toEqual([]);
  });

  it.each([
    ['body/shipTo', booking('x', { street: 'y' })],
    ['body/shipTo/country', booking('x', { country: 'gb' })],
    ['body/shipTo/name', booking('x', { name: 'a\0b' })],
    ['body/reference', booking('a b')],
    ['body/parcels', { ...booking('x'), parcels: [] }],
    ['body/parcels/0/quantity', { ...booking('x'), parcels: [{ sku: 's', quantity: 0 }] }],
    ['body', { reference: 'x' }],
  ])('that is malformed is refused with the place: %s', async (place, body) => {
    const answer = await sendJson(sandbox.url, 'POST', '/carrier/v1/shipments', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
    expect(String(answer.body.message)).toMatch(new RegExp(`^${place}: `));
    expect(await find('x')).toEqual([]);
  });

  it('over 64 KiB or in broken JSON is refused', async () => {
    expect((await book('x'.repeat(70_000))).status).toBe(413);
    const broken = await fetch(`${sandbox.url}/carrier/v1/shipments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"reference":',
    });
    expect(broken.status).toBe(400);
  });
});

describe('a cancellation', () => {
  it('cancels what is booked, any number of times, and the reference is never booked again', async () => {
    const { body } = await book('cancel-1');
    const cancelled = { status: 200, body: { reference: 'cancel-1', status: 'cancelled', id: body.id } };
    expect(await cancel('cancel-1')).toEqual(cancelled);
    expect(await cancel('cancel-1')).toEqual(cancelled);
    expect(await find('cancel-1')).toEqual([{ ...body, status: 'cancelled' }]);
    expect(await book('cancel-1')).toMatchObject({ status: 409, body: { code: 'REFERENCE_CANCELLED' } });
  });

  it('K3: that comes first leaves a tombstone: the late booking is refused and changes nothing', async () => {
    const tombstone = { status: 200, body: { reference: 'early-1', status: 'cancelled', id: null } };
    expect(await cancel('early-1')).toEqual(tombstone);
    for (let n = 0; n < 2; n += 1) {
      expect(await book('early-1')).toMatchObject({ status: 409, body: { code: 'REFERENCE_CANCELLED' } });
      expect(await book('early-1', { country: 'AQ' })).toMatchObject({ status: 409 });
    }
    expect(await cancel('early-1')).toEqual(tombstone);
    expect(await find('early-1')).toEqual([]);
  });

  it('K3: that races with its booking always wins in the end', async () => {
    for (let round = 0; round < 20; round += 1) {
      const reference = `race-${round}`;
      const [booked, cancelled] = await Promise.all([book(reference), cancel(reference)]);
      expect([201, 409]).toContain(booked.status);
      expect(cancelled.status).toBe(200);
      expect(cancelled.body.id).toBe(booked.status === 201 ? booked.body.id : null);
      const { rows } = await sandbox.db.pool.query<{ status: string }>(
        'select status from shipments where reference = $1::text',
        [reference],
      );
      expect(rows).toEqual([{ status: 'cancelled' }]);
    }
  });
});

describe('lists', () => {
  it('of bookings and of the ledger are paged and complete', async () => {
    for (const n of [1, 2, 3]) await book(`page-${n}`);
    await cancel('page-0');
    const bookings = await pages('/carrier/v1/shipments', 'shipments');
    expect(bookings.map((shipment) => shipment.reference)).toEqual(expect.arrayContaining(['page-1', 'page-3']));
    expect(bookings.every((shipment) => shipment.id !== null)).toBe(true);

    const ledger = await pages('/ledger/shipments', 'shipments');
    const { rows } = await sandbox.db.pool.query('select from shipments');
    expect(new Set(ledger.map((shipment) => shipment.reference)).size).toBe(rows.length);
    expect(ledger).toContainEqual(
      expect.objectContaining({ reference: 'page-0', status: 'cancelled', shipmentId: null }),
    );
    expect(ledger).toContainEqual(expect.objectContaining({ reference: 'page-1', status: 'booked' }));
  });

  it('of payments show what the ledger holds for each intent', async () => {
    const { paymentIntents, refunds } = sandbox.stripe;
    const form = { amount: 300, currency: 'eur', payment_method: 'pm_card_visa' };
    for (const order of ['a', 'b', 'c']) {
      const metadata = { order_id: order, tenant_id: 'shop' };
      const { id } = await paymentIntents.create({ ...form, confirm: order !== 'c', metadata });
      if (order === 'b') for (const amount of [100, 50]) await refunds.create({ payment_intent: id, amount });
    }
    await paymentIntents.create(form);
    const entries = await pages('/ledger/payments', 'payments');
    const shown = entries.map(({ orderId, status, captured, refunded, captures }) =>
      [orderId, status, captured, refunded, captures].join(' '),
    );
    expect(shown.sort()).toEqual([
      ' requires_confirmation 0 0 0',
      'a succeeded 300 0 1',
      'b succeeded 300 150 1',
      'c requires_confirmation 0 0 0',
    ]);
    expect(entries.find((entry) => entry.orderId === 'a')).toMatchObject({ tenantId: 'shop', currency: 'eur' });
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'cursor=%00', 'page=2', 'limit=1&limit=2'])(
    'refuse ?%s',
    async (query) => {
      for (const path of ['/carrier/v1/shipments', '/ledger/payments', '/ledger/shipments']) {
        const answer = await sendJson(sandbox.url, 'GET', `${path}?${query}`);
        expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
        expect(String(answer.body.message)).toMatch(/^query\//);
      }
    },
  );

  async function pages(path: string, member: string): Promise<Record<string, unknown>[]> {
    const all: Record<string, unknown>[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const from: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await sendJson(sandbox.url, 'GET', `${path}?limit=2${from}`);
      all.push(...(body[member] as Record<string, unknown>[]));
      cursor = body.nextCursor as string | null;
    }
    return all;
  }
});
