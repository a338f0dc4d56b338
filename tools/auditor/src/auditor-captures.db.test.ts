import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dispatchKeyOf, plantCatalogue, plantOrder, plantSettlement, TENANT } from '../test/plant-order.ts';
import { openTestBooks, red, redAfter, type TestBooks } from '../test/test-books.ts';

let books: TestBooks;

beforeAll(async () => {
  books = await openTestBooks();
});
afterAll(() => books.stop());
beforeEach(async () => {
  await books.empty();
  await plantCatalogue(books);
  await plantOrder(books, { ...AUTHORIZED, id: 'waits', total: 700 });
  await plantOrder(books, { ...AUTHORIZED, id: 'sent', total: 500 });
  await plantSettlement(books, { orderId: 'sent', kind: 'capture', amount: 400 });
});

const AUTHORIZED = { state: 'completed', pays: 'card', ships: 'us', isAuthorized: true } as const;

const ledgered = (intentId: string, orderId: string, kind: string, amount: number): ['sandbox', string] => [
  'sandbox',
  `insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
   values ('${intentId}', 'x_${kind}', '${kind}', ${amount}, 'eur', '${orderId}', '${TENANT}')`,
];

describe('A1, M1: of orders that are captured at dispatch, the auditor', () => {
  it('finds nothing where each owes what was captured of it, or nothing yet', async () => {
    const report = await books.audit();
    expect(red(report)).toEqual({});
    expect(report.money).toEqual([{ currency: 'EUR', completed: 400, refunded: 0, accounts: 0, provider: 400 }]);
    expect(red(await books.audit({ withoutLedgers: true }))).toEqual({});
  });

  it('finds a capture that nobody has decided', async () => {
    const charge = `update charges set state = 'captured', captured_amount = 700 where order_id = 'waits'`;
    const found = await redAfter(books, ['payment', charge], ledgered('pi_waits', 'waits', 'captured', 700));
    expect(found).toEqual({ charges: ['waits'], 'card provider': ['waits'], money: ['EUR'] });
  });

  it('finds a capture at the provider alone, before it is dispatched', async () => {
    const found = await redAfter(books, ledgered('pi_waits', 'waits', 'captured', 700));
    expect(found).toEqual({ 'card provider': ['waits'], money: ['EUR'] });
  });

  it('finds another amount than was decided', async () => {
    const charge = `update charges set captured_amount = 450 where order_id = 'sent'`;
    expect(await redAfter(books, ['payment', charge])).toEqual({ charges: ['sent'] });
  });

  it('finds a capture that its saga takes for made, and nobody has', async () => {
    await plantOrder(books, { ...AUTHORIZED, id: 'claimed', total: 300 });
    await plantSettlement(books, { orderId: 'claimed', kind: 'capture', amount: 300, isMade: false });
    const found = red(await books.audit());
    expect(found).toEqual({ charges: ['claimed'], 'card provider': ['claimed'], money: ['EUR'] });
  });

  it('finds a charge that stands of an order that was released', async () => {
    await plantSettlement(books, { orderId: 'waits', kind: 'release', amount: 0 });
    const found = red(await books.audit());
    expect(found.charges).toEqual(['waits']);
    expect(found.reservations).toEqual(['waits']);
  });

  it('finds no fault in what has run out', async () => {
    expect(await redAfter(books, ['payment', `update charges set state = 'expired' where order_id = 'waits'`])).toEqual(
      {},
    );
  });

  it('finds a parcel that has left, and nothing was captured', async () => {
    const left = (id: string): ['shipping', string] => [
      'shipping',
      `update shipments set state = 'dispatched', dispatched_at = clock_timestamp(),
              dispatch_key = '${dispatchKeyOf(id)}' where order_id = '${id}'`,
    ];
    expect(await redAfter(books, left('sent'))).toEqual({});
    expect(await redAfter(books, left('waits'))).toEqual({ decisions: ['waits'] });
  });

  it('finds a refund of more than was captured', async () => {
    const refund = `insert into refunds (tenant_id, order_id, refund_id, origin, amount, state)
                    values ('${TENANT}', 'sent', 're_hand', 'provider', 401, 'succeeded')`;
    const found = await redAfter(books, ['payment', refund], ledgered('pi_sent', 'sent', 'refunded', 401));
    expect(found.refunds?.[0]).toBe('sent');
  });

  it('leaves an order alone about which something is decided while it reads', async () => {
    await plantSettlement(books, { orderId: 'waits', kind: 'capture', amount: 700, state: 'running' });
    expect(Object.keys(red(await books.audit()))).toEqual(['orders']);
    expect(red(await books.audit({ allowRunning: true }))).toEqual({});
  });
});

describe('the auditor compares disputes:', () => {
  const told = (told: number): ['payment', string] => [
    'payment',
    `insert into disputes (tenant_id, order_id, dispute_id, amount, currency, reason, status, opened_at, revision, told)
     values ('${TENANT}', 'sent', 'du_1', 400, 'EUR', 'fraudulent', 'lost', clock_timestamp(), 2, ${told})`,
  ];
  const shown = (revision: number, status: string): ['orchestrator', string] => [
    'orchestrator',
    `insert into order_disputes (order_id, id, tenant_id, amount, currency, reason, status, opened_at, revision)
     values ('sent', 'du_1', '${TENANT}', 400, 'EUR', 'fraudulent', '${status}', clock_timestamp(), ${revision})`,
  ];

  it.each([
    ['one that is on its way', [told(1), shown(1, 'needs_response')], {}],
    ['one that is shown as it is', [told(2), shown(2, 'lost')], {}],
    ['one that payment has told of and the order does not show', [told(2)], { disputes: ['sent'] }],
    ['one whose end is not shown', [told(2), shown(1, 'needs_response')], { disputes: ['sent'] }],
    ['one that is shown as another', [told(2), shown(2, 'won')], { disputes: ['sent'] }],
  ] as const)('%s', async (_what, rows, found) => {
    expect(await redAfter(books, ...(rows as unknown as ['payment', string][]))).toEqual(found);
  });
});
