import { type OrderMessage, type PlaceOrderRequest, reasons, type ShipToMessage } from '@holdfast/contracts';
import {
  type Answer,
  checkIdentifier,
  errorOf,
  type Handlers,
  InvalidRequest,
  type RpcError,
  type ServerCall,
  services,
} from '@holdfast/rpc';
import { newTraceparent } from '@holdfast/service';
import { Compile } from 'typebox/compile';
import { type Authenticate, type Caller, missingScope } from '../auth.ts';
import { cancelChange } from '../http/cancel-change.ts';
import { changeUnkeyed } from '../http/keyed-change.ts';
import { OrderRequest as OrderRequestSchema } from '../http/schemas/order-schemas.ts';
import { scopesOf } from '../http/scopes.ts';
import { type ChangeAnswer, type Changed, changeOnce } from '../keys/change-once.ts';
import { acceptOrder, MAX_WAIT_MS, type OrderDeps, type Placed } from '../orders/accept-order.ts';
import type { OrderFailure } from '../orders/changed-prices.ts';
import type { OrderLine, OrderRequest, OrderStatus, OrderView, PaymentRequest } from '../orders/order.ts';
import { orderChanges } from '../orders/order-changes.ts';
import { orderFaults } from '../orders/order-request.ts';
import { readOrder } from '../orders/order-store.ts';
import { PLACED_REASONS } from '../orders/placed-reasons.ts';
import { originOf } from './call-origin.ts';
import { refundHandlers, refundMessage } from './refund-handlers.ts';

const orderRequest = Compile(OrderRequestSchema);

/** `holdfast.orders.v1.OrderService`: the same orders as over HTTP, under the same keys. */
export function orderHandlers(deps: OrderDeps, authenticate: Authenticate): Handlers<typeof services.orders> {
  const callerOf = async (call: ServerCall, operation: string): Promise<Caller> => {
    const verdict = await authenticate(call.authorization());
    if (verdict.kind !== 'caller') {
      const reason = verdict.kind === 'unavailable' ? 'STORE_UNAVAILABLE' : 'UNAUTHENTICATED';
      throw new InvalidRequest('authorization', reasons[reason].detail, reason);
    }
    const { caller } = verdict;
    const missing = missingScope(caller, scopesOf(operation));
    if (missing !== undefined) {
      throw new InvalidRequest(
        'authorization',
        `use an API key that has the scope \`${missing}\``,
        'INSUFFICIENT_SCOPE',
      );
    }
    return caller;
  };
  const tenantOf = async (call: ServerCall, operation: string) => (await callerOf(call, operation)).tenantId;
  const findOrder = async (tenantId: string, id: string): Promise<OrderView> => {
    const order = await readOrder(deps.pool, tenantId, checkIdentifier('id', id));
    if (order === undefined) throw new InvalidRequest('id', 'You have no order with this id.', 'NOT_FOUND');
    return order;
  };
  return {
    async PlaceOrder(request, call) {
      const tenantId = await tenantOf(call, 'placeOrder');
      const key = call.key();
      const order = checkedRequest({
        customerId: request.customerId,
        currency: request.currency,
        items: request.items.map(({ sku, quantity, unitPrice, name }) => ({
          sku,
          quantity,
          ...sent({ unitPrice, name }),
        })),
        payment: paymentOf(request),
        shipTo: request.shipTo === null ? {} : addressOf(request.shipTo),
        ...sent({ expectedTotal: request.expectedTotal, reference: request.reference }),
        ...(request.lines.length > 0 && {
          lines: request.lines.map((line) => ({ ...line, kind: KIND_OF[line.kind] })),
        }),
        ...(Object.keys(request.metadata).length > 0 && { metadata: request.metadata }),
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
      return viewAnswer(await findOrder(await tenantOf(call, 'getOrder'), request.id));
    },

    async CancelOrder(request, call) {
      const caller = await callerOf(call, 'cancelOrder');
      const { tenantId } = caller;
      await findOrder(tenantId, request.id);
      const traceparent = newTraceparent(call.traceparent());
      const origin = originOf(call, caller, traceparent);
      const cancel = { ...cancelChange(deps, { tenantId, id: request.id, traceparent }, call.signal), origin };
      const key = call.keyIfSent();
      if (key === undefined) return orderAnswer(await changeUnkeyed(deps, cancel, { tenantId }));
      const changed = await changeOnce(deps, { ...cancel, tenantId, key });
      return changed.kind === 'completed' ? orderAnswer(changed) : keyRefusal(changed);
    },

    ...refundHandlers(deps, callerOf),

    async *WatchOrder(request, call) {
      const { tenantId, ended } = await callerOf(call, 'watchOrder');
      await findOrder(tenantId, request.id);
      // T3: it ends with its key too. The client asks again, and is told so.
      const gone = ended === undefined ? call.signal : AbortSignal.any([call.signal, ended]);
      for await (const order of orderChanges(deps, tenantId, request.id, gone)) yield viewAnswer(order);
    },
  };
}

function addressOf({ name, line1, city, country, ...rest }: ShipToMessage) {
  return { name, line1, city, country, ...sent(rest) };
}

/** What was not sent is left out, as in JSON. */
function paymentOf(request: PlaceOrderRequest): PaymentRequest {
  const { paymentMethod: method, paymentCustomer: customer, paymentReturnUrl: returnUrl } = request;
  return {
    ...sent({ method, customer, returnUrl }),
    ...(request.paymentOffSession && { offSession: true }),
    ...(request.paymentCaptureOnDispatch && { capture: 'on_dispatch' as const }),
  };
}

const KINDS = {
  shipping: 'LINE_KIND_SHIPPING',
  tax: 'LINE_KIND_TAX',
  discount: 'LINE_KIND_DISCOUNT',
  fee: 'LINE_KIND_FEE',
} as const satisfies Record<OrderLine['kind'], string>;
const KIND_OF: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(KINDS).map(([ours, wire]) => [wire, ours]),
);

/** Only what was sent: the same request over HTTP has no other members. */
function sent<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== ''),
  ) as never;
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
  return placed.kind === 'completed' ? orderAnswer(placed) : keyRefusal(placed);
}

