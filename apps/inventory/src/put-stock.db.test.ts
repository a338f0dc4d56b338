import { randomUUID } from 'node:crypto';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { transaction } from '@holdfast/postgres';
import { services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fulfilDispatched } from './fulfilment.ts';
import { inventoryMigrations, inventoryService } from './index.ts';
import { putItem } from './stock.ts';

let inventory: TestParticipant<typeof services.inventory>;
beforeAll(async () => {
  inventory = await testParticipant('put-stock', services.inventory, inventoryMigrations, inventoryService);
});
afterAll(() => inventory.stop());

const newKey = () => `put-${randomUUID()}`;
const options = (key = newKey()) => ({ timeoutMs: 20_000, tenantId: 'shop', key });
type Put = Parameters<typeof inventory.client.PutStock>[0];

const put = (change: Put, key?: string) => inventory.client.PutStock(change, options(key));
const adjust = (sku: string, delta: number) => inventory.client.AdjustStock({ sku, delta }, options());

async function stockOf(sku: string) {
  const got = await inventory.client.GetStock({ sku }, options());
  if (got.kind !== 'completed' || !got.message.stock) throw new Error(`no stock: ${JSON.stringify(got)}`);
  return got.message.stock;
}

async function listed(): Promise<string> {
  const sku = `sku-${randomUUID().slice(0, 8)}`;
  expect(await put({ sku, onHand: 10, unitPrice: 250, currency: 'EUR' })).toMatchObject({ kind: 'completed' });
  return sku;
}

async function reserve(sku: string, quantity: number): Promise<string> {
  const orderId = randomUUID();
  const request = { orderId, currency: 'EUR', lines: [{ sku, quantity }] };
  const reserved = await inventory.client.ReserveInventory(request, options(`${orderId}:reserve-inventory`));
  expect(reserved.kind).toBe('completed');
  return orderId;
}

async function dispatched(orderId: string): Promise<void> {
  const fields = { id: `${orderId}:dispatched`, type: 'shipment.dispatched', orderId, tenantId: 'shop' };
  await fulfilDispatched(inventory.participant.pool, [{ id: '1-0', fields }]);
}

