import { decideSettlement, untilSettled } from '../settlements/settle-order.ts';
import { hasCapturedNothing } from '../settlements/settlement.ts';
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
  deps: OrderDeps,
  { tenantId, id, traceparent }: { tenantId: string; id: string; traceparent: string },
  signal: AbortSignal,
): Promise<Cancelled> {
  const { pool, engine } = deps;
  const before = (await readOrder(pool, tenantId, id))?.status;
  if (before === undefined) return { kind: 'not_found' };
  const turned = before === 'completed' ? 'refused' : (await engine.cancel(id, CANCEL_WAIT_MS, signal)).kind;
  const order = await readOrder(pool, tenantId, id);
  if (order === undefined) return { kind: 'not_found' };
  if (turned === 'in_progress') return { kind: turned, order, before };
  if (turned !== 'refused') return { kind: 'cancelled', order, before };
  // Completed, and its payment only authorised: what was done is undone by a saga of its own.
  return order.capture === undefined
    ? { kind: 'refused', order, before }
    : { ...(await release(deps, { tenantId, order, traceparent }, signal)), before };
}

async function release(
  deps: OrderDeps,
  { tenantId, order, traceparent }: { tenantId: string; order: OrderView; traceparent: string },
  signal: AbortSignal,
): Promise<{ kind: 'cancelled' | 'in_progress' | 'refused'; order: OrderView }> {
  const { status, capture, id } = order;
  if (status === 'cancelled') return { kind: 'cancelled', order };
  const isReleasing = capture?.status === 'releasing';
  if (!isReleasing && (status !== 'completed' || capture?.status === 'captured')) return { kind: 'refused', order };
  for (;;) {
    const wanted = { tenantId, order, kind: 'release' as const, amount: 0, traceparent };
    const patience = { waitMs: CANCEL_WAIT_MS, signal };
    const decided = await decideSettlement(deps, wanted, patience);
    // Nothing was decided: this process has no room, or no lease. Whoever asks again is heard.
    if (decided.kind === 'unavailable') return { kind: 'in_progress', order };
    const settled = await untilSettled(deps, decided.settlement, id, patience);
    // A dispatch was faster, and could capture nothing: now it can be released.
    if (hasCapturedNothing(settled)) continue;
    const now = (await readOrder(deps.pool, tenantId, id)) ?? order;
    if (now.status === 'cancelled') return { kind: 'cancelled', order: now };
    return { kind: now.capture?.status === 'captured' ? 'refused' : 'in_progress', order: now };
  }
}

export function cancelRefusal({ status, capture }: OrderView): string {
  if (capture?.status === 'capturing' || capture?.status === 'captured') {
    return 'The order is being dispatched, or has left: its payment is captured. Refund it instead.';
  }
  return `The order is ${status}. It can no longer be cancelled.`;
}
