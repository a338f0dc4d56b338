import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinSystem, newKey, orderFor, type System } from './system.ts';

let system: System;
let orders: pg.Client;
beforeAll(async () => {
  system = await joinSystem();
  orders = new pg.Client({ connectionString: system.cluster.databaseUrl('orchestrator') });
  await orders.connect();
});
afterAll(async () => {
  await orders?.end();
  await system?.stop();
});

const rows = async () => (await orders.query('select count(*)::int as count from orders')).rows[0].count as number;
const item = (quantity: unknown, sku = 'apple') => ({ items: [{ sku, quantity }] });
const shipTo = { name: 'Ann', line1: 'Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' };

describe('a bad order is refused with 400, names the place, and writes no row:', () => {
  it.each([
    ['an unknown member', { colour: 'red' }, '/colour'],
    ['an unknown member within', { payment: { method: 'balance', iban: 'x' } }, '/payment/iban'],
    ['a missing member', { customerId: undefined }, '/customerId'],
    ['a missing member within', { shipTo: { ...shipTo, city: undefined } }, '/shipTo/city'],
    ['a malformed member', { customerId: ' ann' }, '/customerId'],
    ['a member of another type', { items: 'apple' }, '/items'],
    ['quantity 0', item(0), '/items/0/quantity'],
    ['a negative quantity', item(-1), '/items/0/quantity'],
    ['a fractional quantity', item(1.5), '/items/0/quantity'],
    ['a quantity over 10,000', item(10_001), '/items/0/quantity'],
    ['no lines', { items: [] }, '/items'],
    ['101 lines', { items: Array.from({ length: 101 }, (_, at) => ({ sku: `s${at}`, quantity: 1 })) }, '/items'],
    ['the same SKU twice', { items: [...item(1).items, ...item(2, 'pear').items, ...item(3).items] }, '/items/2/sku'],
    ['an unknown currency', { currency: 'XYZ' }, '/currency'],
    ['an unknown payment method', { payment: { method: 'cheque' } }, '/payment/method'],
    ['a line of no known kind', { lines: [{ kind: 'gift', name: 'x', amount: 1 }] }, '/lines/0/kind'],
    ['shipping below 0', { lines: [{ kind: 'shipping', name: 'x', amount: -1 }] }, '/lines/0/amount'],
    ['a discount that adds', { lines: [{ kind: 'discount', name: 'x', amount: 1 }] }, '/lines/0/amount'],
    ['51 lines', { lines: Array.from({ length: 51 }, () => ({ kind: 'fee', name: 'x', amount: 1 })) }, '/lines'],
    ['a negative price', { items: [{ sku: 'apple', quantity: 1, unitPrice: -1 }] }, '/items/0/unitPrice'],
    ['metadata that is no text', { metadata: { basket: 7 } }, '/metadata/basket'],
    ['metadata with a NUL', { metadata: { basket: '\u0000' } }, '/metadata/basket'],
    ['a long value of metadata', { metadata: { basket: 'x'.repeat(501) } }, '/metadata/basket'],
    [
      '51 of metadata',
      { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, 'x'])) },
      '/metadata',
    ],
    ['a long name of metadata', { metadata: { ['k'.repeat(41)]: 'x' } }, '/metadata'],
    ['an empty reference', { reference: '' }, '/reference'],
    ['a NUL in a text', { shipTo: { ...shipTo, name: 'A\u0000' } }, '/shipTo/name'],
    ['half a surrogate pair in a text', { shipTo: { ...shipTo, city: '\ud800' } }, '/shipTo/city'],
    [
      'a NUL in a URL',
      { payment: { method: 'pm_card_visa', returnUrl: 'https://a.example/\u0000' } },
      '/payment/returnUrl',
    ],
    [
      'half a surrogate pair in a URL',
      { payment: { method: 'pm_card_visa', returnUrl: 'https://a.example/\ud800' } },
      '/payment/returnUrl',
    ],
    ['a malformed country', { shipTo: { ...shipTo, country: 'Germany' } }, '/shipTo/country'],
  ])('%s', async (_, change, pointer) => {
    const before = await rows();
    const reply = await system.place(change);
    expect(reply.status, reply.text).toBe(400);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(reply.body).toMatchObject({ code: 'invalid-request', status: 400, retryable: false });
    expect(reply.body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
    expect(await rows()).toBe(before);
  });

  it.each([
    ['H20: a member twice', '{"customerId":"a","customerId":"b"}', 'invalid-request', '/customerId'],
    [
      'H20: an integer over 2^53 - 1',
      '{"items":[{"sku":"a","quantity":9007199254740993}]}',
      'invalid-request',
      '/items/0/quantity',
    ],
    ['JSON cut off', '{"customerId":', 'malformed-json', undefined],
    ['nothing', '', 'invalid-request', ''],
  ])('%s', async (_, body, code, pointer) => {
    const reply = await system.send('POST', '/v1/orders', body, { key: newKey() });
    expect(reply).toMatchObject({ status: 400, body: { code } });
    if (pointer !== undefined) expect(reply.body.errors[0].pointer).toBe(pointer);
  });

  it('H20: bytes that are no UTF-8', async () => {
    const response = await fetch(`${system.cluster.run.http}/v1/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${system.cluster.run.apiKey}`,
        'content-type': 'application/json',
        'idempotency-key': newKey(),
      },
      body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
    });
    expect(await response.json()).toMatchObject({ status: 400, code: 'malformed-json' });
  });
});

