import { CURRENCIES } from '@holdfast/contracts';
import type { Fault } from '../http/problem.ts';
import { addressFaults } from './address-faults.ts';
import { besideItems, type OrderRequest, type PaymentRequest } from './order.ts';

export const UNKNOWN_CURRENCY = 'send an ISO 4217 code that is in use';

/** What belongs to a payment by card, and to one that is made without the customer. */
function paymentFaults({ method = 'card', customer, offSession, returnUrl, capture }: PaymentRequest): Fault[] {
  const faults: Fault[] = [];
  const ofCards = Object.entries({ customer, offSession, returnUrl, capture }).filter(
    ([, value]) => value !== undefined,
  );
  if (method === 'balance') {
    for (const [name] of ofCards) faults.push({ pointer: `/payment/${name}`, detail: 'only for a payment by card' });
  } else if (method === 'card' && offSession === true) {
    const detail = 'send a payment method, too: nobody is there to give one on the shop’s page';
    faults.push({ pointer: '/payment/offSession', detail });
  }
  return faults;
}

/**
 * What a schema can't say: currency, country and postal code exist, no SKU comes twice, and the shop's own numbers add up. Twice is refused, not
 * added up: a client that repeats a line by mistake would be charged for it.
 * @returns the faults, by JSON pointer; empty when there is none
 */
export function orderFaults(request: OrderRequest): Fault[] {
  const faults: Fault[] = [];
  if (!CURRENCIES.has(request.currency)) {
    faults.push({ pointer: '/currency', detail: UNKNOWN_CURRENCY });
  }
  faults.push(...paymentFaults(request.payment));
  const firstAt = new Map<string, number>();
  for (const [at, { sku }] of request.items.entries()) {
    const first = firstAt.get(sku);
    if (first === undefined) firstAt.set(sku, at);
    else faults.push({ pointer: `/items/${at}/sku`, detail: `the same SKU as /items/${first}: send one line per SKU` });
  }
  faults.push(...addressFaults(request.shipTo), ...lineFaults(request));
  return faults;
}

function lineFaults(request: OrderRequest): Fault[] {
  const { items, lines = [], expectedTotal } = request;
  const faults = lines.flatMap(({ kind, amount }, at): Fault[] => {
    const isRight = kind === 'discount' ? amount <= 0 : amount >= 0;
    const detail = kind === 'discount' ? 'send a discount as 0 or below' : 'only a discount is below 0';
    return isRight ? [] : [{ pointer: `/lines/${at}/amount`, detail }];
  });
  // Where every price is given, so is the total.
  const shown = items.reduce((sum, { unitPrice, quantity }) => sum + quantity * (unitPrice ?? Number.NaN), 0);
  if (Number.isNaN(shown)) return faults;
  const total = shown + besideItems(request);
  if (!Number.isSafeInteger(total)) faults.push({ pointer: '/items', detail: 'the total passes 2^53 - 1: order less' });
  if (total < 0) faults.push({ pointer: '/lines', detail: 'the total is below 0: take less off' });
  if (expectedTotal !== undefined && expectedTotal !== total) {
    faults.push({ pointer: '/expectedTotal', detail: `the prices and lines add up to ${total}` });
  }
  return faults;
}
