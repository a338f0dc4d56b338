import { randomUUID } from 'node:crypto';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import type { CallOptions } from '@holdfast/rpc';
import { services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryMigrations, inventoryService } from './index.ts';

let inventory: TestParticipant<typeof services.inventory>;
beforeAll(async () => {
  inventory = await testParticipant('inventory', services.inventory, inventoryMigrations, inventoryService);
});
afterAll(() => inventory.stop());

const TENANT = 'shop';
const options = (key: string, extra: Partial<CallOptions> = {}): CallOptions => ({
  timeoutMs: 5_000,
  tenantId: TENANT,
  key,
  ...extra,
});

async function listed(onHand: number, extra: { currency?: string; unitPrice?: number } = {}): Promise<string> {
  const sku = `sku-${randomUUID().slice(0, 8)}`;
  const put = await inventory.client.PutStock(
    { sku, onHand, unitPrice: extra.unitPrice ?? 250, currency: extra.currency ?? 'EUR' },
    options(`put-of-${sku}`),
  );
  expect(put.kind).toBe('completed');
  return sku;
}

async function stockOf(sku: string): Promise<{ onHand: number; reserved: number }> {
  const got = await inventory.client.GetStock({ sku }, { timeoutMs: 5_000, tenantId: TENANT });
  if (got.kind !== 'completed' || !got.message.stock) throw new Error(`no stock: ${JSON.stringify(got)}`);
  return { onHand: got.message.stock.onHand, reserved: got.message.stock.reserved };
}

const newOrder = () => {
  const orderId = randomUUID();
  return { orderId, key: `${orderId}:reserve-inventory`, undoKey: `${orderId}:reserve-inventory:undo` };
};

