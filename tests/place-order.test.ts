import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, newKey, type System, setUpCatalogue } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const WAIT = { prefer: 'wait=20' };

describe('an order', () => {
  it('paid from an account is accepted at once and completes by itself', async () => {
    const placed = await system.place();
    expect(placed.status, placed.text).toBe(201);
    expect(placed.headers.get('location')).toBe(`/v1/orders/${placed.body.id}`);
    expect(placed.body).toMatchObject({ status: 'processing', total: null, failure: null, shipmentId: null });
    const ended = await system.untilEnded(placed.body.id);
    expect(ended).toMatchObject({
      status: 'completed',
      total: 599,
      items: [
        { sku: 'apple', quantity: 2, unitPrice: 250 },
        { sku: 'pear', quantity: 1, unitPrice: 99 },
      ],
    });
    expect(ended.reservationId && ended.paymentId && ended.shipmentId).toBeTruthy();
  });

  it('paid by card, with a client that waits, is answered with its end', async () => {
    const placed = await system.place({ payment: { method: 'pm_card_visa' } }, WAIT);
    expect(placed.body).toMatchObject({ status: 'completed', total: 599 });
    expect(placed.body.paymentId).toMatch(/^pi_/);
    expect(placed.headers.get('preference-applied')).toBe('wait=20');
  });

  it.each([
    ['UNKNOWN_SKU', 'reserve-inventory', { items: [{ sku: 'no-such-fruit', quantity: 1 }] }],
    ['OUT_OF_STOCK', 'reserve-inventory', { items: [{ sku: 'dollar-fruit', quantity: 101 }], currency: 'USD' }],
    ['CURRENCY_MISMATCH', 'reserve-inventory', { items: [{ sku: 'dollar-fruit', quantity: 1 }] }],
    ['CURRENCY_MISMATCH', 'charge-payment', { items: [{ sku: 'dollar-fruit', quantity: 1 }], currency: 'USD' }],
    ['INSUFFICIENT_FUNDS', 'charge-payment', { customerId: 'poor' }],
    ['INSUFFICIENT_FUNDS', 'charge-payment', { customerId: 'nobody' }],
    ['CARD_DECLINED', 'charge-payment', { payment: { method: 'pm_card_chargeDeclined' } }],
    ['CARD_DECLINED', 'charge-payment', { payment: { method: 'pm_card_chargeDeclinedInsufficientFunds' } }],
    [
      'ADDRESS_REFUSED',
      'create-shipment',
      { shipTo: { name: 'A', line1: 'B', city: 'C', postalCode: '00000', country: 'DE' } },
    ],
  ])(
    'S3: that is refused with %s at %s is accepted, fails, and leaves nothing behind',
    async (reason, step, change) => {
      const placed = await system.place(change, WAIT);
      expect(placed.status).toBe(201);
      expect(placed.body).toMatchObject({ status: 'failed', failure: { step, reason } });
      expect(placed.body.failure.message).not.toBe('');
    },
  );

  it('is listed, newest first, page by page, by status; and seen by its own tenant only', async () => {
    const all = await system.send('GET', '/v1/orders?limit=100');
    const pages: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await system.send('GET', `/v1/orders?limit=3${cursor && `&cursor=${cursor}`}`);
      expect(page.body.orders.length).toBeLessThanOrEqual(3);
      pages.push(...page.body.orders.map((order: { id: string }) => order.id));
      cursor = page.body.nextCursor;
    }
    expect(pages).toEqual(all.body.orders.map((order: { id: string }) => order.id));
    const failed = await system.send('GET', '/v1/orders?status=failed&limit=100');
    expect(new Set(failed.body.orders.map((order: { status: string }) => order.status))).toEqual(new Set(['failed']));
    expect((await system.send('GET', '/v1/orders/no-such-order')).body).toMatchObject({ code: 'not-found' });
    expect((await system.send('GET', '/v1/orders', undefined, { apiKey: 'x'.repeat(20) })).status).toBe(401);
  });

  it('has a journal with every attempt', async () => {
    const placed = await system.place({ customerId: 'poor' }, WAIT);
    const saga = await system.send('GET', `/v1/sagas/${placed.body.id}`);
    const attempts = saga.body.steps.map(
      (step: { name: string; attempts: { direction: string; outcome: string }[] }) => [
        step.name,
        step.attempts.map(({ direction, outcome }) => `${direction} ${outcome}`),
      ],
    );
    expect(attempts).toEqual([
      ['reserve-inventory', ['act completed', 'undo completed']],
      ['charge-payment', ['act refused', 'undo completed']],
      ['create-shipment', []],
    ]);
    expect((await system.send('GET', '/v1/sagas?status=parked')).body).toEqual({ sagas: [], nextCursor: null });
    const resumed = await system.send('POST', `/v1/sagas/${placed.body.id}/resume`);
    expect(resumed.body).toMatchObject({ status: 409, code: 'not-parked' });
  });

  it('is found by an operator by step and age while it is under way, attempted at once, and turned back', async () => {
    const signalPayment = (signal: NodeJS.Signals) => {
      for (const { name, pid } of system.cluster.run.services) if (name === 'payment') process.kill(pid, signal);
    };
    signalPayment('SIGSTOP');
    const { id } = (await system.place()).body;
    try {
      await expectFound(id);
      expect((await system.send('POST', `/v1/sagas/${id}/retry`)).body).toMatchObject({ id, status: 'processing' });
      const turning = system.send('POST', `/v1/sagas/${id}/compensate`);
      await system.until('the request is durable', async () => {
        const { body } = await system.send('GET', `/v1/sagas/${id}`);
        return body.cancelRequestedAt ?? undefined;
      });
      signalPayment('SIGCONT');
      const { status, body } = await turning;
      expect([200, 503], JSON.stringify(body)).toContain(status);
    } finally {
      signalPayment('SIGCONT');
    }
    expect(await system.untilEnded(id)).toMatchObject({ status: 'cancelled' });
    expect((await system.send('POST', `/v1/sagas/${id}/retry`)).body).toMatchObject({ code: 'saga-ended' });
    expect((await system.send('POST', `/v1/sagas/${id}/compensate`)).body).toMatchObject({ id, status: 'cancelled' });
  });

  it('tells its changes as events, and the terminal one ends the stream', async () => {
    const placed = await system.place();
    const events = await system.send('GET', `/v1/orders/${placed.body.id}/events`);
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    const names = [...events.text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name);
    expect(names.at(-1)).toBe('completed');
    expect(new Set(names.slice(0, -1)).isSubsetOf(new Set(['processing']))).toBe(true);
  });
});

