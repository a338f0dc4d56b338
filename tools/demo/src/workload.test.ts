import { describe, expect, it } from 'vitest';
import { parseDemoArguments } from './arguments.ts';
import { planKills, VICTIMS } from './chaos.ts';
import { newOrders, nuRand, SHOP_SIZE, UNUSED_SKU } from './new-order.ts';
import { randomStreams } from './random.ts';

const SEED = 42;

describe('the workload', () => {
  it('is the same for the same seed, and another for another', () => {
    const orders = (seed: number) => JSON.stringify([...newOrders(randomStreams(seed).orders, 50)]);
    expect(orders(SEED)).toBe(orders(SEED));
    expect(orders(SEED)).not.toBe(orders(SEED + 1));
  });

  it('has 5 to 15 lines, every item once, 1 to 10 of each; one order in a hundred asks for an unused item', () => {
    const orders = [...newOrders(randomStreams(SEED).orders, 5_000)];
    for (const { request } of orders) {
      expect(request.items.length).toBeGreaterThanOrEqual(5);
      expect(request.items.length).toBeLessThanOrEqual(15);
      expect(new Set(request.items.map((item) => item.sku)).size).toBe(request.items.length);
      expect(request.items.every(({ quantity }) => quantity >= 1 && quantity <= 10)).toBe(true);
    }
    const unused = orders.filter(({ request }) => request.items.some(({ sku }) => sku === UNUSED_SKU)).length;
    expect(unused).toBeGreaterThan(25);
    expect(unused).toBeLessThan(100);
    const cards = orders.filter(({ request }) => request.payment.method !== 'balance').length;
    expect(Math.abs(cards / orders.length - 0.5)).toBeLessThan(0.03);
    const several = orders.filter(({ copies }) => copies > 1).length;
    expect(Math.abs(several / orders.length - 0.1)).toBeLessThan(0.02);
  });

  it('draws items within range and far from evenly (TPC-C’s NURand)', () => {
    const random = randomStreams(SEED).orders;
    const counts = new Map<number, number>();
    for (let draw = 0; draw < 50_000; draw++) {
      const item = nuRand(random, 8_191, 123, 1, SHOP_SIZE.items);
      expect(item >= 1 && item <= SHOP_SIZE.items).toBe(true);
      counts.set(item, (counts.get(item) ?? 0) + 1);
    }
    const sorted = [...counts.values()].sort((one, other) => other - one);
    const busiest = sorted.slice(0, SHOP_SIZE.items / 10).reduce((sum, count) => sum + count, 0);
    expect(busiest / 50_000).toBeGreaterThan(0.15);
  });
});

describe('the kills', () => {
  it('hit every service, at least five in all, in the order in which they fall, for any seed', () => {
    for (let seed = 0; seed < 200; seed++) {
      const plan = planKills(randomStreams(seed).kills, 2_000);
      expect(new Set(plan.map(({ victim }) => victim))).toEqual(new Set(VICTIMS));
      expect(plan.length).toBeGreaterThanOrEqual(5);
      expect(plan.map(({ atOrder }) => atOrder)).toEqual(plan.map(({ atOrder }) => atOrder).sort((a, b) => a - b));
      expect(plan.every(({ atOrder }) => atOrder >= 1 && atOrder <= 2_000)).toBe(true);
    }
  });
});

describe('the command line', () => {
  it('has defaults, and draws a seed when none is given', () => {
    expect(parseDemoArguments([], () => 7)).toEqual({
      kind: 'demo',
      options: { orders: 2_000, concurrency: 32, seed: 7, faults: true, stay: false },
    });
  });

  it.each([
    ['--orders', '0'],
    ['--orders', 'many'],
    ['--seed', '-1'],
    ['--concurrency', '513'],
    ['--colour', 'red'],
    ['more'],
  ])('says what is wrong with %s %s', (...args) => {
    expect(parseDemoArguments(args)).toMatchObject({ kind: 'wrong' });
  });
});
