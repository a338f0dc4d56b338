import type { FastifyRequest, RouteGenericInterface, RouteHandlerMethod } from 'fastify';
import type { IdempotentHandlerOf } from '../http/handler-answer.ts';

/** Its answer's body is serialised as Fastify does it, by the route's response schema. */
export type IdempotentHandler<R extends RouteGenericInterface> = IdempotentHandlerOf<FastifyRequest<R>>;

const handlers = new WeakMap<RouteHandlerMethod, IdempotentHandler<RouteGenericInterface>>();

/** Makes a route's handler of a keyed one; the plugin finds it there. */
export function idempotent<R extends RouteGenericInterface>(handler: IdempotentHandler<R>): RouteHandlerMethod {
  const marker: RouteHandlerMethod = async () => {
    throw new Error('register the idempotency plugin before the routes: await app.register(idempotency, …)');
  };
  handlers.set(marker, handler as unknown as IdempotentHandler<RouteGenericInterface>);
  return marker;
}

/** The keyed handler behind a route's handler; undefined for every other route. */
export function idempotentHandlerOf(handler: RouteHandlerMethod): IdempotentHandler<RouteGenericInterface> | undefined {
  return handlers.get(handler);
}
