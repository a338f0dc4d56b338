import { type Tally, tally } from '@holdfast/testing/audit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  dispatchKeyOf,
  plantCatalogue,
  plantDispute,
  plantIntent,
  plantOrder,
  SOUND_ORDERS,
} from '../test/plant-order.ts';
import { openTestBooks, red, redAfter, type TestBooks, withoutConstraint } from '../test/test-books.ts';
import { judgeStrangers, readBook, type Stranger } from './audit-book.ts';
import { auditInventory } from './audit-inventory.ts';
import { readProver } from './decisions/adjustments.ts';

let books: TestBooks;

const dispatched = (id: string): ['shipping', string][] => [
  [
    'shipping',
    `update shipments set state = 'dispatched', dispatched_at = clock_timestamp(), dispatch_key = '${dispatchKeyOf(id)}'
                where order_id = '${id}'`,
  ],
];
const fulfilled = (id: string): ['inventory', string][] => [
  ['inventory', `update reservations set state = 'fulfilled' where order_id = '${id}'`],
  [
    'inventory',
    `insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
                 values ('shop', 'tea', 'fulfil/${id}', 'fulfil', -2)`,
  ],
  ['inventory', 'update stock set on_hand = on_hand - 2, reserved = reserved - 2'],
];

beforeAll(async () => {
  books = await openTestBooks();
});
afterAll(() => books.stop());
beforeEach(async () => {
  await books.empty();
  await plantCatalogue(books);
  for (const order of SOUND_ORDERS) await plantOrder(books, order);
});

describe('A1: sound books', () => {
  it('are found right, every check having looked at something', async () => {
    await plantDispute(books, { id: 'du_1', orderId: 'by-card', amount: 700 });
    const report = await books.audit();
    expect(red(report)).toEqual({});
    expect(report.violations).toBe(0);
    expect(report.checks.filter((check) => check.looked === 0)).toEqual([]);
    expect(report.orders).toEqual({ completed: 2, failed: 1, cancelled: 2, parked: 0, running: 0 });
    expect(report.money).toEqual([{ currency: 'EUR', completed: 1_200, refunded: 0, accounts: 500, provider: 700 }]);
  });

  it('are found right without the ledgers of the outside world, from what the services say', async () => {
    const report = await books.audit({ withoutLedgers: true });
    expect(report.violations).toBe(0);
    expect(report.money).toEqual([{ currency: 'EUR', completed: 1_200, refunded: 0, accounts: 500, provider: 700 }]);
    expect(report.checks.map(({ name }) => name)).not.toContain('card provider');
  });

  it('are read to the last page', async () => {
    await books.pools.inventory.query(
      `insert into stock (tenant_id, sku, on_hand, unit_price, currency)
       select 'shop', 'sku-' || n, 1, 1, 'EUR' from generate_series(1, 2500) n`,
    );
    const report = await books.audit();
    const stock = report.checks.find(({ name }) => name === 'stock');
    expect(stock).toMatchObject({ looked: 2_501, violations: 2_500 });
    expect(stock?.examples).toHaveLength(20);
    // Nor has anybody set their prices.
    expect(report.violations).toBe(5_000);
  });

  it('tell how far the audit has got', async () => {
    const told = new Map<string, number>();
    const report = await books.audit({ onProgress: (check, looked) => told.set(check, looked) });
    for (const { name, looked } of report.checks) expect(told.get(name), name).toBe(looked);
  });
});

