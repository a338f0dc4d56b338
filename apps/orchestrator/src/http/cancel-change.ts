import type { ChangeAnswer } from '../keys/change-once.ts';
import type { OrderDeps } from '../orders/accept-order.ts';
import { cancelOrder, cancelRefusal } from '../orders/cancel-order.ts';
import { readOrder } from '../orders/order-store.ts';
import { answerOf, type ChangeRoute } from './keyed-change.ts';
import { Problem } from './problem.ts';

export type CancelChange = ChangeRoute & { call: () => Promise<ChangeAnswer> };

/** Cancelling an order, over HTTP and gRPC alike: the same key gets the same answer from both. */
export function cancelChange(
  deps: OrderDeps,
  order: { tenantId: string; id: string; traceparent: string },
  signal: AbortSignal,
): CancelChange {
  const { tenantId, id } = order;
  const cancel = async () => {
    const cancelled = await cancelOrder(deps, order, signal);
    if (cancelled.kind === 'not_found') return noSuchOrder();
    if (cancelled.kind === 'refused') throw new Problem('cancel-refused', cancelRefusal(cancelled.order));
    const isOpen = cancelled.kind === 'in_progress';
    const effect = { before: { status: cancelled.before }, after: { status: cancelled.order.status } };
    return { body: cancelled.order, status: isOpen ? 202 : 200, isOpen, effect };
  };
  return {
    operation: 'POST /v1/orders/{id}/cancel',
    resource: `/v1/orders/${id}`,
    request: { id },
    asked: {},
    call: () => answerOf(cancel, ['cancel-refused']),
    read: async () => JSON.stringify((await readOrder(deps.pool, tenantId, id)) ?? noSuchOrder()),
  };
}

export function noSuchOrder(): never {
  throw new Problem('not-found', 'You have no order with this id.');
}
