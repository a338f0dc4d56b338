import { randomUUID } from 'node:crypto';
import { newKey } from '@holdfast/idempotency/key';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** `one-line`: one item per order. `new-order`: TPC-C's New-Order, 5 to 15 lines. */
export type Shape = 'one-line' | 'new-order';
/** `uniform`: every item as often as any other. `hot`: one item in every order. */
export type Spread = 'uniform' | 'hot';

export interface Workload {
  shape: Shape;
  spread: Spread;
  /** `balance`, or a payment method of the card provider. */
  method: string;
  /** Customers whose accounts are empty: every payment is refused, every order turns back. */
  poor: boolean;
  seed: number;
}

export interface OrderRequest {
  customerId: string;
  currency: string;
  items: { sku: string; quantity: number }[];
  payment: { method: string };
  shipTo: { name: string; line1: string; city: string; postalCode: string; country: string };
}

export const ITEMS = 1_000;
export const CUSTOMERS = 1_000;
export const CURRENCY = 'EUR';
const LINES = { from: 5, to: 15 };
const HOT_SKU = 'bench-item-hot';

export const skuOf = (item: number): string => `bench-item-${item}`;
export const customerOf = (customer: number, poor: boolean): string => `bench-${poor ? 'poor' : 'rich'}-${customer}`;

/** Everything that has to be in stock. */
export function catalogue(): string[] {
  return [HOT_SKU, ...Array.from({ length: ITEMS }, (_, item) => skuOf(item))];
}

/** Orders without end; the same ones for the same workload. */
export function* orders(workload: Workload): Generator<OrderRequest, never, void> {
  const random = xoroshiro128plus(workload.seed);
  for (;;) {
    const customer = uniformInt(random, 0, CUSTOMERS - 1);
    yield {
      customerId: customerOf(customer, workload.poor),
      currency: CURRENCY,
      items: drawItems(random, workload),
      payment: { method: workload.method },
      shipTo: { name: 'A. Buyer', line1: '1 High Street', city: 'Berlin', postalCode: '10115', country: 'DE' },
    };
  }
}

/** The key of a new order. */
export type MakeKey = () => string;

/** `random`: without a time, as shops may send them; their orders' ids are as random. Otherwise as our client makes them. */
export const keyMaker = (random: boolean): MakeKey => (random ? () => randomUUID() : () => newKey());

function drawItems(random: RandomGenerator, { shape, spread }: Workload): OrderRequest['items'] {
  const lines = shape === 'one-line' ? 1 : uniformInt(random, LINES.from, LINES.to);
  const skus = new Set<string>(spread === 'hot' ? [HOT_SKU] : []);
  while (skus.size < lines) skus.add(skuOf(uniformInt(random, 0, ITEMS - 1)));
  return [...skus].map((sku) => ({ sku, quantity: 1 }));
}
