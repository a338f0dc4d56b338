import { setTimeout as delay } from 'node:timers/promises';
import type { NewOrder } from './orders/new-order.ts';
import type { OrderBody } from './orders/order-body.ts';
import { request, type Shop } from './requests.ts';

const LOOK_EVERY_MS = 100;
const BROWSER_TIMEOUT_MS = 10_000;

/** What a customer does when the payment has to be confirmed: most do it, some fail, and some leave. */
export async function confirmPayment(shop: Shop, order: NewOrder, placed: OrderBody): Promise<void> {
  const waiting = await untilAsked(shop, order, placed);
  const clientSecret = waiting?.nextAction?.clientSecret;
  if (waiting === undefined || clientSecret === undefined) return;
  shop.progress.customerActed(order.customer);
  const onPage = waiting.nextAction?.type === 'confirm';
  switch (order.customer) {
    case 'confirms':
      if (onPage) await browse(shop, 'confirm', { clientSecret, paymentMethod: 'pm_card_visa' });
      else await browse(shop, 'authenticate', { clientSecret, outcome: 'succeed' });
      return;
    case 'fails':
      // On the page a declined card is not the end: then the customer leaves.
      if (onPage) await browse(shop, 'confirm', { clientSecret, paymentMethod: 'pm_card_chargeDeclined' });
      else return await browse(shop, 'authenticate', { clientSecret, outcome: 'fail' });
  }
  if (!shop.endsUnconfirmed) await request(shop, 'POST', `/v1/orders/${waiting.id}/cancel`);
}

/** @returns the order that waits for its customer; undefined for one that does not, or has ended */
async function untilAsked(shop: Shop, order: NewOrder, placed: OrderBody): Promise<OrderBody | undefined> {
  if (!mayWait(order)) return undefined;
  for (let seen = placed; !shop.signal.aborted; ) {
    if (seen.status === 'awaiting_payment') return seen;
    if (seen.status !== 'processing') return undefined;
    await delay(LOOK_EVERY_MS);
    const reply = await request(shop, 'GET', `/v1/orders/${placed.id}`);
    if (reply?.status !== 200) return undefined;
    seen = JSON.parse(reply.text) as OrderBody;
  }
  return undefined;
}

/** Most orders never ask anybody: they are not looked at again and again. */
function mayWait({ request: { payment } }: NewOrder): boolean {
  const { method } = payment;
  return (
    method === undefined || method === 'pm_card_authenticationRequired' || method === 'pm_card_threeDSecure2Required'
  );
}

/** Whatever the card provider answers, or if it does not: the customer has tried. */
async function browse({ sandbox, signal }: Shop, path: string, body: object): Promise<void> {
  try {
    const response = await fetch(`${sandbox}/browser/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(BROWSER_TIMEOUT_MS)]),
    });
    await response.body?.cancel();
  } catch {
    // The order ends all the same: when its time is over.
  }
}
