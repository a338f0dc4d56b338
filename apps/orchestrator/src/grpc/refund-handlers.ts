import type { RefundMessage } from '@holdfast/contracts';
import {
  type Answer,
  checkIdentifier,
  errorOf,
  type Handlers,
  InvalidRequest,
  type ServerCall,
  services,
} from '@holdfast/rpc';
import { newTraceparent } from '@holdfast/service';
import { Compile } from 'typebox/compile';
import type { Caller } from '../auth.ts';
import { problems } from '../http/problem.ts';
import { RefundRequest as RefundRequestSchema } from '../http/schemas/order-schemas.ts';
import type { OrderDeps } from '../orders/accept-order.ts';
import { readOrder } from '../orders/order-store.ts';
import { decodeCursor } from '../orders/page.ts';
import { PLACED_REASONS } from '../orders/placed-reasons.ts';
import { acceptRefund, type RefundAccepted } from '../refunds/accept-refund.ts';
import type { RefundRequest, RefundStatus, RefundView } from '../refunds/refund.ts';
import { readRefund, readRefunds } from '../refunds/refund-store.ts';
import { originOf } from './call-origin.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const refundRequest = Compile(RefundRequestSchema);

type RefundHandlers = Pick<Handlers<typeof services.orders>, 'RefundOrder' | 'GetRefund' | 'ListRefunds'>;

/** The methods of refunds: the same ones as over HTTP, under the same keys. */
export function refundHandlers(
  deps: OrderDeps,
  callerOf: (call: ServerCall, operation: string) => Promise<Caller>,
): RefundHandlers {
  return {
    async RefundOrder({ orderId, amount, lines, reason }, call) {
      const caller = await callerOf(call, 'refundOrder');
      const { tenantId } = caller;
      checkIdentifier('order_id', orderId);
      const key = call.key();
      const request = checkedRequest({
        ...(amount !== 0 && { amount }),
        ...(lines.length > 0 && { lines }),
        ...(reason !== '' && { reason }),
      });
      const traceparent = newTraceparent(call.traceparent());
      const origin = originOf(call, caller, traceparent);
      return refundAnswer(await acceptRefund(deps, { tenantId, orderId, key, request, traceparent, origin }));
    },

    async GetRefund({ orderId, id }, call) {
      checkIdentifier('order_id', orderId);
      checkIdentifier('id', id);
      const { tenantId } = await callerOf(call, 'getRefund');
      const refund = await readRefund(deps.pool, { tenantId, orderId, id });
      if (refund === undefined) throw new InvalidRequest('id', 'You have no such refund of this order.', 'NOT_FOUND');
      return { kind: 'completed', message: { refund: refundMessage(refund) } };
    },

    async ListRefunds({ orderId, limit, cursor }, call) {
      const { tenantId } = await callerOf(call, 'listRefunds');
      checkIdentifier('order_id', orderId);
      const after = cursor === '' ? undefined : decodeCursor(cursor);
      if (cursor !== '' && after === undefined) throw new InvalidRequest('cursor', 'send the `next_cursor` unchanged');
      const wanted = Math.min(limit > 0 ? limit : DEFAULT_LIMIT, MAX_LIMIT);
      const page = await readRefunds(deps.pool, { tenantId, orderId }, { limit: wanted, after });
      if (page.rows.length === 0 && (await readOrder(deps.pool, tenantId, orderId)) === undefined) noSuchOrder();
      return {
        kind: 'completed',
        message: { refunds: page.rows.map(refundMessage), nextCursor: page.nextCursor ?? '' },
      };
    },
  };
}

function checkedRequest(request: object): RefundRequest {
  if (refundRequest.Check(request)) return request;
  const [first] = refundRequest.Errors(request);
  throw new InvalidRequest(first?.instancePath || '/', first?.message ?? 'not valid');
}

function refundAnswer(accepted: RefundAccepted): Answer<{ refund: RefundMessage }> {
  switch (accepted.kind) {
    case 'completed': {
      const refund = refundMessage(JSON.parse(accepted.body) as RefundView);
      const bytes = services.orders.RefundOrder.responseSerialize({ refund });
      return { kind: 'completed', bytes, replayed: accepted.replayed };
    }
    case 'no_such_order':
      return noSuchOrder();
    case 'not_completed':
      throw new InvalidRequest(
        'order_id',
        `The order is ${accepted.status}: only a completed one is refunded.`,
        'CONFLICT',
      );
    case 'not_captured':
      throw new InvalidRequest('order_id', problems['not-captured'].detail, 'CONFLICT');
    case 'faulty': {
      const [fault] = accepted.faults;
      throw new InvalidRequest(fault?.pointer || '/', fault?.detail ?? 'not valid');
    }
    case 'reused':
      return errorOf(PLACED_REASONS.reused, undefined, { differing: accepted.differing.join(',') });
    default:
      return errorOf(PLACED_REASONS[accepted.kind]);
  }
}

function noSuchOrder(): never {
  throw new InvalidRequest('order_id', 'You have no order with this id.', 'NOT_FOUND');
}

const STATUS = {
  processing: 'REFUND_STATUS_PROCESSING',
  pending: 'REFUND_STATUS_PENDING',
  succeeded: 'REFUND_STATUS_SUCCEEDED',
  failed: 'REFUND_STATUS_FAILED',
  parked: 'REFUND_STATUS_PARKED',
} as const satisfies Record<RefundStatus, string>;

export function refundMessage({ reason, failure, ...refund }: RefundView): RefundMessage {
  return { ...refund, status: STATUS[refund.status], reason: reason ?? '', ...(failure !== null && { failure }) };
}
