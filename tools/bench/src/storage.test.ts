import { describe, expect, it } from 'vitest';
import { bytesPerOrder, type DatabaseSize } from './storage.ts';

const payment = (orders: number, charges: [number, number], accounts: [number, number]): DatabaseSize => ({
  name: 'payment',
  orders,
  tables: [
    { name: 'charges', tableBytes: charges[0], indexBytes: charges[1] },
    { name: 'accounts', tableBytes: accounts[0], indexBytes: accounts[1] },
  ],
});

describe('bytes an order', () => {
  it('are what came with the orders, without what was there before', () => {
    const before = payment(0, [0, 8_192], [100_000, 50_000]);
    const [now] = bytesPerOrder([before], [payment(1_000, [300_000, 108_192], [100_000, 50_000])]);
    expect(now).toEqual({
      name: 'payment',
      orders: 1_000,
      tableBytes: 300,
      indexBytes: 100,
      tables: [{ name: 'charges', tableBytes: 300, indexBytes: 100 }],
    });
  });

  it('are not known without orders', () => {
    const before = payment(5, [0, 0], [0, 0]);
    expect(bytesPerOrder([before], [before])).toEqual([]);
  });
});