describe('a reservation', () => {
  it('G3, K2: asked for twice under one key reserves once and answers the same bytes', async () => {
    const [first, second] = [await listed(10, { unitPrice: 100 }), await listed(10, { unitPrice: 7 })];
    const { orderId, key } = newOrder();
    const lines = [
      { sku: first, quantity: 2 },
      { sku: second, quantity: 3 },
    ];
    const once = await inventory.client.ReserveInventory({ orderId, currency: 'EUR', lines }, options(key));
    const again = await inventory.client.ReserveInventory({ orderId, currency: 'EUR', lines }, options(key));
    expect(once).toMatchObject({ kind: 'completed', replayed: false, message: { total: 221 } });
    expect(again).toEqual({ ...once, replayed: true });
    expect(await stockOf(first)).toEqual({ onHand: 10, reserved: 2 });
  });

  it('takes every line or none: a shortage in one line reserves nothing', async () => {
    const [plenty, short] = [await listed(10), await listed(1)];
    const { orderId, key } = newOrder();
    const lines = [
      { sku: plenty, quantity: 2 },
      { sku: short, quantity: 2 },
    ];
    const refused = await inventory.client.ReserveInventory({ orderId, currency: 'EUR', lines }, options(key));
    expect(refused).toMatchObject({ kind: 'error', reason: 'OUT_OF_STOCK', pushbackMs: -1 });
    expect(await stockOf(plenty)).toEqual({ onHand: 10, reserved: 0 });
  });

  it('S5, G6: refused once is refused for ever, even when stock has come back', async () => {
    const sku = await listed(1);
    const { orderId, key } = newOrder();
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 2 }] };
    const first = await inventory.client.ReserveInventory(request, options(key));
    await inventory.client.PutStock({ sku, onHand: 50 }, options(`put-${randomUUID()}`));
    const again = await inventory.client.ReserveInventory(request, options(key));
    expect(again).toEqual({ ...first, replayed: true });
    expect(await stockOf(sku)).toEqual({ onHand: 50, reserved: 0 });
  });

  it('of an unknown item or in another currency is refused with its reason', async () => {
    const sku = await listed(5, { currency: 'USD' });
    const unknown = newOrder();
    const wrong = newOrder();
    const ask = (o: { orderId: string; key: string }, s: string) =>
      inventory.client.ReserveInventory(
        { orderId: o.orderId, currency: 'EUR', lines: [{ sku: s, quantity: 1 }] },
        options(o.key),
      );
    expect(await ask(unknown, 'no-such-item')).toMatchObject({ reason: 'UNKNOWN_SKU' });
    expect(await ask(wrong, sku)).toMatchObject({ reason: 'CURRENCY_MISMATCH' });
  });

  it('A1: 40 orders at once for 10 pieces: 10 get one, nobody oversells', async () => {
    const [first, second] = [await listed(10), await listed(10)];
    const results = await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        const { orderId, key } = newOrder();
        const pair = [
          { sku: first, quantity: 1 },
          { sku: second, quantity: 1 },
        ];
        // Half of them name the items the other way round: without one lock order they would deadlock.
        const lines = at % 2 === 0 ? pair : pair.reverse();
        return await inventory.client.ReserveInventory({ orderId, currency: 'EUR', lines }, options(key));
      }),
    );
    expect(results.filter((result) => result.kind === 'completed')).toHaveLength(10);
    const reasons = results.flatMap((result) => (result.kind === 'error' ? [result.reason] : []));
    expect(new Set(reasons)).toEqual(new Set(['OUT_OF_STOCK']));
    expect(await stockOf(first)).toEqual({ onHand: 10, reserved: 10 });
  });

  it('G14: 30 duplicates at once reserve once', async () => {
    const sku = await listed(100);
    const { orderId, key } = newOrder();
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] };
    const all = await Promise.all(
      Array.from({ length: 30 }, () => inventory.client.ReserveInventory(request, options(key))),
    );
    expect(all.every((result) => result.kind === 'completed')).toBe(true);
    expect(all.filter((result) => result.kind === 'completed' && !result.replayed)).toHaveLength(1);
    expect(await stockOf(sku)).toEqual({ onHand: 100, reserved: 1 });
  });

  it('K5: when its claim is gone, the order still has the one reservation, and another request is refused', async () => {
    const sku = await listed(10);
    const { orderId, key } = newOrder();
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 4 }] };
    const first = await inventory.client.ReserveInventory(request, options(key));
    await inventory.database.pool.query('delete from holdfast.claims where tenant_id = $1 and scope = $2', [
      TENANT,
      orderId,
    ]);
    const late = await inventory.client.ReserveInventory(request, options(key));
    expect(late).toMatchObject({ kind: 'completed', message: first.kind === 'completed' ? first.message : {} });
    const other = { ...request, lines: [{ sku, quantity: 5 }] };
    expect(await inventory.client.ReserveInventory(other, options(`${key}-other`))).toMatchObject({
      reason: 'CONFLICT',
    });
    expect(await stockOf(sku)).toEqual({ onHand: 10, reserved: 4 });
  });

  it('K5: when its claim is gone, is found even though the order itself holds all there is', async () => {
    const sku = await listed(4);
    const { orderId, key } = newOrder();
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 4 }] };
    const first = await inventory.client.ReserveInventory(request, options(key));
    await inventory.database.pool.query('delete from holdfast.claims where tenant_id = $1 and scope = $2', [
      TENANT,
      orderId,
    ]);
    const late = await inventory.client.ReserveInventory(request, options(key));
    expect(late).toMatchObject({ kind: 'completed', message: first.kind === 'completed' ? first.message : {} });
    expect(await stockOf(sku)).toEqual({ onHand: 4, reserved: 4 });
  });
});