describe('an order as it was shown', () => {
  const lines = [
    { kind: 'shipping', name: 'Parcel', amount: 490 },
    { kind: 'discount', name: 'Spring', amount: -100 },
  ];
  const items = [
    { sku: 'apple', quantity: 2, unitPrice: 250, name: 'Apples, red' },
    { sku: 'pear', quantity: 1 },
  ];
  const given = { lines, metadata: { basket: 'b-17', '%1': '' }, reference: 'S/2026 № 4711' };

  it.each(['balance', 'pm_card_visa'])('A1: costs its items and the lines beside them, by %s', async (method) => {
    const before = (await system.send('GET', '/v1/accounts/ann')).body.balance;
    const order = { items, ...given, expectedTotal: 989, payment: { method } };
    const placed = await system.place(order, { prefer: 'wait=20' });
    const priced = [{ ...items[0] }, { ...items[1], unitPrice: 99 }];
    expect(placed.body).toMatchObject({ status: 'completed', items: priced, total: 989, ...given });
    const after = (await system.send('GET', '/v1/accounts/ann')).body.balance;
    expect(before - after).toBe(method === 'balance' ? 989 : 0);
    const { body, text } = await system.send('GET', `/v1/orders/${placed.body.id}`);
    expect(body).toEqual(placed.body);
    const events = await system.send('GET', `/v1/orders/${placed.body.id}/events`);
    expect(events.text).toContain(`data: ${text}`);
    await expectSound(system);
  });

  it('fails with PRICE_CHANGED and the prices as they are when one has changed, and takes nothing', async () => {
    const put = await system.send('PUT', '/v1/stock/quince', { onHand: 9, unitPrice: 9_900, currency: 'EUR' });
    expect(put.status).toBe(200);
    const shown = [{ sku: 'quince', quantity: 1, unitPrice: 1_000 }];
    const byPrice = await system.place({ items: shown }, { prefer: 'wait=20' });
    expect(byPrice.body).toMatchObject({
      status: 'failed',
      total: null,
      failure: {
        step: 'reserve-inventory',
        reason: 'PRICE_CHANGED',
        message: 'quince costs 9900, 1000 was shown; the total is 9900',
        prices: {
          items: [{ sku: 'quince', unitPrice: 9_900, shownUnitPrice: 1_000 }],
          total: 9_900,
          shownTotal: null,
        },
      },
    });
    // Read from the database, it is the same to the byte.
    expect((await system.send('GET', `/v1/orders/${byPrice.body.id}`)).text).toBe(byPrice.text);
    const events = await system.send('GET', `/v1/orders/${byPrice.body.id}/events`);
    expect(events.text).toContain(`data: ${byPrice.text}`);
    expect((await system.send('GET', `/v1/sagas/${byPrice.body.id}`)).body.failure).toEqual({
      step: 'reserve-inventory',
      reason: 'PRICE_CHANGED',
      message: 'quince costs 9900, 1000 was shown; the total is 9900',
    });
    const items = [{ sku: 'quince', quantity: 1 }];
    const byTotal = await system.place({ items, expectedTotal: 1_000 }, { prefer: 'wait=20' });
    expect(byTotal.body.failure).toMatchObject({
      reason: 'PRICE_CHANGED',
      message: 'quince costs 9900; the total is 9900, 1000 was shown',
      prices: { items: [{ sku: 'quince', unitPrice: 9_900, shownUnitPrice: null }], total: 9_900, shownTotal: 1_000 },
    });
    expect((await system.send('GET', '/v1/stock/quince')).body).toMatchObject({ onHand: 9, reserved: 0 });
  });
});

