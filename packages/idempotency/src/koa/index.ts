/*
 * `Idempotency-Key` for Koa 3: `const idempotent = idempotency({ pool, tenantOf })`, then `router.post(path, idempotent(handler))`.
 *
 * H1, H20  Whatever refuses a request first (credentials, limits, a parser, a schema) is middleware that stands before it.
 */
import type { Context, Middleware } from 'koa';
import { type AdapterOptions, type AdapterRouteOptions, edgeCall } from '../http/edge-call.ts';
import type { IdempotentHandlerOf } from '../http/handler-answer.ts';
import { IdempotencyHandler, writtenReply } from '../http/idempotency-handler.ts';
import { keyedRoutes } from '../http/keyed-route.ts';
import { parsedBody } from '../http/request-members.ts';

export { done, type HandlerAnswer, type IdempotentCall, refused } from '../http/handler-answer.ts';
export type IdempotencyOptions = AdapterOptions<Context>;
export type KeyedRouteOptions = AdapterRouteOptions<Context>;
/** Its answer's body is written as JSON; strings and buffers leave as they are. */
export type IdempotentHandler = IdempotentHandlerOf<Context>;
/** Makes middleware of a keyed handler. What that throws goes to the application's error handler. */
export type Idempotent = (handler: IdempotentHandler, options?: KeyedRouteOptions) => Middleware;

/** What @koa/router and the body parsers add to a context. */
interface Routed {
  params?: unknown;
  /** The route's path; without a router, the request's. */
  _matchedRoute?: string | RegExp;
  request: { body?: unknown };
}

export function idempotency({ tenantOf, ...options }: IdempotencyOptions): Idempotent {
  const edge = new IdempotencyHandler(options);
  return (handler, { current, ...routeOptions } = {}) => {
    const routeAt = keyedRoutes(routeOptions);
    return async (context) => {
      const { method, headers, path, query } = context;
      const { params, _matchedRoute, request } = context as Routed;
      const call = edgeCall({ handler, tenantOf, current }, context as Context, headers);
      const parts = () => ({ params, query, body: parsedBody(request.body, headers) });
      const onKey = (answered: Record<string, string>) => context.set(answered);
      const reply = writtenReply(await edge.serve(routeAt(method, String(_matchedRoute ?? path)), call, parts, onKey));
      // The body first: it would set a status and a type.
      context.body = reply.body.length === 0 ? null : reply.body;
      context.status = reply.status;
      context.set(reply.headers);
    };
  };
}
