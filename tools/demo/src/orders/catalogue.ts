import { request, type Shop } from '../requests.ts';
import { CURRENCY, customerIdOf, type ShopSize, skuOf } from './new-order.ts';
import type { Random } from './random.ts';

const AT_ONCE = 16;
const PLENTY = 1_000_000;
const RICH = 10_000_000_000;
const SCARCE_SHARE = 0.02;
const EMPTY_SHARE = 0.05;

/** Lists the items, few of some, and opens the accounts, some of them empty. @throws Error when that is refused */
export async function openShop(shop: Shop, random: Random, size: ShopSize): Promise<void> {
  const puts: [path: string, body: object][] = [];
  for (let item = 1; item <= size.items; item++) {
    const onHand = random.chance(SCARCE_SHARE) ? random.integer(0, 30) : PLENTY;
    puts.push([`/v1/stock/${skuOf(item)}`, { onHand, unitPrice: random.integer(100, 10_000), currency: CURRENCY }]);
  }
  for (let customer = 1; customer <= size.customers; customer++) {
    const balance = random.chance(EMPTY_SHARE) ? 0 : RICH;
    puts.push([`/v1/accounts/${customerIdOf(customer)}`, { balance, currency: CURRENCY }]);
  }
  const next = puts.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [path, body] of next) {
        const headers = { 'idempotency-key': `${shop.runId}-set-${path.replaceAll('/', '.')}` };
        const reply = await request(shop, 'PUT', path, { body, headers });
        if (reply !== undefined && reply.status !== 200 && !isHeld(reply.text))
          throw new Error(`PUT ${path} was answered ${reply.text}`);
      }
    }),
  );
}

/** On a system that has been used, orders may hold more of an item than it is to have: then it stays as it is. */
function isHeld(text: string): boolean {
  return (JSON.parse(text) as { code?: string }).code === 'conflict';
}
