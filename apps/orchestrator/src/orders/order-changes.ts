import { setTimeout as delay } from 'node:timers/promises';
import type { OrderDeps } from './accept-order.ts';
import { isTerminal, type OrderView } from './order.ts';
import { readOrder } from './order-store.ts';

// Changes of this process arrive at once; those of another replica are found by polling.
const LOOK_AGAIN_MS = 500;

/**
 * The order now and after every change, up to and including its terminal status. Ends early when `signal` aborts.
 * Changes that follow one another faster than they are read may arrive as one.
 * @throws pg errors; ask again then
 */
export async function* orderChanges(
  deps: OrderDeps,
  tenantId: string,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<OrderView, 'ended' | 'not-found' | 'aborted'> {
  let changed = Promise.withResolvers<void>();
  const unsubscribe = deps.engine.subscribe(id, () => changed.resolve());
  let lastSent: string | undefined;
  try {
    while (!signal.aborted) {
      // Renewed before the read, so that a change during the read is not missed.
      changed = Promise.withResolvers<void>();
      const order = await readOrder(deps.pool, tenantId, id);
      if (order === undefined) return 'not-found';
      // Asking about a payment now and then is a checkpoint each time, and no change of the order.
      const mark =
        order.status === 'awaiting_payment' ? JSON.stringify(order.nextAction) : `${order.updatedAt} ${order.status}`;
      if (mark !== lastSent) yield order;
      lastSent = mark;
      if (isTerminal(order.status)) return 'ended';
      const pause = new AbortController();
      const stop = AbortSignal.any([signal, pause.signal]);
      await Promise.race([changed.promise, delay(LOOK_AGAIN_MS, undefined, { signal: stop }).catch(() => undefined)]);
      pause.abort();
    }
    return 'aborted';
  } finally {
    unsubscribe();
  }
}