/** An answer that was stored as JSON, its refusals as problems. */
function orderAnswer({ body, replayed, status = 200 }: AnsweredOrder): Answer<{ order: OrderMessage }> {
  if (status >= 400) return { ...errorOf('CANCEL_REFUSED', (JSON.parse(body) as { detail: string }).detail), replayed };
  const order = orderMessage(JSON.parse(body) as OrderView);
  return { kind: 'completed', bytes: services.orders.PlaceOrder.responseSerialize({ order }), replayed };
}

type AnsweredOrder = Pick<ChangeAnswer, 'body' | 'replayed'> & { status?: number };

/** The key gives this request no answer. */
function keyRefusal(refused: Exclude<Placed | Changed, { kind: 'completed' }>): RpcError {
  const metadata = refused.kind === 'reused' ? { differing: refused.differing.join(',') } : {};
  return errorOf(PLACED_REASONS[refused.kind], undefined, metadata);
}

function viewAnswer(view: OrderView): Answer<{ order: OrderMessage }> {
  return { kind: 'completed', message: { order: orderMessage(view) } };
}

const STATUS = {
  processing: 'ORDER_STATUS_PROCESSING',
  awaiting_payment: 'ORDER_STATUS_AWAITING_PAYMENT',
  completed: 'ORDER_STATUS_COMPLETED',
  compensating: 'ORDER_STATUS_COMPENSATING',
  failed: 'ORDER_STATUS_FAILED',
  cancelled: 'ORDER_STATUS_CANCELLED',
  parked: 'ORDER_STATUS_PARKED',
} as const satisfies Record<OrderStatus, string>;

function orderMessage(view: OrderView): OrderMessage {
  const { total, reservationId, paymentId, shipmentId, nextAction, refunds, capture, failure, ...order } = view;
  return {
    ...order,
    status: STATUS[view.status],
    items: view.items.map(({ unitPrice, ...item }) => ({ ...item, ...present({ unitPrice }) })),
    lines: view.lines?.map((line) => ({ ...line, kind: KINDS[line.kind] })) ?? [],
    refunds: refunds.map(refundMessage),
    ...(capture !== undefined && { capture: { ...capture, expiresAt: capture.expiresAt ?? '' } }),
    ...(failure !== null && { failure: failureMessage(failure) }),
    ...present({ total, reservationId, paymentId, shipmentId, nextAction }),
  };
}

function failureMessage({ prices, ...failure }: OrderFailure): NonNullable<OrderMessage['failure']> {
  if (prices === undefined) return failure;
  const items = prices.items.map(({ shownUnitPrice, ...item }) => ({ ...item, ...present({ shownUnitPrice }) }));
  const { total, shownTotal } = prices;
  return { ...failure, prices: { items, ...present({ total, shownTotal }) } };
}

/** Only the members that are known: protobuf's optional fields are absent, not null. */
function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], null> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as never;
}
