import { CAPTURE_REFUSALS } from '@holdfast/contracts';
import { newTraceparent } from '@holdfast/service';
import type { FastifyRequest } from 'fastify';
import type { ChangeEffect } from '../../audit/audit-entry.ts';
import type { OrderDeps } from '../../orders/accept-order.ts';
import type { OrderView } from '../../orders/order.ts';
import { readOrder } from '../../orders/order-store.ts';
import { decideSettlement, untilSettled } from '../../settlements/settle-order.ts';
import { refusesAmount } from '../../settlements/settlement.ts';
import type { Settlement } from '../../settlements/settlement-store.ts';
import { Problem } from '../problem.ts';

export interface Dispatching {
  body: object;
  status?: number;
  isOpen?: boolean;
  effect?: ChangeEffect;
}

/** Captures usually take a second. */
const CAPTURE_WAIT_MS = 5_000;

interface Wanted {
  request: FastifyRequest;
  order: OrderView;
  /** Undefined: all of it. */
  amount: number | undefined;
  signal: AbortSignal;
}

/** Of an order whose payment is only authorised: decides that it is captured, and waits a while for it. @throws Problem */
export async function dispatchCaptured(
  deps: OrderDeps,
  { request, order, amount, signal }: Wanted,
): Promise<Dispatching> {
  if (order.status !== 'completed') throw notCompleted(order);
  const { tenantId } = request;
  const total = order.total ?? 0;
  if (amount !== undefined && amount > total) {
    throw amountFault(`the order costs ${total}: capture no more`);
  }
  const traceparent = newTraceparent(request.headers.traceparent as string | undefined);
  const wanted = { tenantId, order, kind: 'capture' as const, amount: amount ?? total, traceparent };
  const patience = { waitMs: CAPTURE_WAIT_MS, signal };
  const decided = await decideSettlement(deps, wanted, patience);
  if (decided.kind === 'unavailable') {
    throw new Problem('try-again', 'This replica cannot take on the capture now. Send the same request again.');
  }
  const { settlement } = decided;
  if (settlement.kind === 'release') {
    throw new Problem('not-completed', 'The order is being cancelled. Only a completed order can be dispatched.');
  }
  if (amount !== undefined && settlement.amount !== amount) {
    throw new Problem(
      'conflict',
      `That ${settlement.amount} are captured was decided before: send that, or no amount.`,
    );
  }
  const now = await untilSettled(deps, settlement, order.id, patience);
  const answered = answerOfCapture(order.id, now);
  if (answered !== undefined) return answered;
  return { body: (await readOrder(deps.pool, tenantId, order.id)) ?? order, status: 202, isOpen: true };
}

export function notCompleted({ status }: OrderView): Problem {
  return new Problem('not-completed', `The order is ${status}. Only a completed order can be dispatched.`);
}

function amountFault(detail: string): Problem {
  return new Problem('invalid-request', undefined, [{ pointer: '/amount', detail }]);
}

/** @returns undefined while it is under way. @throws Problem where nothing was captured */
function answerOfCapture(id: string, { saga }: Settlement): Dispatching | undefined {
  switch (saga?.state) {
    case 'completed': {
      const captured = saga.outputs['capture-payment'];
      const dispatched = saga.outputs['dispatch-shipment'];
      if (refusesAmount(saga))
        throw amountFault(`the card provider does not capture this amount (${captured?.reason})`);
      if (captured?.status !== 'captured' || !dispatched) throw new Problem('authorization-expired');
      const left = { ...dispatched, captured: captured.amount };
      return { body: { id, ...left }, effect: { after: left } };
    }
    case 'failed':
    case 'cancelled':
      if (saga.failure?.reason === 'AUTHORIZATION_EXPIRED') throw new Problem('authorization-expired');
      if (saga.failure !== null && (CAPTURE_REFUSALS as readonly string[]).includes(saga.failure.reason)) {
        throw new Problem('conflict', saga.failure.message);
      }
      // Payment was away for too long, or an operator has turned it back: nothing was captured, and it may be asked for again.
      throw new Problem('service-unavailable');
    default:
      return undefined;
  }
}