describe('an answer that names a customer', () => {
  it('T1: is kept by nothing on the way: an order, its replay, its events, its lists, an account', async () => {
    const key = newKey();
    const placed = await system.place({}, { key, prefer: 'wait=20' });
    const { id } = placed.body;
    const again = await system.place({}, { key, prefer: 'wait=20' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const answers = [placed, again];
    for (const path of [`orders/${id}`, `orders/${id}/events`, `orders/${id}/refunds`, 'orders', 'accounts/ann'])
      answers.push(await system.send('GET', `/v1/${path}`));
    for (const { status, headers, text } of answers) {
      expect(status, text).toBeLessThan(300);
      expect(headers.get('cache-control'), text).toBe('no-store');
    }
  });
});

describe('stock and accounts', () => {
  it('are set by PUT, as often as one likes, and adjusted once per key', async () => {
    const key = newKey();
    await system.send('PUT', '/v1/stock/plum', { onHand: 5, unitPrice: 10, currency: 'EUR' });
    await system.send('PUT', '/v1/stock/plum', { onHand: 5, unitPrice: 10, currency: 'EUR' });
    const once = await system.send('POST', '/v1/stock/plum/adjust', { delta: 3 }, { key });
    const again = await system.send('POST', '/v1/stock/plum/adjust', { delta: 3 }, { key });
    expect(once.body).toMatchObject({ onHand: 8, reserved: 0 });
    expect([once, again].map((reply) => reply.headers.get('idempotent-replayed'))).toEqual(['false', 'true']);
    expect(again.text).toBe(once.text);
    const other = await system.send('POST', '/v1/stock/plum/adjust', { delta: 4 }, { key });
    expect(other).toMatchObject({ status: 422, body: { errors: [{ pointer: '/delta' }] } });
    const account = await system.send('POST', '/v1/accounts/poor/adjust', { delta: -11 }, { key: newKey() });
    expect(account).toMatchObject({ status: 409, body: { code: 'insufficient-funds', retryable: false } });
    expect((await system.send('POST', '/v1/stock/plum/adjust', { delta: 1 })).body.code).toBe(
      'idempotency-key-missing',
    );
    expect((await system.send('GET', '/v1/stock/no-such-fruit')).status).toBe(404);
  });
});

describe('all of that', () => {
  it('A1: adds up over all databases and the provider’s ledgers', async () => {
    await expectSound(system);
  });
});

/** By the list of sagas, its filters, and the metrics: an order that is under way at charge-payment. */
async function expectFound(id: string): Promise<void> {
  const found = async (query: string) => {
    const list = await system.send('GET', `/v1/sagas?limit=100&${query}`);
    expect(list.status, list.text).toBe(200);
    return list.body.sagas.some((saga: { id: string }) => saga.id === id);
  };
  await system.until('it waits for payment', async () => (await found('step=charge-payment')) || undefined);
  expect(await found('status=processing&step=charge-payment&minAge=0')).toBe(true);
  expect(await found('step=charge-payment&minAge=3600')).toBe(false);
  expect(await found('step=create-shipment')).toBe(false);
  expect(await found('status=parked')).toBe(false);
  expect((await system.send('GET', '/v1/sagas?step=no-such-step')).body).toMatchObject({ code: 'invalid-request' });
  // Counted every few seconds at most.
  const metrics = await system.until('it is counted', async () => {
    const { ops } = system.cluster.run.services.find(({ name }) => name === 'orchestrator') ?? {};
    const text = await (await fetch(`${ops}/metrics`)).text();
    return /^holdfast_sagas_unended\{state="running",.*\} [1-9]/m.test(text) ? text : undefined;
  });
  expect(metrics).toMatch(/^holdfast_saga_oldest_unended_seconds\{state="running",.*\} (?!0$)\d/m);
}
