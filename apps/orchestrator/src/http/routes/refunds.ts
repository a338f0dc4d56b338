import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { OrderDeps } from '../../orders/accept-order.ts';
import { readOrder } from '../../orders/order-store.ts';
import { acceptRefund } from '../../refunds/accept-refund.ts';
import { readRefund, readRefunds } from '../../refunds/refund-store.ts';
import { requestKeyOf } from '../key.ts';
import { changeHeaders, originOf, traceparentOf } from '../keyed-change.ts';
import { BODY_PROBLEMS, KEY_PROBLEMS, problemResponses, STORE_PROBLEMS, withKeyHeaders } from '../openapi.ts';
import { pageRequest } from '../page.ts';
import { Problem, unanswered } from '../problem.ts';
import {
  IdParams,
  Refund,
  RefundList,
  RefundPageQuery,
  RefundParams,
  RefundRequest,
} from '../schemas/order-schemas.ts';

/** `/v1/orders/{id}/refunds`: giving a completed order back, or a part of it. */
export function refundRoutes(deps: OrderDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/orders/:id/refunds',
      {
        config: { keyed: true },
        schema: {
          operationId: 'refundOrder',
          tags: ['refunds'],
          summary: 'Give a completed order back, or a part of it',
          description:
            'Accepts the refund and drives it to its end. More than is left of what was captured is no HTTP error: the refund exists and has failed. Read it until it is `succeeded` or `failed`.',
          headers: Type.Object(changeHeaders),
          params: IdParams,
          body: RefundRequest,
          response: {
            201: withKeyHeaders(Refund),
            ...problemResponses(
              ...KEY_PROBLEMS,
              ...BODY_PROBLEMS,
              'not-found',
              'not-completed',
              'not-captured',
              ...STORE_PROBLEMS,
            ),
          },
        },
      },
      async (request, reply) => {
        const requestKey = requestKeyOf(request);
        const accepted = await acceptRefund(deps, {
          tenantId: request.tenantId,
          orderId: request.params.id,
          key: requestKey.key,
          request: request.body,
          traceparent: traceparentOf(request),
          origin: originOf(request),
        });
        if ('claimedAt' in accepted) requestKey.claimedAt = accepted.claimedAt;
        switch (accepted.kind) {
          case 'completed':
            requestKey.replayed = accepted.replayed;
            return reply
              .code(201)
              .header('location', `/v1/orders/${request.params.id}/refunds/${accepted.id}`)
              .type('application/json; charset=utf-8')
              .send(accepted.body);
          case 'no_such_order':
            return noSuchOrder();
          case 'not_completed':
            throw new Problem('not-completed', `The order is ${accepted.status}. ${ONLY_COMPLETED}`);
          case 'not_captured':
            throw new Problem('not-captured');
          case 'faulty':
            throw new Problem('invalid-request', undefined, accepted.faults);
          default:
            throw unanswered(accepted);
        }
      },
    );

    app.get(
      '/v1/orders/:id/refunds',
      {
        schema: {
          operationId: 'listRefunds',
          tags: ['refunds'],
          summary: 'Refunds of an order, newest first',
          description: 'Those that were made at the payment provider too, with `origin: "provider"`.',
          params: IdParams,
          querystring: RefundPageQuery,
          response: { 200: RefundList, ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const order = { tenantId: request.tenantId, orderId: request.params.id };
        const page = await readRefunds(deps.pool, order, pageRequest(request.query));
        const isOrder =
          page.rows.length > 0 || (await readOrder(deps.pool, order.tenantId, order.orderId)) !== undefined;
        if (!isOrder) return noSuchOrder();
        return { refunds: page.rows, nextCursor: page.nextCursor };
      },
    );

    app.get(
      '/v1/orders/:id/refunds/:refundId',
      {
        schema: {
          operationId: 'getRefund',
          tags: ['refunds'],
          summary: 'The refund as it is now',
          params: RefundParams,
          response: { 200: Refund, ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const { id: orderId, refundId: id } = request.params;
        const refund = await readRefund(deps.pool, { tenantId: request.tenantId, orderId, id });
        if (refund === undefined) throw new Problem('not-found', 'You have no refund of this order with this id.');
        return refund;
      },
    );
  };
}

const ONLY_COMPLETED =
  'Only a completed order can be refunded: one that is processing can be cancelled, and what failed was given back.';

function noSuchOrder(): never {
  throw new Problem('not-found', 'You have no order with this id.');
}
