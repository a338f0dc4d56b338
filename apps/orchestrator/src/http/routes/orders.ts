import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OrderDeps } from '../../orders/accept-order.ts';
import type { OrderView } from '../../orders/order.ts';
import { orderChanges } from '../../orders/order-changes.ts';
import { readOrder, readOrders } from '../../orders/order-store.ts';
import { hangUp } from '../hang-up.ts';
import { BODY_PROBLEMS, problemResponses, STORE_PROBLEMS } from '../openapi.ts';
import { pageRequest } from '../page.ts';
import { Problem } from '../problem.ts';
import { IdParams, Order, OrderList, PageQuery } from '../schemas.ts';

const CANCEL_WAIT_MS = 5_000;
const HEARTBEAT_MS = 15_000;

/** `/v1/orders`, without placing them. */
export function orderRoutes(deps: OrderDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/v1/orders/:id',
      {
        schema: {
          operationId: 'getOrder',
          tags: ['orders'],
          summary: 'The order as it is now',
          params: IdParams,
          response: { 200: Order, ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const order = await readOrder(deps.pool, request.tenantId, request.params.id);
        return order ?? noSuchOrder();
      },
    );

    app.get(
      '/v1/orders',
      {
        schema: {
          operationId: 'listOrders',
          tags: ['orders'],
          summary: 'Orders, newest first',
          querystring: PageQuery,
          response: { 200: OrderList, ...problemResponses('invalid-request', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const { status } = request.query;
        const page = await readOrders(deps.pool, request.tenantId, { status, ...pageRequest(request.query) });
        return { orders: page.rows, nextCursor: page.nextCursor };
      },
    );

    app.post(
      '/v1/orders/:id/cancel',
      {
        schema: {
          operationId: 'cancelOrder',
          tags: ['orders'],
          summary: 'Turn the order back',
          description:
            'Undoes what the order did. Refused once its shipment is booked or it has ended otherwise. Asking again does no harm: needs no key. 202: not decided yet, look again.',
          params: IdParams,
          response: {
            200: Order,
            202: Order,
            ...problemResponses(...BODY_PROBLEMS, 'not-found', 'cancel-refused', ...STORE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if ((await readOrder(deps.pool, request.tenantId, id)) === undefined) return noSuchOrder();
        const cancelled = await deps.engine.cancel(id, CANCEL_WAIT_MS, hangUp(reply));
        const order = (await readOrder(deps.pool, request.tenantId, id)) ?? noSuchOrder();
        if (cancelled.kind === 'refused') {
          throw new Problem('cancel-refused', `The order is ${order.status}. It can no longer be cancelled.`);
        }
        return reply.code(cancelled.kind === 'in_progress' ? 202 : 200).send(order);
      },
    );

    app.get(
      '/v1/orders/:id/events',
      {
        schema: {
          operationId: 'watchOrder',
          tags: ['orders'],
          summary: 'The order now and after every change (server-sent events)',
          description:
            'Events are named after the order’s status and carry the order; the terminal one ends the stream.',
          params: IdParams,
          produces: ['text/event-stream'],
          response: {
            200: { description: 'A stream of orders', content: { 'text/event-stream': { schema: Type.String() } } },
            ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS),
          },
        },
      },
      async (request, reply) => sendChanges(deps, request, reply, request.params.id),
    );
  };
}

function noSuchOrder(): never {
  throw new Problem('not-found', 'You have no order with this id.');
}

async function sendChanges(deps: OrderDeps, request: FastifyRequest, reply: FastifyReply, id: string): Promise<void> {
  const changes = orderChanges(deps, request.tenantId, id, hangUp(reply));
  // The first one decides between a stream and a plain error.
  const first = await changes.next();
  if (first.done) return noSuchOrder();
  reply.hijack();
  const stream = reply.raw;
  stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // A comment now and then, so that nothing on the way takes the silence for a dead connection.
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
  try {
    const sendEvent = (order: OrderView) => stream.write(`event: ${order.status}\ndata: ${JSON.stringify(order)}\n\n`);
    sendEvent(first.value);
    for await (const order of changes) sendEvent(order);
  } catch (error) {
    // The head is sent, so no status can report it; the client sees a stream without its terminal event and asks again.
    request.log.warn({ err: error, reqId: request.id }, 'an event stream broke off');
  } finally {
    clearInterval(heartbeat);
    stream.end();
  }
}