describe('A1: the auditor finds, among the orders,', () => {
  it('one that has not ended', async () => {
    await plantOrder(books, { id: 'open', state: 'running', total: 100, pays: 'card', ships: 'us' });
    const report = await books.audit();
    expect(red(report)).toEqual({ orders: ['open'] });
    expect(report.orders.running).toBe(1);
  });

  it('none that has not ended, where it may', async () => {
    await plantOrder(books, { id: 'open', state: 'running', total: 100, pays: 'card', ships: 'us' });
    await plantIntent(books, { intentId: 'pi_open', orderId: 'open', amount: 100, refunded: 0 });
    expect(red(await books.audit({ allowRunning: true }))).toEqual({});
  });

  it('a parked one, which it counts and does not judge', async () => {
    await plantOrder(books, { id: 'stuck', state: 'parked', total: 100, pays: 'balance', ships: 'us' });
    const report = await books.audit();
    expect(red(report)).toEqual({});
    expect(report.orders.parked).toBe(1);
  });

  it('no fault in one that was accepted while the audit was under way', async () => {
    const counts = { completed: 0, failed: 0, cancelled: 0, parked: 0, running: 0 };
    const [orders, reservations, totals, stock, sets, adjustments] = [
      ...['orders', 'reservations', 'totals', 'stock', 'sets', 'adjustments'],
    ].map((name) => tally(name, '', () => {})) as [Tally, Tally, Tally, Tally, Tally, Tally];
    const strangers: Stranger[] = [];
    const { orchestrator, inventory } = books.pools;
    const book = await readBook(orchestrator, orders, counts, { allowRunning: true });
    await plantOrder(books, { id: 'late', state: 'completed', total: 100, pays: 'card', ships: 'us' });
    const checks = { reservations, totals, stock, sets, adjustments };
    const prover = await readProver(orchestrator);
    await auditInventory(inventory, book, checks, { strangers, doubts: [], prover });
    expect(strangers.map(({ orderId }) => orderId)).toEqual(['late']);
    await judgeStrangers(orchestrator, strangers);
    expect(reservations.result().violations).toBe(0);
    await orchestrator.query(`delete from orders where id = 'late'`);
    await judgeStrangers(orchestrator, strangers);
    expect(reservations.result().examples.map(({ subject }) => subject)).toEqual(['late']);
  });

  it('one without a saga', async () => {
    const found = await redAfter(books, ['orchestrator', `delete from holdfast.sagas where id = 'declined'`]);
    expect(found).toEqual({ orders: ['declined'] });
  });

  it('a saga without an order', async () => {
    const found = await redAfter(books, ['orchestrator', `delete from orders where id = 'declined'`]);
    expect(found).toEqual({ orders: ['declined'] });
  });

  it('one whose saga is another tenant’s', async () => {
    const text = `update holdfast.sagas set input = jsonb_set(input, '{tenantId}', '"other"') where id = 'declined'`;
    expect(await redAfter(books, ['orchestrator', text])).toEqual({ orders: ['declined'] });
  });
});

