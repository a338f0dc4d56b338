/*
 * S3  Only the shipment of a completed order is dispatched. `completed` is terminal and durable before anybody reads it, so
 *     that no undo of this order is under way or can come any more: nothing that has left is ever to be called back. Shipping
 *     refuses to cancel what it has dispatched all the same.
 * M1  An order that is captured when it is dispatched leaves by a saga of its own, once it is captured (settle-order.ts).
 */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { dispatchKey } from '../../keys/decision-proof.ts';
import type { OrderDeps } from '../../orders/accept-order.ts';
import type { OrderView } from '../../orders/order.ts';
import { readOrder } from '../../orders/order-store.ts';
import { isReturning } from '../../refunds/refund-store.ts';
import type { Participants } from '../../saga/participants.ts';
import { noSuchOrder } from '../cancel-change.ts';
import { hangUp } from '../hang-up.ts';
import { answerOf, optionalKey, sendChange } from '../keyed-change.ts';
import { BODY_PROBLEMS, OPTIONAL_KEY_PROBLEMS, problemResponses, STORE_PROBLEMS, withKeyHeaders } from '../openapi.ts';
import { answer, callOptions } from '../participant-answer.ts';
import { Problem } from '../problem.ts';
import { Dispatched, DispatchRequest, IdParams, nullable, Order } from '../schemas/order-schemas.ts';
import { type Dispatching, dispatchCaptured, notCompleted } from './dispatch-captured.ts';

/** `POST /v1/orders/{id}/dispatch`: the parcel has left. */
export function dispatchRoutes(deps: OrderDeps, participants: Participants): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/orders/:id/dispatch',
      {
        config: { keyed: 'optional' },
        schema: {
          operationId: 'dispatchOrder',
          tags: ['orders'],
          summary: 'Say that the order’s shipment has left',
          description:
            'For completed orders only. Captures the payment first where the order was placed with `capture: "on_dispatch"`. The stock that the order holds is fulfilled soon afterwards, where events are switched on. Asking again gets the same answer, with a key or without. Refused with `conflict` when goods of it go back to stock that had not left, or when another amount was captured, and with `authorization-expired` when nothing can be captured any more. 202: not captured yet, ask again.',
          headers: Type.Object(optionalKey),
          params: IdParams,
          body: nullable(DispatchRequest),
          response: {
            200: withKeyHeaders(Dispatched),
            202: Order,
            ...problemResponses(
              ...OPTIONAL_KEY_PROBLEMS,
              ...BODY_PROBLEMS,
              'not-found',
              'not-completed',
              'authorization-expired',
              'conflict',
              ...STORE_PROBLEMS,
              'service-unavailable',
            ),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const amount = request.body?.amount;
        const order = (await readOrder(deps.pool, request.tenantId, id)) ?? noSuchOrder();
        const dispatch =
          order.capture === undefined
            ? () => dispatchNow(deps, participants, request, order, amount)
            : () => dispatchCaptured(deps, { request, order, amount, signal: hangUp(reply) });
        // A paid order stays completed; one that is only authorised may be cancelled since, and its key has its answer.
        if (order.capture === undefined && order.status !== 'completed') throw notCompleted(order);
        return await sendChange(deps, request, reply, {
          operation: 'POST /v1/orders/{id}/dispatch',
          resource: `/v1/orders/${id}`,
          request: { id, ...(amount !== undefined && { amount }) },
          asked: { ...(amount !== undefined && { amount }) },
          call: () => answerOf(dispatch, ['authorization-expired']),
          read: async () => JSON.stringify((await dispatch()).body),
        });
      },
    );
  };
}

/** Of an order that is paid. */
async function dispatchNow(
  deps: OrderDeps,
  { shipping }: Participants,
  request: FastifyRequest,
  { id }: OrderView,
  amount: number | undefined,
): Promise<Dispatching> {
  if (amount !== undefined) {
    const detail = 'only for an order that is captured when it is dispatched: this one is paid';
    throw new Problem('invalid-request', undefined, [{ pointer: '/amount', detail }]);
  }
  // A1: a return that was accepted before this request is seen here; one that is accepted meanwhile, at shipping.
  const returning = await isReturning(deps.pool, { tenantId: request.tenantId, orderId: id });
  const asked = { orderId: id, returning };
  const key = dispatchKey(deps.fingerprinter, { tenantId: request.tenantId, orderId: id });
  const dispatched = await answer(shipping.DispatchShipment(asked, callOptions(request, key)));
  const { shipmentId, dispatchedAt } = dispatched;
  return { body: { id, shipmentId, dispatchedAt }, effect: { after: { shipmentId, dispatchedAt } } };
}
