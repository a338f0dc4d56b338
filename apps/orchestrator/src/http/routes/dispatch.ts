/*
 * S3  Only the shipment of a completed order is dispatched. `completed` is terminal and durable before anybody reads it, so
 *     that no undo of this order is under way or can come any more: nothing that has left is ever to be called back. Shipping
 *     refuses to cancel what it has dispatched all the same.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { OrderDeps } from '../../orders/accept-order.ts';
import { readOrder } from '../../orders/order-store.ts';
import type { Participants } from '../../saga/participants.ts';
import { BODY_PROBLEMS, problemResponses, STORE_PROBLEMS } from '../openapi.ts';
import { answer, callOptions } from '../participant-answer.ts';
import { Problem } from '../problem.ts';
import { Dispatched, IdParams } from '../schemas.ts';

/** `POST /v1/orders/{id}/dispatch`: the parcel has left. */
export function dispatchRoutes({ pool }: OrderDeps, { shipping }: Participants): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/orders/:id/dispatch',
      {
        schema: {
          operationId: 'dispatchOrder',
          tags: ['orders'],
          summary: 'Say that the order’s shipment has left',
          description:
            'For completed orders only. The stock that the order holds is fulfilled soon afterwards, where events are switched on. Asking again gets the same answer: needs no key.',
          params: IdParams,
          response: {
            200: Dispatched,
            ...problemResponses(
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
      async (request) => {
        const { id } = request.params;
        const order = await readOrder(pool, request.tenantId, id);
        if (order === undefined) throw new Problem('not-found', 'You have no order with this id.');
        if (order.status !== 'completed') {
          throw new Problem('not-completed', `The order is ${order.status}. Only a completed order can be dispatched.`);
        }
        const dispatched = await answer(shipping.DispatchShipment({ orderId: id }, callOptions(request)));
        return { id, shipmentId: dispatched.shipmentId, dispatchedAt: dispatched.dispatchedAt };
      },
    );
  };
}
