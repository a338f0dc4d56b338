import { randomUUID } from 'node:crypto';
import { pricesIn } from '@holdfast/contracts';
import { createStepClient } from '@holdfast/participant';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { type Client, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryMigrations, inventoryService } from './index.ts';

let participant: TestParticipant<typeof services.inventory>;
/** Its calls of one turn travel together and share a transaction. */
let inventory: Client<typeof services.inventory>;
beforeAll(async () => {
  participant = await testParticipant('shown-prices', services.inventory, inventoryMigrations, inventoryService);
  inventory = createStepClient(services.inventory, participant.address);
});
afterAll(async () => {
  inventory.close();
  await participant.stop();
});

const options = (key: string) => ({ timeoutMs: 10_000, tenantId: 'shop', key });

async function listed(unitPrice: number): Promise<string> {
  const sku = `sku-${randomUUID().slice(0, 8)}`;
  const put = { sku, onHand: 100, unitPrice, currency: 'EUR' };
  expect(await inventory.PutStock(put, options(`put-of-${sku}`))).toMatchObject({ kind: 'completed' });
  return sku;
}

interface Shown {
  lines: { sku: string; quantity: number; unitPrice?: number }[];
  beside?: number;
  expectedTotal?: number;
}
const reserve = (shown: Shown, orderId: string = randomUUID()) =>
  inventory.ReserveInventory({ orderId, currency: 'EUR', ...shown }, options(`${orderId}:reserve-inventory`));

const reservedOf = async (sku: string) => {
  const got = await inventory.GetStock({ sku }, options(`get-${randomUUID()}`));
  return got.kind === 'completed' ? got.message.stock?.reserved : undefined;
};

describe('the price that was shown', () => {
  it('is the price that is reserved, or nothing is', async () => {
    const [tea, cup] = [await listed(250), await listed(900)];
    const lines = [
      { sku: tea, quantity: 2, unitPrice: 250 },
      { sku: cup, quantity: 1 },
    ];
    expect(await reserve({ lines, beside: 490, expectedTotal: 1_890 })).toMatchObject({
      kind: 'completed',
      message: { total: 1_400 },
    });
    await inventory.PutStock({ sku: tea, unitPrice: 275 }, options(`put-${randomUUID()}`));
    const refused = await reserve({ lines, beside: 490, expectedTotal: 1_890 });
    expect(refused).toMatchObject({ kind: 'error', reason: 'PRICE_CHANGED', pushbackMs: -1 });
    expect(refused.kind === 'error' && refused.message).toBe(
      `${tea} costs 275, 250 was shown; ${cup} costs 900; the total is 1940, 1890 was shown`,
    );
    expect(refused.kind === 'error' && pricesIn(refused.metadata)).toEqual({ unitPrices: [275, 900], total: 1_940 });
    expect([await reservedOf(tea), await reservedOf(cup)]).toEqual([2, 1]);
  });

  it('S5: that had changed stays changed for this order, though the price has come back', async () => {
    const sku = await listed(300);
    const orderId = randomUUID();
    const shown = { lines: [{ sku, quantity: 1, unitPrice: 250 }] };
    const refused = await reserve(shown, orderId);
    await inventory.PutStock({ sku, unitPrice: 250 }, options(`put-${randomUUID()}`));
    expect(await reserve(shown, orderId)).toEqual({ ...refused, replayed: true });
  });

  it('K5: of a reservation whose claim is gone is the one that it was made with', async () => {
    const sku = await listed(250);
    const orderId = randomUUID();
    const shown = { lines: [{ sku, quantity: 1, unitPrice: 250 }] };
    await reserve(shown, orderId);
    await inventory.PutStock({ sku, unitPrice: 999 }, options(`put-${randomUUID()}`));
    await participant.database.pool.query(`delete from holdfast.claims where tenant_id = 'shop' and scope = $1`, [
      orderId,
    ]);
    expect(await reserve(shown, orderId)).toMatchObject({ kind: 'completed', message: { total: 250 } });
  });

  it('is judged order by order in a batch: neighbours are not refused with it', async () => {
    const sku = await listed(250);
    const prices = Array.from({ length: 40 }, (_, at) => (at % 3 === 0 ? 251 : at % 3 === 1 ? 250 : undefined));
    const all = await Promise.all(
      prices.map((unitPrice) => reserve({ lines: [{ sku, quantity: 1, ...(unitPrice && { unitPrice }) }] })),
    );
    expect(all.map((one) => (one.kind === 'completed' ? 'reserved' : one.reason))).toEqual(
      prices.map((price) => (price === 251 ? 'PRICE_CHANGED' : 'reserved')),
    );
    expect(await reservedOf(sku)).toBe(prices.filter((price) => price !== 251).length);
  });

  it('with a discount of more than the items cost leaves no total below 0', async () => {
    const sku = await listed(250);
    const lines = [{ sku, quantity: 1 }];
    expect(await reserve({ lines, beside: -250 })).toMatchObject({ kind: 'completed' });
    expect(await reserve({ lines, beside: -251 })).toMatchObject({
      reason: 'PRICE_CHANGED',
      message: `${sku} costs 250; the discounts take 1 more than there is to pay`,
      metadata: { unit_prices: '250', total: '-1' },
    });
  });

  it('tells the total and some of many prices, and programs all of them', async () => {
    const skus: string[] = [];
    for (let at = 0; at < 25; at++) skus.push(await listed(10));
    // The last one alone has changed.
    const lines = skus.map((sku, at) => ({ sku, quantity: 1, unitPrice: at === 24 ? 9 : 10 }));
    const refused = await reserve({ lines, expectedTotal: 249 });
    const told = refused.kind === 'error' ? refused.message : '';
    expect(told).toMatch(new RegExp(`^${skus[24]} costs 10, 9 was shown; `));
    expect(told).toMatch(/; and 5 more; the total is 250, 249 was shown$/);
    expect(told.match(/costs 10/g)).toHaveLength(20);
    expect(refused.kind === 'error' && pricesIn(refused.metadata)).toEqual({
      unitPrices: skus.map(() => 10),
      total: 250,
    });
  });
});
