import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { plantBookedRefund, plantCatalogue, plantOrder, plantRefundRow, SOUND_ORDERS } from '../test/plant-order.ts';
import { openTestBooks, red, redAfter, type TestBooks } from '../test/test-books.ts';

let books: TestBooks;

beforeAll(async () => {
  books = await openTestBooks();
});
afterAll(() => books.stop());
beforeEach(async () => {
  await books.empty();
  await plantCatalogue(books);
  for (const order of SOUND_ORDERS) await plantOrder(books, order);
  // 200 of the 500 of an order by balance, 300 of the 700 of one by card.
  await plantBookedRefund(books, { id: 'half', orderId: 'by-balance', amount: 200, pays: 'balance' });
  await plantBookedRefund(books, { id: 'third', orderId: 'by-card', amount: 300, pays: 'card' });
});

describe('A1, M1: refunds', () => {
  it('that agree everywhere are right, and are told in the sums', async () => {
    const report = await books.audit();
    expect(red(report)).toEqual({});
    expect(report.money).toEqual([{ currency: 'EUR', completed: 1_200, refunded: 500, accounts: 300, provider: 400 }]);
    expect(red(await books.audit({ withoutLedgers: true }))).toEqual({});
  });

  it('made at the provider by hand are right, once learned and before', async () => {
    await books.pools.sandbox.query(
      `insert into refunds (intent_id, refund_id, charge_id, amount, currency, metadata, created_at, status)
       values ('pi_by-card', 're_hand', 'ch_pi_by-card', 100, 'eur', '{}', clock_timestamp(), 'succeeded')`,
    );
    await books.pools.sandbox.query(
      `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
       values ('pi_by-card', 're_hand', 'refunded', 100, 'eur', 'by-card', 'shop')`,
    );
    expect(red(await books.audit())).toEqual({});
    await plantRefundRow(books, { id: 're_hand', orderId: 'by-card', origin: 'provider', amount: 100 });
    await books.pools.payment.query(`update charges set refunded_amount = 400 where order_id = 'by-card'`);
    expect(red(await books.audit())).toEqual({});
  });

  it('are found where the provider gave back more, or less, than payment says', async () => {
    const ledger = (
      amount: number,
    ) => `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
      values ('pi_by-card', 're_more', 'refunded', ${amount}, 'eur', 'by-card', 'shop')`;
    const found = await redAfter(books, ['sandbox', ledger(50)]);
    expect(found).toEqual({ 'card provider': ['by-card'], money: ['EUR'] });
  });

  it('are found where their saga and payment disagree', async () => {
    const failed = `update refunds set state = 'reserved' where refund_id = 'half'`;
    expect(await redAfter(books, ['payment', failed])).toMatchObject({ refunds: ['half', 'by-balance'] });
  });

  it('are found that the undo of an order made, and that have failed since', async () => {
    const failed = `with gone as (
        update refunds set state = 'failed' where refund_id = 'undo' and order_id = 'refunded' returning order_id)
      update charges c set refunded_amount = 0 from gone where c.order_id = gone.order_id`;
    expect(await redAfter(books, ['payment', failed])).toMatchObject({ refunds: ['refunded'] });
  });

  it('are found that payment does not know', async () => {
    const gone = `delete from refunds where refund_id = 'third'`;
    expect(await redAfter(books, ['payment', gone])).toMatchObject({ refunds: ['third', 'by-card'] });
  });

  it('are found whose sum the charge does not have, or that pass what was captured', async () => {
    await plantRefundRow(books, { id: 'twice', orderId: 'by-balance', origin: 'api', amount: 400 });
    const subjects = red(await books.audit()).refunds;
    expect(subjects).toEqual(['by-balance', 'by-balance']);
  });

  it('are found without a saga', async () => {
    const gone = `delete from holdfast.sagas where id = 'half'`;
    expect(await redAfter(books, ['orchestrator', gone])).toMatchObject({ refunds: ['half'] });
  });
});

describe('A1: what comes back to stock', () => {
  const restock = (quantity: number, state: string) => `insert into restocks
    (tenant_id, order_id, refund_id, state, had_left, lines)
    values ('shop', 'by-balance', 'half', '${state}', false, '[{"sku": "tea", "quantity": ${quantity}}]')`;

  it('is found that was counted and is still held, and that is more than was sold', async () => {
    const asked = (quantity: number): ['orchestrator', string] => [
      'orchestrator',
      `update order_refunds set lines = '[{"sku": "tea", "quantity": ${quantity}, "restock": true}]' where id = 'half'`,
    ];
    expect(await redAfter(books, asked(1), ['inventory', restock(1, 'restocked')])).toEqual({ stock: ['by-balance'] });
    const more = `update restocks set lines = '[{"sku": "tea", "quantity": 3}]'`;
    expect(await redAfter(books, asked(3), ['inventory', more])).toEqual({ stock: ['by-balance', 'by-balance'] });
  });

  it('is found that has an entry and no refund', async () => {
    const entry = `insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
                   values ('shop', 'tea', 'restock/half', 'restock', 2)`;
    const found = await redAfter(books, ['inventory', entry], ['inventory', 'update stock set on_hand = on_hand + 2']);
    expect(found).toEqual({ stock: ['shop:tea'] });
  });
});
