import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import { newTraceparent } from '@holdfast/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptOrder, type OrderBook, type Placed } from '../accept-order.ts';
import type { OrderView } from '../order.ts';
import { orderChanges } from '../order-changes.ts';
import { orderFaults } from '../order-request.ts';
import { ORDER_ACCEPTED, readOrder, readOrders } from '../order-store.ts';
import { type RequestKey, requestKeyOf } from './key.ts';
import { errorResponses, keyHeader, preferHeader, withKeyHeaders } from './openapi.ts';
import { pageRequest } from './page.ts';
import { preferredWaitMs } from './prefer.ts';
import { forgottenKey, Problem, reusedKey } from './problem.ts';
import { IdParams, Order, OrderList, OrderRequest, PageQuery } from './schemas.ts';

const CANCEL_WAIT_MS = 5_000;
const HEARTBEAT_MS = 15_000;
// Made once: every request ends with it, and without a reason each abort makes an exception with a stack of its own.
const HUNG_UP = new Error('the caller is gone');

/** `/v1/orders`. */
export function orderRoutes(book: OrderBook): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/v1/orders',
      {
        config: { keyed: true },
        schema: {
          operationId: 'placeOrder',
          tags: ['orders'],
          summary: 'Place an order',
          description:
            'Accepts the order and drives it to its end, whatever happens. A refusal by a step is not an HTTP error: the order exists and has failed.',
          headers: Type.Object({ 'idempotency-key': keyHeader, prefer: preferHeader }),
          body: OrderRequest,
          response: { 201: withKeyHeaders(Order), ...errorResponses(400, 401, 409, 412, 415, 422, 503) },
        },
      },
      async (request, reply) => {
        const requestKey = requestKeyOf(request);
        const faults = orderFaults(request.body);
        if (faults.length > 0) throw new Problem('invalid-request', 'mend the members named in `errors`', faults);
        const waitMs = preferredWaitMs(request.headers.prefer);
        const placed = await acceptOrder(book, {
          tenantId: request.tenantId,
          key: requestKey.key,
          request: request.body,
          waitMs,
          traceparent: newTraceparent(request.headers.traceparent as string | undefined),
          signal: hangUp(reply),
        });
        if (waitMs > 0) reply.header('preference-applied', `wait=${waitMs / 1_000}`);
        return sendPlaced(reply, requestKey, placed);
      },
    );

    app.get(
      '/v1/orders/:id',
      {
        schema: {
          operationId: 'getOrder',
          tags: ['orders'],
          summary: 'The order as it is now',
          params: IdParams,
          response: { 200: Order, ...errorResponses(401, 404, 503) },
        },
      },
      async (request) => {
        const order = await readOrder(book.pool, request.tenantId, request.params.id);
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
          response: { 200: OrderList, ...errorResponses(400, 401, 503) },
        },
      },
      async (request) => {
        const { status } = request.query;
        const page = await readOrders(book.pool, request.tenantId, { status, ...pageRequest(request.query) });
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
          response: { 200: Order, 202: Order, ...errorResponses(401, 404, 409, 503) },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        if ((await readOrder(book.pool, request.tenantId, id)) === undefined) return noSuchOrder();
        const cancelled = await book.engine.cancel(id, CANCEL_WAIT_MS, hangUp(reply));
        const order = (await readOrder(book.pool, request.tenantId, id)) ?? noSuchOrder();
        if (cancelled.kind === 'refused') {
          throw new Problem('cancel-refused', `the order is ${order.status}: it can’t be turned back any more`);
        }
        return reply.code(cancelled.kind === 'pending' ? 202 : 200).send(order);
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
            ...errorResponses(401, 404, 503),
          },
        },
      },
      async (request, reply) => sendChanges(book, request, reply, request.params.id),
    );
  };
}

function noSuchOrder(): never {
  throw new Problem('not-found', 'you have no order of this id');
}

/**
 * Aborted when the answer is out or can't be delivered any more. Listens to the response and not to the connection:
 * a connection outlives thousands of requests, and each would leave a listener behind.
 */
function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort(HUNG_UP));
  return controller.signal;
}

function sendPlaced(reply: FastifyReply, requestKey: RequestKey, placed: Placed): FastifyReply {
  if ('claimedAt' in placed) requestKey.claimedAt = placed.claimedAt;
  switch (placed.kind) {
    case 'answered':
      requestKey.replayed = placed.replayed;
      return reply
        .code(ORDER_ACCEPTED)
        .header('location', `/v1/orders/${placed.id}`)
        .type('application/json; charset=utf-8')
        .send(placed.body);
    case 'in_progress':
      throw new Problem('request-in-progress', 'the first request under this key is being answered: ask again');
    case 'reused':
      throw reusedKey(placed.differing);
    case 'forgotten':
      throw forgottenKey();
    case 'busy':
      throw new Problem('try-again', 'too many orders are under way here: send it again under the same key');
  }
}

async function sendChanges(book: OrderBook, request: FastifyRequest, reply: FastifyReply, id: string): Promise<void> {
  const changes = orderChanges(book, request.tenantId, id, hangUp(reply));
  // The first one decides between a stream and a plain error.
  const first = await changes.next();
  if (first.done) return noSuchOrder();
  reply.hijack();
  const stream = reply.raw;
  stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // A comment now and then, so that nothing on the way takes the silence for a dead connection.
  const heartbeat = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
  try {
    const tell = (order: OrderView) => stream.write(`event: ${order.status}\ndata: ${JSON.stringify(order)}\n\n`);
    tell(first.value);
    for await (const order of changes) tell(order);
  } catch (error) {
    // The head is out, so no status can tell; the client sees a stream without its terminal event and asks again.
    request.log.warn({ err: error }, 'an event stream broke off');
  } finally {
    clearInterval(heartbeat);
    stream.end();
  }
}
