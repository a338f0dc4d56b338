/*
 * S3  Only the shipment of a completed order is dispatched. `completed` is terminal and durable before anybody reads it, so
 *     that no undo of this order is under way or can come any more: nothing that has left is ever to be called back. Shipping
 *     refuses to cancel what it has dispatched all the same.
 */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { dispatchKey } from '../../keys/decision-proof.ts';
import type { OrderDeps } from '../../orders/accept-order.ts';
import { readOrder } from '../../orders/order-store.ts';
import { isReturning } from '../../refunds/refund-store.ts';
import type { Participants } from '../../saga/participants.ts';
import { answerOf, optionalKey, sendChange } from '../keyed-change.ts';
import { BODY_PROBLEMS, OPTIONAL_KEY_PROBLEMS, problemResponses, STORE_PROBLEMS, withKeyHeaders } from '../openapi.ts';
import { answer, callOptions } from '../participant-answer.ts';
import { Problem } from '../problem.ts';
import { Dispatched, IdParams } from '../schemas/order-schemas.ts';

/** `POST /v1/orders/{id}/dispatch`: the parcel has left. */
export function dispatchRoutes(deps: OrderDeps, { shipping }: Participants): FastifyPluginAsyncTypebox {
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
            'For completed orders only. The stock that the order holds is fulfilled soon afterwards, where events are switched on. Asking again gets the same answer, with a key or without. Refused with `conflict` when goods of it go back to stock that had not left.',
          headers: Type.Object(optionalKey),
          params: IdParams,
          response: {
            200: withKeyHeaders(Dispatched),
            ...problemResponses(
              ...OPTIONAL_KEY_PROBLEMS,
              ...BODY_PROBLEMS,
              'not-found',
              'not-completed',
              'conflict',
              ...STORE_PROBLEMS,
              'service-unavailable',
            ),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const order = await readOrder(deps.pool, request.tenantId, id);
        if (order === undefined) throw new Problem('not-found', 'You have no order with this id.');
        if (order.status !== 'completed') {
          throw new Problem('not-completed', `The order is ${order.status}. Only a completed order can be dispatched.`);
        }
        const dispatch = async () => {
          // A1: a return that was accepted before this request is seen here; one that is accepted meanwhile, at shipping.
          const returning = await isReturning(deps.pool, { tenantId: request.tenantId, orderId: id });
          const asked = { orderId: id, returning };
          const key = dispatchKey(deps.fingerprinter, { tenantId: request.tenantId, orderId: id });
          const dispatched = await answer(shipping.DispatchShipment(asked, callOptions(request, key)));
          const { shipmentId, dispatchedAt } = dispatched;
          return { body: { id, shipmentId, dispatchedAt }, effect: { after: { shipmentId, dispatchedAt } } };
        };
        return await sendChange(deps, request, reply, {
          operation: 'POST /v1/orders/{id}/dispatch',
          resource: `/v1/orders/${id}`,
          request: { id },
          asked: {},
          call: () => answerOf(dispatch, []),
          read: async () => JSON.stringify((await dispatch()).body),
        });
      },
    );
  };
}
