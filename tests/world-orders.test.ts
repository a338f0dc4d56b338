/** Customers, items, addresses and amounts as shops all over the world have them. */
import { createClient, type HoldfastClient, newKey, type OrderRequest } from '@holdfast/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, orderFor, type System, setUpCatalogue } from './system.ts';

let system: System;
let client: HoldfastClient;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
  const { http: baseUrl, apiKey } = system.cluster.run;
  client = createClient({ baseUrl, apiKey });
});
afterAll(() => system?.stop());

const completed = <T extends { kind: string }>(sent: T) => {
  if (sent.kind !== 'completed') throw new Error(JSON.stringify(sent));
  return (sent as unknown as { body: Record<string, unknown> }).body;
};

const IDS = [
  'ada@example.org',
  'auth0|5f7c8ec7c33c6c004bbafe82',
  'gid://shop/1',
  'AB/12 é',
  '100% cotton?#1',
  'a/adjust',
  '%2F',
  '日本-コート 7',
  '👩‍👩‍👧',
  '...',
  'x'.repeat(128),
  '🧥'.repeat(128),
];

describe('the shop’s own ids', () => {
  it.each(IDS)('A1: %s can be set, read, adjusted and ordered, as an item and as a customer', async (id) => {
    expect(completed(await client.putStock(id, { onHand: 5, unitPrice: 250, currency: 'EUR' }))).toMatchObject({
      sku: id,
    });
    expect(completed(await client.adjustStock(id, 1))).toMatchObject({ sku: id, onHand: 6 });
    completed(await client.putAccount(id, { balance: 999, currency: 'EUR' }));
    const key = newKey();
    expect(completed(await client.adjustAccount(id, 1, { key }))).toMatchObject({ customerId: id, balance: 1_000 });
    const { resource } = completed(await client.getKey(key)) as { resource: string };
    expect((await system.send('GET', resource)).body).toMatchObject({ customerId: id, balance: 1_000 });
    const order = orderFor({ customerId: id, items: [{ sku: id, quantity: 2 }] }) as OrderRequest;
    const placed = completed(await client.placeOrder(order, { waitMs: 20_000 }));
    expect(placed).toMatchObject({ status: 'completed', customerId: id, total: 500, items: [{ sku: id }] });
    expect(completed(await client.getStock(id))).toMatchObject({ onHand: 6, reserved: 2 });
    expect(completed(await client.getAccount(id))).toMatchObject({ balance: 500 });
  });

  it.each([
    ['', 400],
    ['%2e%2e', 404],
    ['%20ada', 400],
    ['ada%20', 400],
    ['%E2%80%8B', 400],
    ['%0A', 400],
    ['x'.repeat(129), 400],
  ])('%s is none', async (id, status) => {
    for (const kind of ['stock', 'accounts']) {
      expect((await system.send('GET', `/v1/${kind}/${id}`)).status, `${kind}/${id}`).toBe(status);
    }
  });

  it('A1: leave the books right', () => expectSound(system));
});

