import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { until } from './control.ts';
import type { HttpRequest, Reply, Target } from './target.ts';

const ON_HAND = 1_000;
const BALANCE = 1_000_000;
const READY_WITHIN_MS = 15_000;
export const UNIT_PRICE = 250;

/** Distinctive, so that they are found wherever they should not be. */
export const ADDRESS = 'Conformance Lane 4711';
export const CARD = 'pm_card_visa';

/** An item and a customer of a rule's own, so that effects can be counted from outside. */
export class Shop {
  readonly target: Target;
  readonly sku = `sku-${randomUUID()}`;
  readonly customerId = `customer-${randomUUID()}`;
  readonly #apiKey: string | undefined;

  private constructor(target: Target, apiKey?: string) {
    this.target = target;
    this.#apiKey = apiKey;
  }

  static async open(target: Target, apiKey?: string): Promise<Shop> {
    const shop = new Shop(target, apiKey);
    const auth = apiKey === undefined ? {} : { apiKey };
    const stock = { onHand: ON_HAND, unitPrice: UNIT_PRICE, currency: 'EUR' };
    const account = { balance: BALANCE, currency: 'EUR' };
    for (const [path, body] of [
      [`/v1/stock/${shop.sku}`, stock],
      [`/v1/accounts/${shop.customerId}`, account],
    ] as const) {
      // The rule before may have killed a service: the API says so until it has found its successor.
      const key = target.newKey();
      await until(`PUT ${path}`, READY_WITHIN_MS, async () => {
        const { status, text } = await target.http('PUT', path, { body, key, ...auth });
        expect([200, 503], text).toContain(status);
        return status === 200;
      });
    }
    return shop;
  }

  /** One of the item, paid from the account. */
  order(overrides: object = {}): object {
    return {
      customerId: this.customerId,
      currency: 'EUR',
      items: [{ sku: this.sku, quantity: 1 }],
      payment: { method: 'balance' },
      shipTo: { name: 'Kit', line1: ADDRESS, city: 'Bonn', postalCode: '53111', country: 'DE' },
      ...overrides,
    };
  }

  place(key: string, request: HttpRequest & { order?: object } = {}): Promise<Reply> {
    const { order, ...rest } = request;
    const auth = this.#apiKey === undefined ? {} : { apiKey: this.#apiKey };
    return this.target.http('POST', '/v1/orders', { body: this.order(order), key, ...auth, ...rest });
  }

  adjust(key: string, delta: number, request: HttpRequest = {}): Promise<Reply> {
    return this.target.http('POST', `/v1/stock/${this.sku}/adjust`, { body: { delta }, key, ...request });
  }

  /** What all orders of this shop have brought about: items held, and money taken from the account. */
  async effects(replica = 0): Promise<{ held: number; spent: number; onHand: number }> {
    const auth = this.#apiKey === undefined ? {} : { apiKey: this.#apiKey };
    const stock = await this.target.http('GET', `/v1/stock/${this.sku}`, { replica, ...auth });
    const account = await this.target.http('GET', `/v1/accounts/${this.customerId}`, { replica, ...auth });
    expect([stock.status, account.status]).toEqual([200, 200]);
    return { held: stock.body.reserved, spent: BALANCE - account.body.balance, onHand: stock.body.onHand };
  }

  /** Exactly so many orders have had their effects, each once. */
  async expectEffects(orders: number, replica = 0): Promise<void> {
    expect(await this.effects(replica)).toEqual({ held: orders, spent: orders * UNIT_PRICE, onHand: ON_HAND });
  }
}
