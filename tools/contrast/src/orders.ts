/* The orders of a contrast run, and what goes wrong with each: all of it by the seed, the same for every way to run them. */

import type { AcceptedOrder } from '@holdfast/orchestrator';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export const TENANT_ID = 'shop';
export const CUSTOMER_ID = 'rich';
export const [IN_STOCK, SOLD_OUT] = ['apple', 'sold-out'] as const;

/** What happens to the first call of one direction of one step, or from then on for a while. */
export const FAULTS = [
  /** It never arrives. */
  'request-lost',
  /** It is done, and nobody hears of it. */
  'reply-lost',
  /** Its caller stops waiting; it arrives long after that. */
  'late',
  /** For a while everything that this order asks there is done, and nobody hears of it. */
  'replies-lost-for-a-while',
  /** For a while everything that this order asks there is held up, and arrives when the network has healed. */
  'held-up-for-a-while',
  /** The process dies before the call is out. */
  'dies-before',
  /** The process dies when the answer is here, before anything is made of it. */
  'dies-after',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface PlannedFault {
  fault: Fault;
  step: string;
  direction: 'act' | 'undo';
}

export interface PlannedOrder {
  order: Omit<AcceptedOrder, 'createdAt' | 'traceparent'>;
  fault: PlannedFault | null;
}

const STEPS = ['reserve-inventory', 'charge-payment', 'create-shipment'] as const;
const FAULTY_SHARE = 0.6;
/** A process that dies takes a second to come back: fewer of those. */
const WEIGHTS: Record<Fault, number> = {
  'request-lost': 2,
  'reply-lost': 2,
  late: 2,
  'replies-lost-for-a-while': 2,
  'held-up-for-a-while': 2,
  'dies-before': 0.4,
  'dies-after': 0.4,
};

/** @param seed the same gives the same orders; each order depends on the seed and its number alone */
export function plannedOrder(seed: number, n: number): PlannedOrder {
  const generator = xoroshiro128plus(seed ^ Math.imul(n + 1, 0x9e3779b1));
  // The first numbers of neighbouring seeds look alike.
  for (let skipped = 0; skipped < 8; skipped++) uniformFloat64(generator);
  const random = () => uniformFloat64(generator);
  const kind = random();
  const byCard = random() < 0.5;
  const method = kind < 0.2 ? 'pm_card_chargeDeclined' : byCard ? 'pm_card_visa' : 'balance';
  const isRefusedAddress = kind >= 0.2 && kind < 0.4;
  const sku = kind >= 0.4 && kind < 0.45 ? SOLD_OUT : IN_STOCK;
  const postalCode = isRefusedAddress ? '00000' : '53111';
  return {
    order: {
      tenantId: TENANT_ID,
      customerId: CUSTOMER_ID,
      currency: 'EUR',
      items: [{ sku, quantity: 1 }],
      payment: { method },
      shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode, country: 'DE' },
    },
    fault: random() < FAULTY_SHARE ? plannedFault(random) : null,
  };
}

function plannedFault(random: () => number): PlannedFault {
  let left = random() * Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
  const fault = FAULTS.find((name) => {
    left -= WEIGHTS[name];
    return left < 0;
  });
  const step = STEPS[Math.floor(random() * STEPS.length)] as string;
  return { fault: fault ?? 'request-lost', step, direction: random() < 0.7 ? 'act' : 'undo' };
}

/** Whether the process dies of it. */
export function isDeadly(planned: PlannedFault | null): boolean {
  return planned !== null && ['dies-before', 'dies-after'].includes(planned.fault);
}

/** An order's id tells who runs it and which one it is. */
export function orderId(way: string, seed: number, n: number): string {
  return `${way}-${seed}-${String(n).padStart(6, '0')}`;
}

export function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}