describe('the undo of a reservation', () => {
  it('gives everything back, and again changes nothing', async () => {
    const sku = await listed(10);
    const { orderId, key, undoKey } = newOrder();
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 4 }] };
    await inventory.client.ReserveInventory(request, options(key));
    const undone = await inventory.client.ReleaseInventory({ orderId }, options(undoKey));
    const again = await inventory.client.ReleaseInventory({ orderId }, options(undoKey));
    expect(undone).toMatchObject({ kind: 'completed', message: { reservationId: `rsv_${orderId}` } });
    expect(again).toEqual({ ...undone, replayed: true });
    expect(await stockOf(sku)).toEqual({ onHand: 10, reserved: 0 });
  });

  it('K3, G10, G11: that comes first seals the step: the late act is refused every time and changes nothing', async () => {
    const sku = await listed(10);
    const { orderId, key, undoKey } = newOrder();
    const undone = await inventory.client.ReleaseInventory({ orderId }, options(undoKey));
    expect(undone).toMatchObject({ kind: 'completed', message: { reservationId: '' } });
    for (let attempt = 1; attempt <= 3; attempt++) {
      const late = await inventory.client.ReserveInventory(
        { orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] },
        options(key),
      );
      expect(late).toMatchObject({ kind: 'error', reason: 'SEALED', pushbackMs: -1 });
    }
    expect(await stockOf(sku)).toEqual({ onHand: 10, reserved: 0 });
  });

  it('G12: at the same instant as its act leaves no effect behind', async () => {
    const sku = await listed(1_000);
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const { orderId, key, undoKey } = newOrder();
        const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] };
        const undo = async () => {
          for (;;) {
            const undone = await inventory.client.ReleaseInventory({ orderId }, options(undoKey));
            if (undone.kind === 'completed') return;
            expect(undone.reason).toMatch(/^(TRY_AGAIN|STORE_UNAVAILABLE)$/);
          }
        };
        await Promise.all([inventory.client.ReserveInventory(request, options(key)), undo()]);
      }),
    );
    expect(await stockOf(sku)).toEqual({ onHand: 1_000, reserved: 0 });
  });
});

describe('a call with an epoch', () => {
  it('K4, G9: lower than the highest seen for its order changes nothing', async () => {
    const sku = await listed(10);
    const { orderId, key, undoKey } = newOrder();
    await inventory.client.ReleaseInventory({ orderId }, options(undoKey, { epoch: 5 }));
    const other = `${orderId}:reserve-more`;
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] };
    const fenced = await inventory.client.ReserveInventory(request, options(other, { epoch: 4 }));
    expect(fenced).toMatchObject({ kind: 'error', reason: 'FENCED', pushbackMs: -1 });
    const step = await inventory.client.GetStep({ key: other }, { timeoutMs: 5_000, tenantId: TENANT });
    expect(step).toMatchObject({ message: { state: 'STEP_STATE_UNKNOWN_KEY' } });
    expect(await inventory.client.ReserveInventory(request, options(key, { epoch: 5 }))).toMatchObject({
      reason: 'SEALED',
    });
    expect(await stockOf(sku)).toEqual({ onHand: 10, reserved: 0 });
  });
});

