import { tally } from '@holdfast/testing/audit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { plantBookedRefund, plantCatalogue, plantOrder, plantRefundRow, proofOf } from '../../test/plant-order.ts';
import { openTestBooks, red, redAfter, type TestBooks } from '../../test/test-books.ts';
import type { Doubt } from './doubts.ts';
import { judgeDoubts } from './doubts.ts';

let books: TestBooks;

beforeAll(async () => {
  books = await openTestBooks();
});
afterAll(() => books.stop());
beforeEach(async () => {
  await books.empty();
  await plantCatalogue(books);
  await plantOrder(books, { id: 'sold', state: 'completed', total: 500, pays: 'balance', ships: 'us' });
});

/** As a participant writes it down, the balance and all, whoever has asked for it. */
const raise = (proof: string, delta = 100_000): ['payment', string][] => [
  [
    'payment',
    `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta, proof)
     values ('shop', 'ada', '2d5c:change', 'adjust', ${delta}, nullif('${proof}', 'none'))`,
  ],
  ['payment', `update accounts set balance = balance + ${delta}`],
];

describe('A1: the auditor names minted money:', () => {
  it.each([
    ['no proof', 'none'],
    ['an empty proof', ''],
    ['a made-up proof', `${'0'.repeat(8)}-0000-8000-8000-${'0'.repeat(12)}`],
    ['the proof of another amount', proofOf('account', '2d5c:change', { delta: 1 })],
    ['the proof of another book', proofOf('stock', '2d5c:change', { delta: 100_000 })],
    ['the proof of another key', proofOf('account', '2d5d:change', { delta: 100_000 })],
  ])('an adjustment with %s', async (_what, proof) => {
    expect(await redAfter(books, ...raise(proof))).toEqual({ adjustments: ['shop:ada'] });
  });

  it('no adjustment that the API has decided, however old it is', async () => {
    const proof = proofOf('account', '2d5c:change', { delta: 100_000 });
    const old: ['payment', string] = ['payment', `update account_entries set recorded_at = '2020-01-01'`];
    expect(await redAfter(books, ...raise(proof), old)).toEqual({});
  });

  it('a set whose entry was changed afterwards', async () => {
    const more = [
      ['payment', `update account_entries set delta = delta + 7 where kind = 'set'`],
      ['payment', 'update accounts set balance = balance + 7'],
    ] as ['payment', string][];
    expect(await redAfter(books, ...more)).toEqual({ adjustments: ['shop:ada'] });
  });

  it('a key of the API that stands for a second entry', async () => {
    await books.pools.payment.query(
      `insert into accounts (tenant_id, customer_id, balance, currency) values ('shop', 'bob', 100000, 'EUR')`,
    );
    const copy = `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta, proof, before, after)
      select tenant_id, 'bob', entry_key, kind, delta, proof, before, after from account_entries where kind = 'set'`;
    expect(await redAfter(books, ['payment', copy])).toEqual({ adjustments: ['shop:ada', 'shop:bob'] });
  });

  it('a price that nobody has set', async () => {
    const found = await redAfter(books, ['inventory', 'update stock set unit_price = 1']);
    expect(found).toEqual({ adjustments: ['shop:tea'] });
  });
});

describe('A1: the auditor names what no saga has decided:', () => {
  it('a refund that the API does not know', async () => {
    await plantRefundRow(books, { id: 'forged', orderId: 'sold', origin: 'api', amount: 200 });
    const found = await redAfter(
      books,
      ['payment', `update charges set refunded_amount = 200 where order_id = 'sold'`],
      [
        'payment',
        `insert into account_entries (tenant_id, customer_id, entry_key, kind, delta)
         values ('shop', 'ada', 'forged:refund-payment', 'refund', 200)`,
      ],
      ['payment', 'update accounts set balance = balance + 200'],
    );
    expect(found).toEqual({ decisions: ['sold'] });
  });

  it.each([
    ['that the API does not know', 'forged', 1],
    ['of more than was asked for', 'asked', 1],
  ])('a restock %s', async (_what, refundId, pieces) => {
    await plantBookedRefund(books, { id: 'asked', orderId: 'sold', amount: 100, pays: 'balance' });
    const found = await redAfter(
      books,
      [
        'inventory',
        `insert into restocks (tenant_id, order_id, refund_id, state, had_left, lines)
         values ('shop', 'sold', '${refundId}', 'restocked', false, '[{"sku": "tea", "quantity": ${pieces}}]')`,
      ],
      ['inventory', `update reservations set returned = '[{"sku": "tea", "quantity": ${pieces}}]'`],
      ['inventory', `update stock set reserved = reserved - ${pieces}`],
    );
    expect(found).toEqual({ decisions: ['sold'] });
  });

  it('a dispatch that the API was not asked for', async () => {
    const sent = `update shipments set state = 'dispatched', dispatched_at = clock_timestamp(), dispatch_key = 'mine'`;
    expect(await redAfter(books, ['shipping', sent])).toEqual({ decisions: ['sold'] });
  });

  it('a shipment that is kept from leaving', async () => {
    const kept = 'update shipments set withheld_at = clock_timestamp()';
    expect(await redAfter(books, ['shipping', kept])).toEqual({ decisions: ['sold'] });
  });

  it.each([
    ['inventory', `update reservations set state = 'released'; update stock set reserved = 0`],
    ['payment', `update charges set state = 'undoing'`],
    ['shipping', `update shipments set state = 'cancelled', cancelled_at = clock_timestamp()`],
  ] as const)('what %s has taken back of an order that goes on', async (service, taken) => {
    const running = `update holdfast.sagas set state = 'running', ended_at = null`;
    await books.pools.orchestrator.query(running);
    expect(red(await books.audit({ allowRunning: true }))).toEqual({});
    await books.pools[service].query(taken);
    const found = red(await books.audit({ allowRunning: true }));
    expect(found.decisions).toEqual(['sold']);
    // And once it turns back, that is what is to be seen.
    await books.pools.orchestrator.query(`update holdfast.sagas set state = 'compensating'`);
    expect(red(await books.audit({ allowRunning: true })).decisions).toBeUndefined();
    const parked = `update holdfast.sagas set state = 'parked', parked = '{}', resume_state = 'running'`;
    await books.pools.orchestrator.query(parked);
    expect(red(await books.audit()).decisions).toEqual(['sold']);
  });

  it('nothing that was decided while the audit was under way', async () => {
    const check = tally('decisions', '', () => {});
    const order = { tenantId: 'shop', orderId: 'sold', detail: 'it' };
    const doubts: Doubt[] = [
      { ...order, needs: 'completed' },
      { ...order, needs: 'refund', refundId: 'late', amount: 100, pieces: 0 },
    ];
    await judgeDoubts(books.pools.orchestrator, doubts, check);
    expect(check.result().violations).toBe(1);
    await plantBookedRefund(books, { id: 'late', orderId: 'sold', amount: 100, pays: 'balance' });
    const again = tally('decisions', '', () => {});
    await judgeDoubts(books.pools.orchestrator, doubts, again);
    expect(again.result().violations).toBe(0);
  });
});
