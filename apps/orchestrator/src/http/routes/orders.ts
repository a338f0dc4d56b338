import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { newTraceparent } from '@holdfast/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OrderDeps } from '../../orders/accept-order.ts';
import type { OrderView } from '../../orders/order.ts';
import { orderChanges } from '../../orders/order-changes.ts';
import { readOrder, readOrders } from '../../orders/order-store.ts';
import { cancelChange, noSuchOrder } from '../cancel-change.ts';
import { hangUp } from '../hang-up.ts';
import { optionalKey, sendChange } from '../keyed-change.ts';
import { BODY_PROBLEMS, OPTIONAL_KEY_PROBLEMS, problemResponses, STORE_PROBLEMS, withKeyHeaders } from '../openapi.ts';
import { pageRequest } from '../page.ts';
import { IdParams, Order, OrderList, PageQuery } from '../schemas/order-schemas.ts';

const HEARTBEAT_MS = 15_000;
const MAX_UNREAD_BYTES = 1_024 * 1_024;

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
        config: { keyed: 'optional' },
        schema: {
          operationId: 'cancelOrder',
          tags: ['orders'],
          summary: 'Turn the order back',
          description:
            'Undoes what the order did. Refused once its shipment is booked or it has ended otherwise. An order that is captured when it is dispatched can be cancelled until then: its payment is released. Asking again does no harm, with a key or without. 202: not decided yet, ask again.',
          headers: Type.Object(optionalKey),
          params: IdParams,
          response: {
            200: withKeyHeaders(Order),
            202: Order,
            ...problemResponses(
              ...OPTIONAL_KEY_PROBLEMS,
              ...BODY_PROBLEMS,
              'not-found',
              'cancel-refused',
              ...STORE_PROBLEMS,
            ),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if ((await readOrder(deps.pool, request.tenantId, id)) === undefined) return noSuchOrder();
        const traceparent = newTraceparent(request.headers.traceparent as string | undefined);
        const cancel = cancelChange(deps, { tenantId: request.tenantId, id, traceparent }, hangUp(reply));
        return await sendChange(deps, request, reply, cancel);
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

async function sendChanges(deps: OrderDeps, request: FastifyRequest, reply: FastifyReply, id: string): Promise<void> {
  const keyEnded = request.caller?.ended;
  const gone = hangUp(reply);
  // T3: it ends with its key too. The client asks again, and is told so.
  const ended = keyEnded === undefined ? gone : AbortSignal.any([gone, keyEnded]);
  const changes = orderChanges(deps, request.tenantId, id, ended);
  // The first one decides between a stream and a plain error.
  const first = await changes.next();
  if (first.done) return noSuchOrder();
  reply.hijack();
  const stream = reply.raw;
  stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // A comment now and then, so that nothing on the way takes the silence for a dead connection.
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
  try {
    const sendEvent = (order: OrderView) => {
      stream.write(`event: ${order.status}\ndata: ${JSON.stringify(order)}\n\n`);
      // A reader that does not read fills this process's memory; it asks again when it wants the order.
      if (stream.writableLength > MAX_UNREAD_BYTES) stream.destroy();
    };
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
