import { expect } from 'vitest';
import { Shop, UNIT_PRICE } from '../shop.ts';
import type { Target } from '../target.ts';
import { expectProblem } from './expect-reply.ts';
import { rule } from './rule.ts';

/** H26, H27: what a shop calls its items and customers, and what it has shown them. */
export function shopRules(target: () => Target): void {
  rule(
    'H26',
    'items and customers are called as the shop calls them, percent-encoded in paths',
    target,
    async (system) => {
      const shop = await Shop.open(system);
      const body = { onHand: 1, unitPrice: UNIT_PRICE, currency: 'EUR' };
      for (const name of ['gid://shop/1', 'ada@example.org', 'auth0|5f', 'AB/12 é', '100%', 'x/adjust']) {
        const id = `${name} ${shop.sku}`;
        const path = `/v1/stock/${encodeURIComponent(id)}`;
        expect((await system.http('PUT', path, { body, key: system.newKey() })).body).toMatchObject({ sku: id });
        const adjusted = await system.http('POST', `${path}/adjust`, { body: { delta: 1 }, key: system.newKey() });
        expect(adjusted.body, adjusted.text).toMatchObject({ sku: id, onHand: 2 });
        expect((await system.http('GET', path)).body).toMatchObject({ sku: id, onHand: 2 });
      }
      for (const blank of ['\u200b', ' a', 'a ', '\u3164']) {
        const path = `/v1/stock/${encodeURIComponent(blank)}`;
        expectProblem(await system.http('PUT', path, { body, key: system.newKey() }), 400, 'invalid-request', false);
      }
    },
  );

  rule(
    'H27',
    'a price or total that is not what was shown fails the order with the prices as they are, and nothing is taken',
    target,
    async (system) => {
      const shop = await Shop.open(system);
      const items = [{ sku: shop.sku, quantity: 1, unitPrice: UNIT_PRICE }];
      const lines = [{ kind: 'shipping', name: 'Parcel', amount: 490 }];
      const wait = { prefer: 'wait=20' };
      const shown = { items, lines, expectedTotal: UNIT_PRICE + 490 };
      await system.http('PUT', `/v1/stock/${shop.sku}`, { body: { unitPrice: 9 * UNIT_PRICE }, key: system.newKey() });
      const raised = { sku: shop.sku, unitPrice: 9 * UNIT_PRICE };
      for (const [order, prices] of [
        [{ items }, { items: [{ ...raised, shownUnitPrice: UNIT_PRICE }], total: 9 * UNIT_PRICE, shownTotal: null }],
        [
          { items: [{ sku: shop.sku, quantity: 1 }], lines, expectedTotal: UNIT_PRICE + 490 },
          { items: [{ ...raised, shownUnitPrice: null }], total: 9 * UNIT_PRICE + 490, shownTotal: UNIT_PRICE + 490 },
        ],
      ] as const) {
        const { body, text } = await shop.place(system.newKey(), { order, ...wait });
        expect(body, text).toMatchObject({ status: 'failed', failure: { reason: 'PRICE_CHANGED', prices } });
      }
      await shop.expectEffects(0);
      await system.http('PUT', `/v1/stock/${shop.sku}`, { body: { unitPrice: UNIT_PRICE }, key: system.newKey() });
      const { body, text } = await shop.place(system.newKey(), { order: shown, ...wait });
      expect(body, text).toMatchObject({ status: 'completed', total: UNIT_PRICE + 490, lines });
      expect(await shop.effects()).toMatchObject({ held: 1, spent: UNIT_PRICE + 490 });
    },
  );
}
