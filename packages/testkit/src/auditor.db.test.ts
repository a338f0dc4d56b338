import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { judgeStrangers, readBook, type Stranger } from './audit-book.ts';
import { auditInventory } from './audit-inventory.ts';
import { type AuditReport, type Tally, tally } from './audit-report.ts';
import {
  CUSTOMER,
  openTestBooks,
  type PlantedOrder,
  plantBooking,
  plantCatalogue,
  plantEntry,
  plantIntent,
  plantOrder,
  TENANT,
  type TestBooks,
} from './test-books.ts';

const ORDERS: PlantedOrder[] = [
  { id: 'by-balance', state: 'completed', total: 500, pays: 'balance', ships: 'us' },
  { id: 'by-card', state: 'completed', total: 700, pays: 'card', ships: 'carrier' },
  { id: 'declined', state: 'failed', total: 900, pays: 'card', ships: 'carrier' },
  { id: 'given-back', state: 'cancelled', total: 300, pays: 'balance', ships: 'us' },
  { id: 'refunded', state: 'cancelled', total: 200, pays: 'card', ships: 'carrier' },
];

let books: TestBooks;

beforeAll(async () => {
  books = await openTestBooks();
});
afterAll(() => books.stop());
beforeEach(async () => {
  await books.empty();
  await plantCatalogue(books);
  for (const order of ORDERS) await plantOrder(books, order);
});

/** The checks that are red, with what each is about. */
function red(report: AuditReport): Record<string, string[]> {
  const found = report.checks.filter((check) => check.violations > 0);
  return Object.fromEntries(found.map(({ name, examples }) => [name, examples.map(({ subject }) => subject)]));
}

async function redAfter(...statements: [keyof TestBooks['pools'], string][]): Promise<Record<string, string[]>> {
  for (const [database, text] of statements) {
    const { rowCount } = await books.pools[database].query(text);
    // A statement that meets no row plants nothing, and its test would be about nothing.
    expect(rowCount, text).toBeGreaterThan(0);
  }
  return red(await books.audit());
}

/** For what a constraint refuses: should it ever be missing, the auditor must see it all the same. */
async function withoutConstraint(
  database: keyof TestBooks['pools'],
  table: string,
  name: string,
  look: () => Promise<void>,
): Promise<void> {
  const pool = books.pools[database];
  const { rows } = await pool.query<{ definition: string }>(
    'select pg_get_constraintdef(oid) as definition from pg_constraint where conname = $1',
    [name],
  );
  await pool.query(`alter table ${table} drop constraint ${name}`);
  try {
    await look();
  } finally {
    await books.empty();
    await pool.query(`alter table ${table} add constraint ${name} ${rows[0]?.definition}`);
  }
}

describe('A1: sound books', () => {
  it('are found right, every check having looked at something', async () => {
    const report = await books.audit();
    expect(red(report)).toEqual({});
    expect(report.violations).toBe(0);
    expect(report.checks.filter((check) => check.looked === 0)).toEqual([]);
    expect(report.orders).toEqual({ completed: 2, failed: 1, cancelled: 2, parked: 0, running: 0 });
    expect(report.money).toEqual([{ currency: 'EUR', completed: 1_200, accounts: 500, provider: 700 }]);
  });

  it('are found right without the ledgers of the outside world, from what the services say', async () => {
    const report = await books.audit({ withoutLedgers: true });
    expect(report.violations).toBe(0);
    expect(report.money).toEqual([{ currency: 'EUR', completed: 1_200, accounts: 500, provider: 700 }]);
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
    expect(report.violations).toBe(2_500);
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
    const [orders, reservations, totals, stock] = ['orders', 'reservations', 'totals', 'stock'].map((name) =>
      tally(name, '', () => {}),
    ) as [Tally, Tally, Tally, Tally];
    const strangers: Stranger[] = [];
    const { orchestrator, inventory } = books.pools;
    const book = await readBook(orchestrator, orders, counts, { allowRunning: true });
    await plantOrder(books, { id: 'late', state: 'completed', total: 100, pays: 'card', ships: 'us' });
    await auditInventory(inventory, book, { reservations, totals, stock }, strangers);
    expect(strangers.map(({ orderId }) => orderId)).toEqual(['late']);
    await judgeStrangers(orchestrator, strangers);
    expect(reservations.result().violations).toBe(0);
    await orchestrator.query(`delete from orders where id = 'late'`);
    await judgeStrangers(orchestrator, strangers);
    expect(reservations.result().examples.map(({ subject }) => subject)).toEqual(['late']);
  });

  it('one without a saga', async () => {
    const found = await redAfter(['orchestrator', `delete from sagas where id = 'declined'`]);
    expect(found).toEqual({ orders: ['declined'] });
  });

  it('a saga without an order', async () => {
    const found = await redAfter(['orchestrator', `delete from orders where id = 'declined'`]);
    expect(found).toEqual({ orders: ['declined'] });
  });

  it('one whose saga is another tenant’s', async () => {
    const text = `update sagas set input = jsonb_set(input, '{tenantId}', '"other"') where id = 'declined'`;
    expect(await redAfter(['orchestrator', text])).toEqual({ orders: ['declined'] });
  });
});