describe('A1: the auditor finds, in the warehouse,', () => {
  it('a reservation that an order which was turned back still holds', async () => {
    const found = await redAfter(
      books,
      ['inventory', `update reservations set state = 'held' where order_id = 'declined'`],
      ['inventory', 'update stock set reserved = reserved + 2'],
    );
    expect(found).toEqual({ reservations: ['declined'] });
  });

  it('a completed order that holds nothing', async () => {
    const found = await redAfter(
      books,
      ['inventory', `update reservations set state = 'released' where order_id = 'by-card'`],
      ['inventory', 'update stock set reserved = reserved - 2'],
    );
    expect(found).toEqual({ reservations: ['by-card'] });
  });

  it('a reservation of nobody’s order', async () => {
    const found = await redAfter(
      books,
      ['orchestrator', `delete from orders where id = 'by-balance'`],
      ['orchestrator', `delete from holdfast.sagas where id = 'by-balance'`],
    );
    expect(found).toMatchObject({
      reservations: ['by-balance'],
      charges: ['by-balance'],
      'account entries': ['by-balance'],
      shipments: ['by-balance'],
      money: ['EUR'],
    });
  });

  it('another reservation than the customer was told', async () => {
    const text = `update reservations set reservation_id = 'rsv_other' where order_id = 'by-card'`;
    expect(await redAfter(books, ['inventory', text])).toEqual({ reservations: ['by-card'] });
  });

  it('stock that is held and not counted as reserved', async () => {
    expect(await redAfter(books, ['inventory', 'update stock set reserved = reserved - 1'])).toEqual({
      stock: ['shop:tea'],
    });
  });

  it('stock that came from nowhere', async () => {
    expect(await redAfter(books, ['inventory', 'update stock set on_hand = on_hand + 1'])).toEqual({
      stock: ['shop:tea'],
    });
  });

  it('an entry that was lost', async () => {
    expect(await redAfter(books, ['inventory', 'delete from stock_entries'])).toEqual({
      stock: ['shop:tea'],
      adjustments: ['shop:tea'],
    });
  });

  it('a fulfilment that no order has had', async () => {
    const entry = `insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
                   values ('shop', 'tea', 'out', 'fulfil', -2)`;
    const found = await redAfter(books, ['inventory', entry], ['inventory', 'update stock set on_hand = on_hand - 2']);
    expect(found).toEqual({ stock: ['shop:tea'] });
  });

  it('no fault in an order that is dispatched and fulfilled, with its entry', async () => {
    expect(await redAfter(books, ...dispatched('by-card'), ...fulfilled('by-card'))).toEqual({});
    expect((await books.audit()).dispatched).toEqual({ fulfilled: 1, unfulfilled: 0 });
  });

  it('stock that was fulfilled and never dispatched', async () => {
    expect(await redAfter(books, ...fulfilled('by-card'))).toEqual({ dispatches: ['by-card'] });
  });

  it('no fault in a dispatch of which inventory has not heard yet, unless it should have', async () => {
    expect(await redAfter(books, ...dispatched('by-card'))).toEqual({});
    expect((await books.audit()).dispatched).toEqual({ fulfilled: 0, unfulfilled: 1 });
    expect(red(await books.audit({ allowUnfulfilled: false }))).toEqual({ dispatches: ['by-card'] });
  });

  it('a dispatched shipment of an order that was turned back', async () => {
    const text = `update shipments set state = 'dispatched', dispatched_at = clock_timestamp(), cancelled_at = null,
                          dispatch_key = '${dispatchKeyOf('given-back')}'
                   where order_id = 'given-back'`;
    expect(await redAfter(books, ['shipping', text])).toEqual({ shipments: ['given-back'] });
  });

  it('an entry, and a hold, of what the catalogue does not list', async () => {
    expect(await redAfter(books, ['inventory', 'delete from stock'])).toEqual({ stock: ['shop:tea', 'shop:tea'] });
  });

  it('an oversold item', async () => {
    await withoutConstraint(books, { database: 'inventory', table: 'stock', name: 'stock_not_oversold' }, async () => {
      const found = await redAfter(
        books,
        ['inventory', 'update stock set on_hand = 3'],
        ['inventory', 'update stock_entries set delta = 3'],
      );
      expect(found).toEqual({ stock: ['shop:tea'], adjustments: ['shop:tea'] });
    });
  });
});

describe('A1: the auditor finds, in the totals,', () => {
  it('a reservation whose lines do not add up', async () => {
    const text = `update reservations set lines = '[{"sku":"tea","quantity":2,"unitPrice":1}]' where order_id = 'declined'`;
    expect(await redAfter(books, ['inventory', text])).toEqual({ totals: ['declined'] });
  });

  it('a total that the customer was told and the reservation has not', async () => {
    const text = `update holdfast.sagas set outputs = jsonb_set(outputs, '{reserve-inventory,total}', '499') where id = 'by-balance'`;
    expect(await redAfter(books, ['orchestrator', text])).toMatchObject({
      totals: ['by-balance'],
      charges: ['by-balance'],
    });
  });

  it('other items than were ordered, at the same total', async () => {
    const text = `update reservations set lines = '[{"sku":"tea","quantity":1,"unitPrice":500}]' where order_id = 'by-balance'`;
    const found = await redAfter(books, ['inventory', text], ['inventory', 'update stock set reserved = reserved - 1']);
    expect(found).toEqual({ totals: ['by-balance'] });
  });
});
