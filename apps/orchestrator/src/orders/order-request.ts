import type { Fault } from '../http/problem.ts';
import type { OrderRequest } from './order.ts';

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/**
 * What a schema can't say: the currency exists, and no SKU comes twice. Twice is refused, not added up: a client that
 * repeats a line by mistake would be charged for it.
 * @returns the faults, by JSON pointer; empty when there is none
 */
export function orderFaults(request: OrderRequest): Fault[] {
  const faults: Fault[] = [];
  if (!CURRENCIES.has(request.currency)) {
    faults.push({ pointer: '/currency', detail: 'send an ISO 4217 code that is in use' });
  }
  const firstAt = new Map<string, number>();
  for (const [at, { sku }] of request.items.entries()) {
    const first = firstAt.get(sku);
    if (first === undefined) firstAt.set(sku, at);
    else faults.push({ pointer: `/items/${at}/sku`, detail: `the same SKU as /items/${first}: send one line per SKU` });
  }
  return faults;
}