describe('amounts', () => {
  it.each([
    ['IDR', 1_500_000_000, 3, 'of a usual price in Jakarta'],
    ['JPY', 9_800, 2, 'without decimals'],
    ['KWD', 12_345, 2, 'with three decimals'],
    ['EUR', 1_000_000_000_000_000, 1, 'of all that an account can hold'],
  ])('A1: in %s are exact, %s of it', async (currency, unitPrice, quantity) => {
    const [sku, customerId] = [`item in ${currency}`, `customer in ${currency}`];
    completed(await client.putStock(sku, { onHand: 10, unitPrice, currency }));
    completed(await client.putAccount(customerId, { balance: unitPrice * quantity, currency }));
    const items = [{ sku, quantity, unitPrice }];
    const order = orderFor({ customerId, currency, items, expectedTotal: unitPrice * quantity }) as OrderRequest;
    const placed = completed(await client.placeOrder(order, { waitMs: 20_000 }));
    expect(placed).toMatchObject({ status: 'completed', total: unitPrice * quantity });
    expect(completed(await client.getAccount(customerId))).toMatchObject({ balance: 0 });
    await expectSound(system);
  });

  it('whose total is no exact number are refused, and nothing is held', async () => {
    const unitPrice = Number.MAX_SAFE_INTEGER;
    completed(await client.putStock('priceless', { onHand: 10, unitPrice, currency: 'EUR' }));
    const one = await system.place({ items: [{ sku: 'priceless', quantity: 1 }] }, { prefer: 'wait=20' });
    expect(one.body.failure).toMatchObject({ reason: 'INSUFFICIENT_FUNDS' });
    const two = await system.place({ items: [{ sku: 'priceless', quantity: 2 }] }, { prefer: 'wait=20' });
    expect(two.body.failure).toMatchObject({
      reason: 'PRICE_CHANGED',
      message: `priceless costs ${unitPrice}; the total passes 2^53 - 1`,
      prices: { items: [{ sku: 'priceless', unitPrice, shownUnitPrice: null }], total: null, shownTotal: null },
    });
    expect(completed(await client.getStock('priceless'))).toMatchObject({ reserved: 0 });
  });

  it.each(['DEM', 'XAU', 'XXX', 'QQQ'])(
    'in %s, which no order can have, are no item’s and no account’s either',
    async (currency) => {
      const refused = { status: 400, body: { code: 'invalid-request', errors: [{ pointer: '/currency' }] } };
      expect(await system.place({ currency })).toMatchObject(refused);
      for (const [path, body] of [
        ['/v1/stock/strange', { onHand: 1, unitPrice: 1, currency }],
        ['/v1/stock/apple', { currency }],
        ['/v1/accounts/strange', { balance: 1, currency }],
      ] as const) {
        expect(await system.send('PUT', path, body, { key: newKey() })).toMatchObject(refused);
      }
    },
  );
});

const hongKong = { name: '陳大文', line1: '1 Harbour Road', line2: '12/F', city: 'Wan Chai', country: 'HK' };

describe('addresses', () => {
  it.each([
    ['without a postal code where there is none', hongKong],
    ['with all there is', { ...hongKong, company: 'Tea & Co.', region: 'Hong Kong Island', phone: '+852 2345 6789' }],
    ['of Ireland', { name: 'Aoife', line1: 'Main St', city: 'Dublin', postalCode: 'd02 x285', country: 'IE' }],
    [
      'of Japan, without its hyphen',
      { name: '花子', line1: '丸の内1', city: '東京', postalCode: '1000005', country: 'JP' },
    ],
    ['of Canada', { name: 'Zoë', line1: '1 Rue', city: 'Québec', region: 'QC', postalCode: 'G1R 4P5', country: 'CA' }],
  ])('%s are delivered to, by us and by the carrier', async (_what, shipTo) => {
    for (const payment of [{ method: 'balance' }, { method: 'pm_card_visa' }]) {
      const placed = await system.place({ shipTo, payment }, { prefer: 'wait=20' });
      expect(placed.body, placed.text).toMatchObject({ status: 'completed' });
    }
  });

  const german = { name: 'Ann', line1: 'Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' };
  it.each([
    ['a country that is none', { ...german, country: 'XX' }, '/shipTo/country'],
    ['a country that is no more', { ...german, country: 'SU' }, '/shipTo/country'],
    ['no postal code where there are some', { ...german, postalCode: undefined }, '/shipTo/postalCode'],
    ['a postal code of another country', { ...german, postalCode: 'SW1A 1AA' }, '/shipTo/postalCode'],
    ['a name of white space', { ...german, name: '\u2003\u00a0 ' }, '/shipTo/name'],
    ['a name that is drawn as nothing', { ...german, name: '\u200b\u2060\u3164\ufe0f' }, '/shipTo/name'],
    ['a blank of Braille', { ...german, line1: '\u2800\u2800' }, '/shipTo/line1'],
    ['a blank second line', { ...german, line2: ' ' }, '/shipTo/line2'],
    ['a line end', { ...german, city: 'Bonn\u2028Köln' }, '/shipTo/city'],
    ['a phone number that is none', { ...german, phone: 'call me' }, '/shipTo/phone'],
  ])('with %s are refused', async (_what, shipTo, pointer) => {
    const refused = await system.place({ shipTo });
    expect(refused, refused.text).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });
});