describe('stock that is set', () => {
  it('K8, G18: under a key is set once: the retry gets the same bytes and undoes nothing that came in between', async () => {
    const sku = await listed();
    const key = newKey();
    const once = await put({ sku, onHand: 50 }, key);
    expect(once).toMatchObject({ kind: 'completed', replayed: false, message: { stock: { onHand: 50 } } });
    await adjust(sku, -20);
    expect(await put({ sku, onHand: 50 }, key)).toEqual({ ...once, replayed: true });
    expect((await stockOf(sku)).onHand).toBe(30);
    expect(await put({ sku, onHand: 51 }, key)).toMatchObject({
      reason: 'IDEMPOTENCY_KEY_REUSED',
      metadata: { differing: 'onHand' },
    });
    expect(await inventory.client.PutStock({ sku, onHand: 1 }, { timeoutMs: 5_000, tenantId: 'shop' })).toMatchObject({
      reason: 'IDEMPOTENCY_KEY_MISSING',
    });
  });

  it('K5, K8: when its claim is gone, its entry still says that it was set', async () => {
    const sku = await listed();
    for (const change of [{ onHand: 50 }, { unitPrice: 7 }]) {
      const key = newKey();
      await put({ sku, ...change }, key);
      await put({ sku, onHand: 3, unitPrice: 9 });
      // As it runs when nothing else knows the key any more: neither a claim nor a cache.
      const again = await transaction(inventory.database.pool, (tx) =>
        putItem(tx, 'shop', { sku, ...change }, { condition: { versions: [], listed: false }, key, proof: '' }),
      );
      expect(again).toMatchObject({ kind: 'completed', result: { stock: { onHand: 3, unitPrice: 9 } } });
      expect(await stockOf(sku)).toMatchObject({ onHand: 3, unitPrice: 9 });
    }
  });

  it('K8: changes only what is given, and needs price and currency only to be listed', async () => {
    const sku = await listed();
    await put({ sku, unitPrice: 300 });
    expect(await stockOf(sku)).toMatchObject({ onHand: 10, unitPrice: 300, currency: 'EUR' });
    await put({ sku, currency: 'USD' });
    await put({ sku, onHand: 0 });
    expect(await stockOf(sku)).toMatchObject({ onHand: 0, unitPrice: 300, currency: 'USD' });
    const other = `sku-${randomUUID()}`;
    expect(await put({ sku: other, onHand: 1 })).toMatchObject({ reason: 'NOT_FOUND' });
    expect(await put({ sku: other, unitPrice: 1, currency: 'EUR' })).toMatchObject({
      message: { stock: { onHand: 0, version: 1 } },
    });
  });

  it('K8: has a version that every change raises, an order’s too', async () => {
    const sku = await listed();
    const seen = [(await stockOf(sku)).version];
    const orderId = await reserve(sku, 2);
    seen.push((await stockOf(sku)).version);
    await inventory.client.ReleaseInventory({ orderId }, options(`${orderId}:reserve-inventory:undo`));
    seen.push((await stockOf(sku)).version);
    await adjust(sku, 1);
    seen.push((await stockOf(sku)).version);
    await put({ sku, unitPrice: 1 });
    seen.push((await stockOf(sku)).version);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('K8: under a version is set only if it still has that one, and its key gets the refusal for ever', async () => {
    const sku = await listed();
    const { version } = await stockOf(sku);
    await reserve(sku, 4);
    const key = newKey();
    const refused = await put({ sku, onHand: 12, ifVersions: [version] }, key);
    expect(refused).toMatchObject({ kind: 'error', reason: 'VERSION_CHANGED', pushbackMs: -1 });
    expect(await put({ sku, onHand: 12, ifVersions: [version] }, key)).toEqual({ ...refused, replayed: true });
    const now = await stockOf(sku);
    expect(now).toMatchObject({ onHand: 10, reserved: 4 });
    expect(await put({ sku, onHand: 12, ifVersions: [99, now.version] })).toMatchObject({ kind: 'completed' });
    const unlisted = { sku: `sku-${randomUUID()}`, unitPrice: 1, currency: 'EUR' };
    for (const condition of [{ ifListed: true }, { ifVersions: [0] }]) {
      expect(await put({ ...unlisted, ...condition })).toMatchObject({ reason: 'VERSION_CHANGED' });
    }
  });

  it.each([
    ['have left', true],
    ['are held', false],
  ])('K8: under a version that was read before goods came back which %s undoes no return', async (_, haveLeft) => {
    const sku = await listed();
    const orderId = await reserve(sku, 4);
    if (haveLeft) await dispatched(orderId);
    const { version, onHand } = await stockOf(sku);
    const refundId = `r-${randomUUID()}`;
    const lines = [{ sku, quantity: 3 }];
    await inventory.client.ReserveRestock({ orderId, refundId, lines }, options(`${refundId}:reserve-restock`));
    const restocked = await inventory.client.Restock({ orderId, refundId }, options(`${refundId}:restock`));
    expect(restocked).toMatchObject({ kind: 'completed' });
    const after = await stockOf(sku);
    expect(await put({ sku, onHand, ifVersions: [version] })).toMatchObject({ reason: 'VERSION_CHANGED' });
    expect(await stockOf(sku)).toEqual(after);
    expect(after).toMatchObject(haveLeft ? { onHand: 9, reserved: 0 } : { onHand: 10, reserved: 1 });
  });

  it('K8: by ten callers at once under one version is set by one of them', async () => {
    const sku = await listed();
    const { version } = await stockOf(sku);
    const counts = Array.from({ length: 10 }, (_, at) => 100 + at);
    const sets = await Promise.all(counts.map((onHand) => put({ sku, onHand, ifVersions: [version] })));
    expect(sets.filter(({ kind }) => kind === 'completed')).toHaveLength(1);
    const won = sets.findIndex(({ kind }) => kind === 'completed');
    expect((await stockOf(sku)).onHand).toBe(counts[won]);
  });

  it('is written in the books with what it replaced', async () => {
    const sku = await listed();
    await adjust(sku, -4);
    await put({ sku, onHand: 9 });
    await put({ sku, unitPrice: 3 });
    const { rows } = await inventory.database.pool.query(
      `select delta, before, after from stock_entries where sku = $1 and kind = 'set' order by (after->>'version')::bigint`,
      [sku],
    );
    expect(rows.slice(1)).toEqual([
      { delta: 3, before: { onHand: 6, version: 2 }, after: { onHand: 9, version: 3 } },
      { delta: 0, before: { unitPrice: 250, version: 3 }, after: { unitPrice: 3, version: 4 } },
    ]);
  });
});
