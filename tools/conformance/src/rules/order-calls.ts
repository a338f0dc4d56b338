import { randomUUID } from 'node:crypto';
import type { Shop } from '../shop.ts';

/** What a call of the saga looks like: one order, its steps' keys, and their requests. */
export class OrderCalls {
  readonly id = `conf-${randomUUID()}`;
  readonly shop: Shop;
  constructor(shop: Shop) {
    this.shop = shop;
  }
  key(step: string): string {
    return `${this.id}:${step}`;
  }
  get lines(): object {
    return { currency: 'EUR', lines: [{ sku: this.shop.sku, quantity: 1 }] };
  }
  charge(method = 'balance'): object {
    return { customerId: this.shop.customerId, amount: 250, currency: 'EUR', method };
  }
}

export const RESERVE = 'reserve-inventory';
export const CHARGE = 'charge-payment';