describe('a key', () => {
  it('G1, G2: that is missing or malformed is refused before anything runs', async () => {
    const request = { orderId: 'o-1', currency: 'EUR', lines: [{ sku: 'x', quantity: 1 }] };
    const missing = await inventory.client.ReserveInventory(request, { timeoutMs: 5_000, tenantId: TENANT });
    expect(missing).toMatchObject({ reason: 'IDEMPOTENCY_KEY_MISSING', pushbackMs: -1 });
    expect(await inventory.client.ReserveInventory(request, options('short'))).toMatchObject({
      reason: 'IDEMPOTENCY_KEY_INVALID',
    });
  });

  it('K2, G4: used for another request is refused and leaves the stored answer alone', async () => {
    const sku = await listed(10);
    const { orderId, key } = newOrder();
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] };
    const first = await inventory.client.ReserveInventory(request, options(key));
    const other = { ...request, lines: [{ sku, quantity: 2 }] };
    // Even with a higher epoch: a refused call must not raise the fence.
    expect(await inventory.client.ReserveInventory(other, options(key, { epoch: 9 }))).toMatchObject({
      reason: 'IDEMPOTENCY_KEY_REUSED',
      pushbackMs: -1,
    });
    expect(await inventory.client.ReserveInventory(request, options(key))).toEqual({ ...first, replayed: true });
  });

  it('H17: of one tenant is nobody else’s', async () => {
    const sku = await listed(10);
    const { orderId, key } = newOrder();
    const request = { orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] };
    await inventory.client.ReserveInventory(request, options(key));
    const other = await inventory.client.ReserveInventory(request, options(key, { tenantId: 'other' }));
    expect(other).toMatchObject({ reason: 'UNKNOWN_SKU' });
  });

  it('G16: can be asked about: executed, refused, sealed, unknown', async () => {
    const sku = await listed(1);
    const ask = async (key: string) => {
      const step = await inventory.client.GetStep({ key }, { timeoutMs: 5_000, tenantId: TENANT });
      return step.kind === 'completed' ? step.message : step;
    };
    const done = newOrder();
    const reserve = (o: { orderId: string; key: string }) =>
      inventory.client.ReserveInventory(
        { orderId: o.orderId, currency: 'EUR', lines: [{ sku, quantity: 1 }] },
        options(o.key),
      );
    await reserve(done);
    expect(await ask(done.key)).toMatchObject({
      state: 'STEP_STATE_EXECUTED',
      reserved: { reservationId: `rsv_${done.orderId}` },
    });
    const refused = newOrder();
    await reserve(refused);
    expect(await ask(refused.key)).toMatchObject({
      state: 'STEP_STATE_REFUSED',
      refusal: { reason: 'OUT_OF_STOCK' },
    });
    await inventory.client.ReleaseInventory({ orderId: done.orderId }, options(done.undoKey));
    expect(await ask(done.key)).toMatchObject({ state: 'STEP_STATE_SEALED' });
    expect(await ask('nobody-has-sent-this')).toMatchObject({ state: 'STEP_STATE_UNKNOWN_KEY' });
  });
});

describe('stock', () => {
  it('A1: is what was set and adjusted, each adjustment once per key', async () => {
    const sku = await listed(10);
    const key = `adjust-${randomUUID()}`;
    const once = await inventory.client.AdjustStock({ sku, delta: 5 }, options(key));
    expect(once).toMatchObject({ kind: 'completed', message: { stock: { onHand: 15 } } });
    expect(await inventory.client.AdjustStock({ sku, delta: 5 }, options(key))).toEqual({ ...once, replayed: true });
    await inventory.database.pool.query('delete from holdfast.claims where tenant_id = $1 and scope = $2', [
      TENANT,
      key,
    ]);
    expect(await inventory.client.AdjustStock({ sku, delta: 5 }, options(key))).toMatchObject({ kind: 'completed' });
    await inventory.client.PutStock({ sku, onHand: 7 }, options(`put-${randomUUID()}`));
    const { rows } = await inventory.database.pool.query(
      'select sum(delta) as total from stock_entries where sku = $1',
      [sku],
    );
    expect(Number(rows[0].total)).toBe(7);
    expect(await stockOf(sku)).toEqual({ onHand: 7, reserved: 0 });
  });

  it('that orders hold can be neither set nor adjusted away', async () => {
    const sku = await listed(10);
    const { orderId, key } = newOrder();
    await inventory.client.ReserveInventory({ orderId, currency: 'EUR', lines: [{ sku, quantity: 6 }] }, options(key));
    const put = await inventory.client.PutStock({ sku, onHand: 5 }, options(`put-${randomUUID()}`));
    expect(put).toMatchObject({ reason: 'CONFLICT' });
    const taken = await inventory.client.AdjustStock({ sku, delta: -5 }, options(`adjust-${randomUUID()}`));
    expect(taken).toMatchObject({ reason: 'OUT_OF_STOCK' });
    expect(await stockOf(sku)).toEqual({ onHand: 10, reserved: 6 });
  });

  it('H6: a key reused with another delta names the member that differs, and no value', async () => {
    const sku = await listed(10);
    const key = `adjust-${randomUUID()}`;
    await inventory.client.AdjustStock({ sku, delta: 5 }, options(key));
    const reused = await inventory.client.AdjustStock({ sku, delta: 6 }, options(key));
    expect(reused).toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED', metadata: { differing: 'delta' } });
  });
});