describe('A1: the auditor finds, in the warehouse,', () => {
  it('a reservation that an order which was turned back still holds', async () => {
    const found = await redAfter(
      ['inventory', `update reservations set state = 'held' where order_id = 'declined'`],
      ['inventory', 'update stock set reserved = reserved + 2'],
    );
    expect(found).toEqual({ reservations: ['declined'] });
  });

  it('a completed order that holds nothing', async () => {
    const found = await redAfter(
      ['inventory', `update reservations set state = 'released' where order_id = 'by-card'`],
      ['inventory', 'update stock set reserved = reserved - 2'],
    );
    expect(found).toEqual({ reservations: ['by-card'] });
  });

  it('a reservation of nobody’s order', async () => {
    const found = await redAfter(
      ['orchestrator', `delete from orders where id = 'by-balance'`],
      ['orchestrator', `delete from sagas where id = 'by-balance'`],
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
    expect(await redAfter(['inventory', text])).toEqual({ reservations: ['by-card'] });
  });

  it('stock that is held and not counted as reserved', async () => {
    expect(await redAfter(['inventory', 'update stock set reserved = reserved - 1'])).toEqual({ stock: ['shop:tea'] });
  });

  it('stock that came from nowhere', async () => {
    expect(await redAfter(['inventory', 'update stock set on_hand = on_hand + 1'])).toEqual({ stock: ['shop:tea'] });
  });

  it('an entry that was lost', async () => {
    expect(await redAfter(['inventory', 'delete from stock_entries'])).toEqual({ stock: ['shop:tea'] });
  });

  it('a fulfilment that no order has had', async () => {
    const entry = `insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
                   values ('shop', 'tea', 'out', 'fulfil', -2)`;
    const found = await redAfter(['inventory', entry], ['inventory', 'update stock set on_hand = on_hand - 2']);
    expect(found).toEqual({ stock: ['shop:tea'] });
  });

  it('no fault in an order that is fulfilled, with its entry', async () => {
    const entry = `insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
                   values ('shop', 'tea', 'by-card', 'fulfil', -2)`;
    const found = await redAfter(
      ['inventory', `update reservations set state = 'fulfilled' where order_id = 'by-card'`],
      ['inventory', entry],
      ['inventory', 'update stock set on_hand = on_hand - 2, reserved = reserved - 2'],
    );
    expect(found).toEqual({});
  });

  it('an entry, and a hold, of what the catalogue does not list', async () => {
    expect(await redAfter(['inventory', 'delete from stock'])).toEqual({ stock: ['shop:tea', 'shop:tea'] });
  });

  it('an oversold item', async () => {
    await withoutConstraint('inventory', 'stock', 'stock_not_oversold', async () => {
      const found = await redAfter(
        ['inventory', 'update stock set on_hand = 3'],
        ['inventory', 'update stock_entries set delta = 3'],
      );
      expect(found).toEqual({ stock: ['shop:tea'] });
    });
  });
});

describe('A1: the auditor finds, in the totals,', () => {
  it('a reservation whose lines do not add up', async () => {
    const text = `update reservations set lines = '[{"sku":"tea","quantity":2,"unitPrice":1}]' where order_id = 'declined'`;
    expect(await redAfter(['inventory', text])).toEqual({ totals: ['declined'] });
  });

  it('a total that the customer was told and the reservation has not', async () => {
    const text = `update sagas set outputs = jsonb_set(outputs, '{reserve-inventory,total}', '499') where id = 'by-balance'`;
    expect(await redAfter(['orchestrator', text])).toMatchObject({ totals: ['by-balance'], charges: ['by-balance'] });
  });

  it('other items than were ordered, at the same total', async () => {
    const text = `update reservations set lines = '[{"sku":"tea","quantity":1,"unitPrice":500}]' where order_id = 'by-balance'`;
    const found = await redAfter(['inventory', text], ['inventory', 'update stock set reserved = reserved - 1']);
    expect(found).toEqual({ totals: ['by-balance'] });
  });
});

describe('A1: the auditor finds, among the charges,', () => {
  it('money kept from an order that was turned back', async () => {
    const found = await redAfter(
      ['payment', `update charges set state = 'captured', refunded_amount = 0 where order_id = 'given-back'`],
      ['payment', `delete from account_entries where kind = 'refund'`],
      ['payment', 'update accounts set balance = balance - 300'],
    );
    expect(found).toEqual({ charges: ['given-back'], money: ['EUR'] });
  });

  it.each(['created', 'undoing'])(
    'one that is left %s, so that nobody knows whether money was taken',
    async (state) => {
      const text = `update charges set state = '${state}', refusal_reason = null where order_id = 'declined'`;
      expect(await redAfter(['payment', text])).toEqual({ charges: ['declined'] });
    },
  );

  it('a completed order that nobody paid for', async () => {
    const found = await redAfter(
      ['payment', `delete from charges where order_id = 'by-balance'`],
      ['payment', `delete from account_entries where entry_key like 'by-balance:%'`],
      ['payment', 'update accounts set balance = balance + 500'],
    );
    expect(found).toEqual({ charges: ['by-balance'], money: ['EUR'] });
  });

  it('another amount than the order’s total', async () => {
    const found = await redAfter(
      ['payment', `update charges set amount = 400 where order_id = 'by-balance'`],
      ['payment', `update account_entries set delta = -400 where entry_key like 'by-balance:%'`],
      ['payment', 'update accounts set balance = balance + 100'],
    );
    expect(found).toEqual({ charges: ['by-balance'], money: ['EUR'] });
  });

  it('another currency than the order’s', async () => {
    const text = `update charges set currency = 'USD' where order_id = 'by-card'`;
    expect(await redAfter(['payment', text])).toEqual({ charges: ['by-card'] });
  });

  it('another payment than the customer was told', async () => {
    const text = `update charges set payment_id = 'pay_other' where order_id = 'by-balance'`;
    expect(await redAfter(['payment', text])).toEqual({ charges: ['by-balance'] });
  });
});

describe('A1: the auditor finds, in the accounts,', () => {
  it('a balance that its entries do not add up to', async () => {
    expect(await redAfter(['payment', 'update accounts set balance = balance + 1'])).toEqual({
      accounts: ['shop:ada'],
    });
  });

  it('a second debit for one order', async () => {
    await books.pools.payment.query(
      `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta)
       values ('shop', 'bob', 'by-balance:charge-payment', 'debit', -500)`,
    );
    await books.pools.payment.query(
      `insert into accounts (tenant_id, customer_id, balance, currency) values ('shop', 'bob', 500, 'EUR')`,
    );
    await books.pools.payment.query(
      `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta)
       values ('shop', 'bob', 'first', 'set', 1000)`,
    );
    expect(red(await books.audit())).toEqual({ 'account entries': ['by-balance'], money: ['EUR'] });
  });

  it('a refund that no charge has had', async () => {
    await plantEntry(books, 'by-balance', 'refund', 500);
    expect(red(await books.audit())).toEqual({ 'account entries': ['by-balance'], money: ['EUR'] });
  });

  it('a debit without a charge', async () => {
    const found = await redAfter(['payment', `delete from charges where order_id = 'given-back'`]);
    expect(found).toEqual({ 'account entries': ['given-back'] });
  });

  it('a debit that belongs to no step of an order', async () => {
    const text = `update account_entries set entry_key = 'whatever' where entry_key = 'by-balance:charge-payment'`;
    expect(await redAfter(['payment', text])).toMatchObject({
      'account entries': [`${TENANT}:${CUSTOMER}`, 'by-balance'],
    });
  });

  it('an entry without an account', async () => {
    const found = await redAfter(['payment', 'delete from accounts']);
    expect(found['account entries']).toContain('shop:ada');
  });

  it('an overdrawn account', async () => {
    await withoutConstraint('payment', 'accounts', 'accounts_balance_in_range', async () => {
      const found = await redAfter(
        ['payment', 'update accounts set balance = -500'],
        ['payment', `update account_entries set delta = 0 where entry_key = 'first'`],
      );
      expect(found).toEqual({ accounts: ['shop:ada'] });
    });
  });
});

describe('A1: the auditor finds, at the card provider,', () => {
  it('a payment that nobody has asked for', async () => {
    await plantIntent(books, { intentId: 'pi_orphan', orderId: 'no-such-order', amount: 50, refunded: 0 });
    expect(red(await books.audit())).toEqual({ 'card provider': ['no-such-order'], money: ['EUR'] });
  });

  it('a payment for no order', async () => {
    await plantIntent(books, { intentId: 'pi_orphan', orderId: null, amount: 50, refunded: 0 });
    expect(red(await books.audit())).toEqual({ 'card provider': ['pi_orphan'], money: ['EUR'] });
  });

  it('no fault in what was given back in full', async () => {
    await plantIntent(books, { intentId: 'pi_orphan', orderId: 'no-such-order', amount: 50, refunded: 50 });
    expect(red(await books.audit())).toEqual({});
  });

  it('a second payment for one order', async () => {
    await plantIntent(books, { intentId: 'pi_second', orderId: 'by-card', amount: 700, refunded: 0 });
    const found = red(await books.audit());
    expect(Object.keys(found)).toEqual(['card provider', 'money']);
    expect(new Set(found['card provider'])).toEqual(new Set(['by-card']));
  });

  it('a payment for an order that was turned back', async () => {
    await plantIntent(books, { intentId: 'pi_late', orderId: 'declined', amount: 900, refunded: 0 });
    expect(red(await books.audit())).toEqual({ 'card provider': ['declined'], money: ['EUR'] });
  });

  it('a card charge that the provider has given back in part', async () => {
    const text = `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
                  values ('pi_by-card', 're_part', 'refunded', 100, 'eur', 'by-card', 'shop')`;
    expect(await redAfter(['sandbox', text])).toEqual({ 'card provider': ['by-card'], money: ['EUR'] });
  });

  it('a card charged for an order that is paid from an account', async () => {
    await plantIntent(books, { intentId: 'pi_too', orderId: 'by-balance', amount: 500, refunded: 0 });
    const found = red(await books.audit());
    expect(Object.keys(found)).toEqual(['card provider', 'money']);
    expect(new Set(found['card provider'])).toEqual(new Set(['by-balance']));
  });
});

describe('A1: the auditor finds, among the parcels,', () => {
  it.each(['booked', 'requested'])('a shipment that is %s for an order that was turned back', async (state) => {
    const text = `update shipments set state = '${state}', cancelled_at = null where order_id = 'refunded'`;
    expect(await redAfter(['shipping', text])).toEqual({ shipments: ['refunded'] });
  });

  it('a completed order that nobody ships', async () => {
    const found = await redAfter(['shipping', `delete from shipments where order_id = 'by-balance'`]);
    expect(found).toEqual({ shipments: ['by-balance'] });
  });

  it('a shipment that the carrier does not know', async () => {
    const found = await redAfter(['sandbox', `delete from shipments where reference = 'shop:by-card'`]);
    expect(found).toEqual({ carrier: ['by-card'] });
  });

  it('a booking at the carrier for an order that was turned back', async () => {
    await plantBooking(books, 'shop:declined', 'shp_late');
    expect(red(await books.audit())).toEqual({ carrier: ['declined'] });
  });

  it('a booking at the carrier that nobody has asked for', async () => {
    await plantBooking(books, 'shop:no-such-order', 'shp_orphan');
    await plantBooking(books, 'whatever', 'shp_whatever');
    expect(red(await books.audit())).toEqual({ carrier: ['whatever', 'no-such-order'] });
  });

  it('an order that ships twice, with us and with the carrier', async () => {
    await plantBooking(books, 'shop:by-balance', 'shp_by-balance');
    expect(red(await books.audit())).toEqual({ carrier: ['by-balance'] });
  });

  it('another shipment than the customer was told', async () => {
    const found = await redAfter([
      'sandbox',
      `update shipments set shipment_id = 'shp_x' where reference = 'shop:by-card'`,
    ]);
    expect(found).toEqual({ carrier: ['by-card'] });
  });
});
