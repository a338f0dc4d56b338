import { type OrderMessage, reasons } from '@holdfast/contracts';
import { type Answer, errorOf, type Handlers, InvalidRequest, type ServerCall, services } from '@holdfast/rpc';
import { newTraceparent } from '@holdfast/service';
import { Compile } from 'typebox/compile';
import type { Authenticate } from '../auth.ts';
import { OrderRequest as OrderRequestSchema } from '../http/schemas.ts';
import { acceptOrder, MAX_WAIT_MS, type OrderDeps, type Placed } from '../orders/accept-order.ts';
import type { OrderRequest, OrderStatus, OrderView } from '../orders/order.ts';
import { orderChanges } from '../orders/order-changes.ts';
import { orderFaults } from '../orders/order-request.ts';
import { readOrder } from '../orders/order-store.ts';
import { PLACED_REASONS } from '../orders/placed-reasons.ts';
import { refundHandlers, refundMessage } from './refund-handlers.ts';

const CANCEL_WAIT_MS = 5_000;
const orderRequest = Compile(OrderRequestSchema);

/** `holdfast.orders.v1.OrderService`: the same orders as over HTTP, under the same keys. */
export function orderHandlers(deps: OrderDeps, authenticate: Authenticate): Handlers<typeof services.orders> {
  const tenantOf = (call: ServerCall): string => {
    const tenantId = authenticate(call.authorization());
    if (tenantId === undefined) {
      throw new InvalidRequest('authorization', reasons.UNAUTHENTICATED.detail, 'UNAUTHENTICATED');
    }
    return tenantId;
  };
  const findOrder = async (tenantId: string, id: string): Promise<OrderView> => {
    const order = await readOrder(deps.pool, tenantId, id);
    if (order === undefined) throw new InvalidRequest('id', 'You have no order with this id.', 'NOT_FOUND');
    return order;
  };
  return {
    async PlaceOrder(request, call) {
      const tenantId = tenantOf(call);
      const key = call.key();
      const order = checkedRequest({
        customerId: request.customerId,
        currency: request.currency,
        items: request.items,
        payment: { method: request.paymentMethod },
        shipTo: request.shipTo ?? {},
      });
      const placed = await acceptOrder(deps, {
        tenantId,
        key,
        request: order,
        waitMs: Math.min(Math.max(request.waitMs, 0), MAX_WAIT_MS, Math.max(call.remainingMs() - 500, 0)),
        traceparent: newTraceparent(call.traceparent()),
        signal: call.signal,
      });
      return placedAnswer(placed);
    },

    async GetOrder(request, call) {
      return viewAnswer(await findOrder(tenantOf(call), request.id));
    },

    async CancelOrder(request, call) {
      const tenantId = tenantOf(call);
      await findOrder(tenantId, request.id);
      const cancelled = await deps.engine.cancel(request.id, CANCEL_WAIT_MS, call.signal);
      const order = await findOrder(tenantId, request.id);
      if (cancelled.kind === 'refused') {
        return errorOf('CANCEL_REFUSED', `The order is ${order.status}. It can no longer be cancelled.`);
      }
      return viewAnswer(order);
    },

    ...refundHandlers(deps, tenantOf),

    async *WatchOrder(request, call) {
      const tenantId = tenantOf(call);
      await findOrder(tenantId, request.id);
      for await (const order of orderChanges(deps, tenantId, request.id, call.signal)) yield viewAnswer(order);
    },
  };
}

function checkedRequest(request: object): OrderRequest {
  if (!orderRequest.Check(request)) {
    const [first] = orderRequest.Errors(request);
    throw new InvalidRequest(first?.instancePath || '/', first?.message ?? 'not valid');
  }
  const [fault] = orderFaults(request);
  if (fault !== undefined) throw new InvalidRequest(fault.pointer, fault.detail);
  return request;
}

function placedAnswer(placed: Placed): Answer<{ order: OrderMessage }> {
  if (placed.kind === 'completed') {
    const order = orderMessage(JSON.parse(placed.body) as OrderView);
    const bytes = services.orders.PlaceOrder.responseSerialize({ order });
    return { kind: 'completed', bytes, replayed: placed.replayed };
  }
  const metadata = placed.kind === 'reused' ? { differing: placed.differing.join(',') } : {};
  return errorOf(PLACED_REASONS[placed.kind], undefined, metadata);
}

function viewAnswer(view: OrderView): Answer<{ order: OrderMessage }> {
  return { kind: 'completed', message: { order: orderMessage(view) } };
}

const STATUS = {
  processing: 'ORDER_STATUS_PROCESSING',
  completed: 'ORDER_STATUS_COMPLETED',
  compensating: 'ORDER_STATUS_COMPENSATING',
  failed: 'ORDER_STATUS_FAILED',
  cancelled: 'ORDER_STATUS_CANCELLED',
  parked: 'ORDER_STATUS_PARKED',
} as const satisfies Record<OrderStatus, string>;

function orderMessage(view: OrderView): OrderMessage {
  const { total, reservationId, paymentId, shipmentId, refunds, ...order } = view;
  return {
    ...order,
    status: STATUS[view.status],
    items: view.items.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, ...present({ unitPrice }) })),
    refunds: refunds.map(refundMessage),
    ...present({ total, reservationId, paymentId, shipmentId }),
  };
}

/** Only the members that are known: protobuf's optional fields are absent, not null. */
function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], null> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as never;
}
