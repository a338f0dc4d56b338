/*
 * `POST /v1/orders`.
 *
 * K2  A request that came in as the very bytes that this process has answered lately, under the same key, is the same
 *     request: it gets its answer unread. Those bytes were well-formed and valid when they were answered; all others are
 *     read and checked first.
 */
import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { preferredWaitMs } from '@holdfast/idempotency/http';
import { newTraceparent } from '@holdfast/service';
import type { FastifyReply, FastifyRequest, preValidationHookHandler } from 'fastify';
import { ORDER_ACCEPTED } from '../../keys/key-store.ts';
import { acceptOrder, MAX_WAIT_MS, type OrderDeps, type Placed } from '../../orders/accept-order.ts';
import { orderFaults } from '../../orders/order-request.ts';
import { hangUp } from '../hang-up.ts';
import { parseJsonBody } from '../json-body.ts';
import { requestKeyOf } from '../key.ts';
import {
  BODY_PROBLEMS,
  KEY_PROBLEMS,
  keyHeader,
  preferHeader,
  problemResponses,
  STORE_PROBLEMS,
  withKeyHeaders,
} from '../openapi.ts';
import { Problem, unanswered } from '../problem.ts';
import { Order, OrderRequest } from '../schemas/order-schemas.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came in, where it has to be compared with another one. */
    bytes: Buffer | undefined;
  }
}

export function placeOrderRoute(deps: OrderDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.decorateRequest('bytes', undefined);
    app.removeContentTypeParser('application/json');
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.post(
      '/v1/orders',
      {
        config: { keyed: true },
        preValidation: [answerByRawBody(deps), readBody],
        schema: {
          operationId: 'placeOrder',
          tags: ['orders'],
          summary: 'Place an order',
          description:
            'Accepts the order and drives it to its end, whatever happens. A refusal by a step is not an HTTP error: the order exists and has failed.',
          headers: Type.Object({ 'idempotency-key': keyHeader, prefer: preferHeader }),
          body: OrderRequest,
          response: {
            201: withKeyHeaders(Order),
            ...problemResponses(...KEY_PROBLEMS, ...BODY_PROBLEMS, ...STORE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const faults = orderFaults(request.body);
        if (faults.length > 0) throw new Problem('invalid-request', undefined, faults);
        const placed = await acceptOrder(deps, {
          tenantId: request.tenantId,
          key: requestKeyOf(request).key,
          request: request.body,
          bytes: request.bytes,
          waitMs: preferredWaitMs(request.headers.prefer, MAX_WAIT_MS),
          traceparent: newTraceparent(request.headers.traceparent as string | undefined),
          signal: hangUp(reply),
        });
        return sendPlaced(request, reply, placed);
      },
    );
  };
}

function answerByRawBody({ answerCache }: OrderDeps): preValidationHookHandler {
  return (request, reply, done) => {
    // Without a body nothing was parsed.
    if (!Buffer.isBuffer(request.body)) return done();
    request.bytes = request.body;
    const { key } = requestKeyOf(request);
    const known = answerCache.findByRawBody({ tenantId: request.tenantId, key, bytes: request.body });
    if (known === undefined) return done();
    sendPlaced(request, reply, { kind: 'completed', replayed: true, ...known });
  };
}

const readBody: preValidationHookHandler = (request, _reply, done) => {
  request.body = request.bytes && parseJsonBody(request.bytes);
  done();
};

function sendPlaced(request: FastifyRequest, reply: FastifyReply, placed: Placed): FastifyReply {
  const waitMs = preferredWaitMs(request.headers.prefer, MAX_WAIT_MS);
  if (waitMs > 0) reply.header('preference-applied', `wait=${waitMs / 1_000}`);
  const requestKey = requestKeyOf(request);
  if ('claimedAt' in placed) requestKey.claimedAt = placed.claimedAt;
  switch (placed.kind) {
    case 'completed':
      requestKey.replayed = placed.replayed;
      return reply
        .code(ORDER_ACCEPTED)
        .header('location', `/v1/orders/${placed.id}`)
        .type('application/json; charset=utf-8')
        .send(placed.body);
    default:
      throw unanswered(placed);
  }
}
