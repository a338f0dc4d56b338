import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CUSTOMER,
  plantBooking,
  plantCatalogue,
  plantEntry,
  plantIntent,
  plantOrder,
  proofOf,
  SOUND_ORDERS,
  TENANT,
} from '../test/plant-order.ts';
import { openTestBooks, red, redAfter, type TestBooks, withoutConstraint } from '../test/test-books.ts';

let books: TestBooks;

beforeAll(async () => {
  books = await openTestBooks();
});
afterAll(() => books.stop());
beforeEach(async () => {
  await books.empty();
  await plantCatalogue(books);
  for (const order of SOUND_ORDERS) await plantOrder(books, order);
});

describe('A1: the auditor finds, among the charges,', () => {
  it('money kept from an order that was turned back', async () => {
    const found = await redAfter(
      books,
      ['payment', `update charges set state = 'captured', refunded_amount = 0 where order_id = 'given-back'`],
      ['payment', `delete from account_entries where kind = 'refund'`],
      ['payment', `delete from refunds where order_id = 'given-back'`],
      ['payment', 'update accounts set balance = balance - 300'],
    );
    expect(found).toEqual({ charges: ['given-back'], money: ['EUR'] });
  });

  it.each(['created', 'undoing'])(
    'one that is left %s, so that nobody knows whether money was taken',
    async (state) => {
      const text = `update charges set state = '${state}', refusal_reason = null where order_id = 'declined'`;
      expect(await redAfter(books, ['payment', text])).toEqual({ charges: ['declined'] });
    },
  );

  it('a completed order that nobody paid for', async () => {
    const found = await redAfter(
      books,
      ['payment', `delete from charges where order_id = 'by-balance'`],
      ['payment', `delete from account_entries where entry_key like 'by-balance:%'`],
      ['payment', 'update accounts set balance = balance + 500'],
    );
    expect(found).toEqual({ charges: ['by-balance'], money: ['EUR'] });
  });

  it('another amount than the order’s total', async () => {
    const found = await redAfter(
      books,
      ['payment', `update charges set amount = 400 where order_id = 'by-balance'`],
      ['payment', `update account_entries set delta = -400 where entry_key like 'by-balance:%'`],
      ['payment', 'update accounts set balance = balance + 100'],
    );
    expect(found).toEqual({ charges: ['by-balance'], money: ['EUR'] });
  });

  it('another currency than the order’s', async () => {
    const text = `update charges set currency = 'USD' where order_id = 'by-card'`;
    expect(await redAfter(books, ['payment', text])).toEqual({ charges: ['by-card'] });
  });

  it('an order by card that was charged to an account', async () => {
    const found = await redAfter(
      books,
      ['payment', `update charges set method_kind = 'balance' where order_id = 'by-card'`],
      [
        'payment',
        `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta)
         values ('shop', 'ada', 'by-card:charge-payment', 'debit', -700)`,
      ],
      ['payment', 'update accounts set balance = balance - 700'],
    );
    expect(found).toEqual({ charges: ['by-card'], money: ['EUR'] });
  });

  it('another payment than the customer was told', async () => {
    const text = `update charges set payment_id = 'pay_other' where order_id = 'by-balance'`;
    expect(await redAfter(books, ['payment', text])).toEqual({ charges: ['by-balance'] });
  });
});

