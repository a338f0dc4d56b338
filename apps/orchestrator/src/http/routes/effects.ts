import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { OrderDeps } from '../../orders/accept-order.ts';
import { readEffects } from '../../orders/order-effects.ts';
import { readOrder } from '../../orders/order-store.ts';
import type { Participants } from '../../saga/participants.ts';
import { noSuchOrder } from '../cancel-change.ts';
import { problemResponses, STORE_PROBLEMS } from '../openapi.ts';
import { callOptions } from '../participant-answer.ts';
import { OrderEffects } from '../schemas/effect-schemas.ts';
import { IdParams } from '../schemas/order-schemas.ts';

/** `GET /v1/orders/{id}/effects`: what the participants say of the order, whatever the orchestrator believes. */
export function effectRoutes(deps: OrderDeps, participants: Participants): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/orders/:id/effects',
      {
        schema: {
          operationId: 'getOrderEffects',
          tags: ['orders'],
          summary: 'What each participant says of the order’s steps now',
          description:
            'Asks inventory, payment and shipping under the keys of the order’s steps and of its newest refunds’. A participant that does not answer is shown as `unreachable`: nothing is known of its step then.',
          params: IdParams,
          response: { 200: OrderEffects, ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const order = await readOrder(deps.pool, request.tenantId, request.params.id);
        if (order === undefined) return noSuchOrder();
        const { effects, refunds } = await readEffects(participants, order, callOptions(request));
        return { orderId: order.id, status: order.status, effects, refunds };
      },
    );
  };
}
