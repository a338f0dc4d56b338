import { describe, expect, it } from 'vitest';
import type { OrderRequest } from './order.ts';
import { orderFaults } from './order-request.ts';

const ORDER: OrderRequest = {
  customerId: 'ann',
  currency: 'EUR',
  items: [
    { sku: 'apple', quantity: 2, unitPrice: 250 },
    { sku: 'pear', quantity: 1, unitPrice: 99 },
  ],
  payment: { method: 'balance' },
  shipTo: { name: 'Ann', line1: 'Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
};
const line = (kind: 'shipping' | 'tax' | 'discount' | 'fee', amount: number) => ({ kind, name: kind, amount });
const pointers = (change: Partial<OrderRequest>) => orderFaults({ ...ORDER, ...change }).map(({ pointer }) => pointer);

describe('the shop’s own numbers', () => {
  it.each<[string, Partial<OrderRequest>, string[]]>([
    ['none beside the items', {}, []],
    [
      'all kinds, added up',
      { lines: [line('shipping', 490), line('tax', 0), line('discount', -99)], expectedTotal: 990 },
      [],
    ],
    ['a total that they do not add up to', { lines: [line('shipping', 490)], expectedTotal: 599 }, ['/expectedTotal']],
    ['a total without the prices: nobody knows yet', { items: [{ sku: 'a', quantity: 1 }], expectedTotal: 5 }, []],
    ['a total below 0', { lines: [line('discount', -600)] }, ['/lines']],
    ['a total of 0', { lines: [line('discount', -599)], expectedTotal: 0 }, []],
    ['shipping below 0', { lines: [line('shipping', -1)] }, ['/lines/0/amount']],
    [
      'a fee below 0, a tax below 0',
      { lines: [line('fee', -1), line('tax', -1)] },
      ['/lines/0/amount', '/lines/1/amount'],
    ],
    ['a discount that adds', { lines: [line('fee', 1), line('discount', 1)] }, ['/lines/1/amount']],
    [
      'prices whose total is no exact number',
      { items: [{ sku: 'a', quantity: 2, unitPrice: Number.MAX_SAFE_INTEGER }] },
      ['/items'],
    ],
  ])('%s', (_what, change, expected) => {
    expect(pointers(change)).toEqual(expected);
  });
});