describe('A1: the auditor finds, in the accounts,', () => {
  it('a balance that its entries do not add up to', async () => {
    expect(await redAfter(books, ['payment', 'update accounts set balance = balance + 1'])).toEqual({
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
      `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta, proof)
       values ('shop', 'bob', 'bobs', 'adjust', 1000, $1)`,
      [proofOf('account', 'bobs', { delta: 1_000 })],
    );
    expect(red(await books.audit())).toEqual({ 'account entries': ['by-balance'], money: ['EUR'] });
  });

  it('a refund that no charge has had', async () => {
    await plantEntry(books, 'by-balance', 'refund', 500);
    expect(red(await books.audit())).toEqual({ 'account entries': ['by-balance'], money: ['EUR'] });
  });

  it('a debit without a charge', async () => {
    const found = await redAfter(books, ['payment', `delete from charges where order_id = 'given-back'`]);
    expect(found).toEqual({ 'account entries': ['given-back'] });
  });

  it('a debit that belongs to no step of an order', async () => {
    const text = `update account_entries set entry_key = 'whatever' where entry_key = 'by-balance:charge-payment'`;
    expect(await redAfter(books, ['payment', text])).toMatchObject({
      'account entries': [`${TENANT}:${CUSTOMER}`, 'by-balance'],
    });
  });

  it('entries without an account', async () => {
    const found = await redAfter(books, ['payment', 'delete from accounts']);
    expect(found).toEqual({ 'account entries': Array(4).fill(`${TENANT}:${CUSTOMER}`), money: ['?', 'EUR'] });
  });

  it('an overdrawn account', async () => {
    await withoutConstraint(
      books,
      { database: 'payment', table: 'accounts', name: 'accounts_balance_in_range' },
      async () => {
        const found = await redAfter(
          books,
          ['payment', 'update accounts set balance = -500'],
          ['payment', `update account_entries set delta = 0 where entry_key = 'first'`],
        );
        expect(found).toEqual({ accounts: ['shop:ada'], adjustments: ['shop:ada'] });
      },
    );
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
    const report = await books.audit();
    expect(Object.keys(red(report))).toEqual(['card provider', 'money']);
    const details = report.checks.find(({ name }) => name === 'card provider')?.examples.map(({ detail }) => detail);
    expect(details).toEqual([
      'was told payment pi_by-card, and pi_second took 700',
      'was paid for by 2 payment intents',
      'the card provider took 1400, 700 were expected',
    ]);
  });

  it('a payment for an order that was turned back', async () => {
    await plantIntent(books, { intentId: 'pi_late', orderId: 'declined', amount: 900, refunded: 0 });
    expect(red(await books.audit())).toEqual({ 'card provider': ['declined'], money: ['EUR'] });
  });

  it('a card charge that the provider has given back in part', async () => {
    const text = `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
                  values ('pi_by-card', 're_part', 'refunded', 100, 'eur', 'by-card', 'shop')`;
    expect(await redAfter(books, ['sandbox', text])).toEqual({ 'card provider': ['by-card'], money: ['EUR'] });
  });

  it('a payment that was captured twice', async () => {
    const { sandbox } = books.pools;
    await sandbox.query('drop index ledger_one_capture');
    try {
      const text = `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
                    values ('pi_refunded', 'ch_again', 'captured', 50, 'eur', 'refunded', 'shop'),
                           ('pi_refunded', 're_again', 'refunded', 50, 'eur', 'refunded', 'shop')`;
      expect(await redAfter(books, ['sandbox', text])).toEqual({ 'card provider': ['refunded'] });
    } finally {
      await books.empty();
      await sandbox.query(`create unique index ledger_one_capture on ledger (intent_id) where kind = 'captured'`);
    }
  });

  it('more given back than was taken', async () => {
    const text = `insert into ledger (intent_id, entry_id, kind, amount, currency)
                  select intent_id, 're_again', 'refunded', 50, 'eur' from payment_intents where intent_id = 'pi_orphan'`;
    await plantIntent(books, { intentId: 'pi_orphan', orderId: null, amount: 50, refunded: 50 });
    expect(await redAfter(books, ['sandbox', text])).toEqual({
      'card provider': ['pi_orphan', 'pi_orphan'],
      money: ['EUR'],
    });
  });

  it('a payment in another currency than the order’s', async () => {
    const text = `update payment_intents set currency = 'usd' where intent_id = 'pi_by-card'`;
    expect(await redAfter(books, ['sandbox', text])).toEqual({ 'card provider': ['by-card'], money: ['EUR', 'USD'] });
  });

  it('a payment that the customer was not told of', async () => {
    const told = `update holdfast.sagas set outputs = jsonb_set(outputs, '{charge-payment,paymentId}', '"pi_told"') where id = 'by-card'`;
    const found = await redAfter(
      books,
      ['orchestrator', told],
      ['payment', `update charges set payment_id = 'pi_told' where order_id = 'by-card'`],
    );
    expect(found).toEqual({ 'card provider': ['by-card'] });
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
    expect(await redAfter(books, ['shipping', text])).toEqual({ shipments: ['refunded'] });
  });

  it('a completed order that nobody ships', async () => {
    const found = await redAfter(books, ['shipping', `delete from shipments where order_id = 'by-balance'`]);
    expect(found).toEqual({ shipments: ['by-balance'] });
  });

  it('a shipment that the carrier does not know', async () => {
    const found = await redAfter(books, ['sandbox', `delete from shipments where reference = 'shop:by-card'`]);
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

  it('another shipment of our own than the customer was told', async () => {
    const text = `update shipments set shipment_id = 'shp_x' where order_id = 'by-balance'`;
    expect(await redAfter(books, ['shipping', text])).toEqual({ shipments: ['by-balance'] });
  });

  it('another shipment at the carrier than the customer was told', async () => {
    const found = await redAfter(books, [
      'sandbox',
      `update shipments set shipment_id = 'shp_x' where reference = 'shop:by-card'`,
    ]);
    expect(found).toEqual({ carrier: ['by-card'] });
  });
});

describe('A1: of an order with lines beside its items, the auditor', () => {
  beforeEach(() =>
    plantOrder(books, { id: 'with-fee', state: 'completed', total: 540, beside: 40, pays: 'card', ships: 'us' }),
  );

  it('adds them up', async () => {
    const report = await books.audit();
    expect(red(report)).toEqual({});
    expect(report.money).toEqual([{ currency: 'EUR', completed: 1_740, refunded: 0, accounts: 500, provider: 1_240 }]);
  });

  it('finds one that was charged for its items alone', async () => {
    const found = await redAfter(books, ['payment', `update charges set amount = 500 where order_id = 'with-fee'`]);
    expect(found).toEqual({ charges: ['with-fee'] });
  });

  it.each([
    ['total', `input || '{"expectedTotal": 539}'`],
    ['price', `jsonb_set(input, '{items,0,unitPrice}', '249')`],
  ])('finds one that was sold for another %s than was shown', async (_what, input) => {
    const text = `update holdfast.sagas set input = ${input} where id = 'with-fee'`;
    expect(await redAfter(books, ['orchestrator', text])).toEqual({ totals: ['with-fee'] });
  });
});

describe('K8: the auditor names', () => {
  /** The account as it was, 100,000, set once more after the orders have spent from it, and its books with it. */
  const setAgain = (key: string, ago = '0 s'): ['payment', string][] => [
    [
      'payment',
      `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta, proof, before, after, recorded_at)
       select tenant_id, customer_id, '${key}', 'set', 100000 - balance, '${proofOf('account', key, { balance: 100_000 })}',
              jsonb_build_object('balance', balance, 'version', 5), '{"balance": 100000, "version": 6}',
              clock_timestamp() - interval '${ago}'
         from accounts where customer_id = 'ada'`,
    ],
    ['payment', `update accounts set balance = 100000 where customer_id = 'ada'`],
  ];

  it('a set that was sent again without a key and gave spent money back', async () => {
    expect(await redAfter(books, ...setAgain('blind~1'))).toEqual({ sets: ['shop:ada'] });
  });

  it('no set that has a key of its own, was made a day later, or changed nothing', async () => {
    expect(await redAfter(books, ...setAgain('2d5c:change'))).toEqual({});
    // A second blind one finds what the first has set.
    expect(await redAfter(books, ...setAgain('blind~2'))).toEqual({});
    await books.pools.payment.query(
      `update account_entries set recorded_at = recorded_at - interval '1 day' where entry_key not like 'blind~2%'`,
    );
    await books.pools.payment.query(
      `update account_entries set before = '{"balance": 1, "version": 5}', delta = 99999 where entry_key like 'blind~2%'`,
    );
    await books.pools.payment.query('update accounts set balance = balance + 99999');
    expect(red(await books.audit())).toEqual({});
  });

  it('a price that was set again without a key and undid the one that came in between', async () => {
    const priceSet = (key: string, from: number, to: number, version: number): ['inventory', string] => [
      'inventory',
      `insert into stock_entries (tenant_id, sku, entry_key, kind, delta, proof, before, after)
       values ('shop', 'tea', '${key}', 'set', 0, '${proofOf('stock', key, { unitPrice: to })}', '{"unitPrice": ${from}, "version": ${version}}',
               '{"unitPrice": ${to}, "version": ${version + 1}}')`,
    ];
    const costs = (price: number): ['inventory', string] => ['inventory', `update stock set unit_price = ${price}`];
    const sets = [priceSet('blind~1', 250, 300, 1), priceSet('keyed', 300, 280, 2), costs(280)];
    expect(await redAfter(books, ...sets)).toEqual({});
    expect(await redAfter(books, priceSet('blind~2', 280, 300, 3), costs(300))).toEqual({ sets: ['shop:tea'] });
  });
});
