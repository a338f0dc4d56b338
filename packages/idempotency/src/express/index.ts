/*
 * `Idempotency-Key` for Express 5: `const idempotent = idempotency({ pool, tenantOf })`, then `app.post(path, idempotent(handler))`.
 *
 * H1, H20  Whatever refuses a request first (credentials, limits, a parser, a schema) is middleware that stands before it.
 */
import type { Request, RequestHandler } from 'express';
import { type AdapterOptions, type AdapterRouteOptions, edgeCall } from '../http/edge-call.ts';
import type { IdempotentHandlerOf } from '../http/handler-answer.ts';
import { IdempotencyHandler, writtenReply } from '../http/idempotency-handler.ts';
import { keyedRoutes } from '../http/keyed-route.ts';
import { parsedBody } from '../http/request-members.ts';

export { done, type HandlerAnswer, type IdempotentCall, refused } from '../http/handler-answer.ts';
export type IdempotencyOptions = AdapterOptions<Request>;
export type KeyedRouteOptions = AdapterRouteOptions<Request>;
/** Its answer's body is written as JSON; strings and buffers leave as they are. */
export type IdempotentHandler = IdempotentHandlerOf<Request>;
/** Makes a route's handler of a keyed one. What that throws goes to the application's error handler. */
export type Idempotent = (handler: IdempotentHandler, options?: KeyedRouteOptions) => RequestHandler;

export function idempotency({ tenantOf, ...options }: IdempotencyOptions): Idempotent {
  const edge = new IdempotencyHandler(options);
  return (handler, { current, ...routeOptions } = {}) => {
    const routeAt = keyedRoutes(routeOptions);
    return async (request, response) => {
      const { method, baseUrl, headers, params, query } = request;
      const path: unknown = request.route?.path;
      // A list of paths, or an expression, is no name for one of them.
      const route = routeAt(method, baseUrl + (typeof path === 'string' ? path : request.path));
      const call = edgeCall({ handler, tenantOf, current }, request, headers);
      const parts = () => ({ params, query, body: parsedBody(request.body, headers) });
      const reply = writtenReply(await edge.serve(route, call, parts, (answered) => void response.set(answered)));
      response.status(reply.status).set(reply.headers).end(reply.body);
    };
  };
}
