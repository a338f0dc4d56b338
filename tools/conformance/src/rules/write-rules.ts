import { expect } from 'vitest';
import { Shop, UNIT_PRICE } from '../shop.ts';
import type { Target } from '../target.ts';
import { expectKeyHeaders, expectProblem } from './expect-reply.ts';
import { rule } from './rule.ts';

/** H3, H24, H25: writes that set a value. */
export function writeRules(target: () => Target): void {
  rule(
    'H3',
    'GET takes a key and ignores it; PUT under one is done once, whatever comes in between',
    target,
    async (system) => {
      const shop = await Shop.open(system);
      const path = `/v1/accounts/${shop.customerId}`;
      const key = system.newKey();
      const body = { balance: 10_000 };
      const first = await system.http('PUT', path, { body, key });
      expect([first.status, first.body?.balance], first.text).toEqual([200, 10_000]);
      expectKeyHeaders(first, key, false);
      const order = await shop.place(system.newKey(), { prefer: 'wait=20' });
      expect(order.body.status, order.text).toBe('completed');
      for (const replica of [0, 1]) {
        const again = await system.http('PUT', path, { body, key, replica });
        expect([again.status, again.text]).toEqual([200, first.text]);
        expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
        expectKeyHeaders(again, key, true);
      }
      expect((await system.http('GET', path, { key })).body.balance).toBe(10_000 - UNIT_PRICE);
      expect((await system.http('GET', path, { key: 'spaces in it' })).status).toBe(200);
      expectProblem(
        await system.http('PUT', path, { body: { balance: 1 }, key }),
        422,
        'idempotency-key-reused',
        false,
      );
      expectProblem(await system.http('PUT', path, { body, key: 'short' }), 400, 'idempotency-key-invalid', false);
      // Without a key it is done each time.
      for (const balance of [5, 5])
        expect((await system.http('PUT', path, { body: { balance } })).body.balance).toBe(5);
    },
  );

  rule(
    'H24',
    'a write under a version that is no longer the newest is refused, and nothing is done',
    target,
    async (system) => {
      const shop = await Shop.open(system);
      for (const [path, change] of [
        [`/v1/stock/${shop.sku}`, { unitPrice: 7 }],
        [`/v1/accounts/${shop.customerId}`, { balance: 7 }],
      ] as const) {
        const read = await system.http('GET', path);
        const headers = { 'if-match': read.headers.get('etag') ?? '' };
        const first = await system.http('PUT', path, { body: change, headers });
        expect(first.status, first.text).toBe(200);
        expect(first.headers.get('etag')).not.toBe(headers['if-match']);
        const stale = await system.http('PUT', path, { body: change, headers, replica: 1 });
        expectProblem(stale, 412, 'version-changed', false);
        const now = await system.http('GET', path, { replica: 1 });
        expect([now.headers.get('etag'), now.text]).toEqual([first.headers.get('etag'), first.text]);
      }
    },
  );

  rule('H25', 'what can change alone is set alone: the rest stays as it is', target, async (system) => {
    const shop = await Shop.open(system);
    const path = `/v1/stock/${shop.sku}`;
    const before = (await system.http('GET', path)).body;
    for (const change of [{ unitPrice: 9 }, { onHand: 9 }]) {
      const put = await system.http('PUT', path, { body: change, key: system.newKey() });
      expect(put.status, put.text).toBe(200);
    }
    const { version: _, ...after } = (await system.http('GET', path)).body;
    const { version: __, ...was } = before;
    expect(after).toEqual({ ...was, unitPrice: 9, onHand: 9 });
    expect((await system.http('PUT', path, { body: {}, key: system.newKey() })).status).toBe(400);
  });
}
