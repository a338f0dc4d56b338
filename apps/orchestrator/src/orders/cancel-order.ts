import type { OrderDeps } from './accept-order.ts';
import type { OrderStatus, OrderView } from './order.ts';
import { readOrder } from './order-store.ts';

/** `in_progress`: not decided yet, look again. */
export type Cancelled =
  | { kind: 'cancelled' | 'in_progress' | 'refused'; order: OrderView; before: OrderStatus }
  | { kind: 'not_found' };

const CANCEL_WAIT_MS = 5_000;

/** Turns the order back, as far as it can be; waits a while for the decision. */
export async function cancelOrder(
  { pool, engine }: OrderDeps,
  { tenantId, id }: { tenantId: string; id: string },
  signal: AbortSignal,
): Promise<Cancelled> {
  const before = (await readOrder(pool, tenantId, id))?.status;
  if (before === undefined) return { kind: 'not_found' };
  const { kind } = await engine.cancel(id, CANCEL_WAIT_MS, signal);
  const order = await readOrder(pool, tenantId, id);
  if (order === undefined) return { kind: 'not_found' };
  return { kind: kind === 'refused' || kind === 'in_progress' ? kind : 'cancelled', order, before };
}

export function cancelRefusal({ status }: OrderView): string {
  return `The order is ${status}. It can no longer be cancelled.`;
}
