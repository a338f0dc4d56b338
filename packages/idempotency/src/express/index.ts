/*
 * `Idempotency-Key` for Express 5: `const keyed = idempotency({ pool, tenantOf })`, then `app.post(path, keyed(handler))`.
 *
 * H1, H20  Whatever refuses a request first (credentials, limits, a parser, a schema) is middleware that stands before it.
 */
import type { Request, RequestHandler } from 'express';
import { type AdapterOptions, type AdapterRouteOptions, edgeCall } from '../http/edge-call.ts';
import type { KeyedHandlerOf } from '../http/keyed-answer.ts';
import { KeyedEdge, writtenReply } from '../http/keyed-edge.ts';
import { keyedRoutes } from '../http/keyed-route.ts';
import { parsedBody } from '../http/request-members.ts';

export { done, type KeyedAnswer, type KeyInHand, refused } from '../http/keyed-answer.ts';
export type IdempotencyOptions = AdapterOptions<Request>;
export type KeyedRouteOptions = AdapterRouteOptions<Request>;
/** Its answer's body is written as JSON; strings and buffers leave as they are. */
export type KeyedHandler = KeyedHandlerOf<Request>;
/** Makes a route's handler of a keyed one. What that throws goes to the application's error handler. */
export type Keyed = (handler: KeyedHandler, options?: KeyedRouteOptions) => RequestHandler;

export function idempotency({ tenantOf, ...options }: IdempotencyOptions): Keyed {
  const edge = new KeyedEdge(options);
  return (handler, { current, ...routeOptions } = {}) => {
    const routeAt = keyedRoutes(routeOptions);
    return async (request, response) => {
      const { method, baseUrl, headers, params, query, path } = request;
      const route = routeAt(method, baseUrl + String(request.route?.path ?? path));
      const call = edgeCall({ handler, tenantOf, current }, request, headers);
      const parts = () => ({ params, query, body: parsedBody(request.body, headers) });
      const reply = writtenReply(await edge.serve(route, call, parts, (answered) => void response.set(answered)));
      response.status(reply.status).set(reply.headers).end(reply.body);
    };
  };
}