describe('a bad request', () => {
  it('of more than 64 KiB is refused with 400 (H20), of another type with 415, without a key of ours with 401', async () => {
    const large = JSON.stringify({ ...orderFor(), customerId: 'x'.repeat(70_000) });
    const before = await rows();
    expect((await system.send('POST', '/v1/orders', large, { key: newKey() })).body.code).toBe('body-too-large');
    const xml = { key: newKey(), headers: { 'content-type': 'application/xml' } };
    expect((await system.send('POST', '/v1/orders', '<order/>', xml)).body.code).toBe('unsupported-media-type');
    expect((await system.place({}, { apiKey: 'nobody-has-this-key' })).body.code).toBe('unauthorized');
    expect(await rows()).toBe(before);
  });

  it.each([
    ['H1', undefined, 'idempotency-key-missing'],
    ['H2', 'too-short', 'idempotency-key-invalid'],
    ['H2', 'x'.repeat(129), 'idempotency-key-invalid'],
    ['H2', 'has a space in the middle', 'idempotency-key-invalid'],
    ['H2', '"unbalanced-quotes-here', 'idempotency-key-invalid'],
    ['H2', 'two-keys-0123456, two-keys-0123457', 'idempotency-key-invalid'],
  ])('%s: with the key %s is refused with %s', async (_, key, code) => {
    const before = await rows();
    const reply = await system.send('POST', '/v1/orders', orderFor(), key === undefined ? {} : { key });
    expect(reply.body).toMatchObject({ status: 400, code });
    expect(await rows()).toBe(before);
  });

  it.each([
    '/v1/orders?limit=0',
    '/v1/orders?limit=101',
    '/v1/orders?status=lost',
    '/v1/orders?cursor=nonsense',
    '/v1/orders?colour=red',
  ])('%s is refused with 400', async (path) => {
    expect((await system.send('GET', path)).body).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it.each([
    ['/v1/orders/%00', 400],
    ['/v1/orders/%00/events', 400],
    ['/v1/orders/%00/refunds', 400],
    ['/v1/orders/o/refunds/%00', 400],
    ['/v1/sagas/%00', 400],
  ])('%s is refused, not a fault of ours', async (path, status) => {
    expect((await system.send('GET', path)).body).toMatchObject({ status, code: 'invalid-request' });
  });

  it.each([
    ['a NUL in its id', '2026-01-01T00:00:00.000Z a\u0000'],
    ['a day that no month has', '2026-02-30T00:00:00.000Z a'],
    ['a colon too many', '2026-01-01T00:00:00:00.000Z a'],
  ])('with a cursor of %s is refused with 400', async (_, cursor) => {
    for (const path of ['/v1/orders', '/v1/sagas', '/v1/orders/o/refunds']) {
      const encoded = Buffer.from(cursor).toString('base64url');
      expect((await system.send('GET', `${path}?cursor=${encoded}`)).body).toMatchObject({ status: 400 });
    }
  });

  it('on an unknown path is answered with a problem, too', async () => {
    expect((await system.send('GET', '/v2/orders')).body).toMatchObject({ status: 404, code: 'not-found' });
  });
});
