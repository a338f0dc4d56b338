import type { FastifyRequest, RouteGenericInterface, RouteHandlerMethod } from 'fastify';
import type { KeyedHandlerOf } from '../http/keyed-answer.ts';

/** Its answer's body is serialised as Fastify does it, by the route's response schema. */
export type KeyedHandler<R extends RouteGenericInterface> = KeyedHandlerOf<FastifyRequest<R>>;

const handlers = new WeakMap<RouteHandlerMethod, KeyedHandler<RouteGenericInterface>>();

/** Makes a route's handler of a keyed one; the plugin finds it there. */
export function keyed<R extends RouteGenericInterface>(handler: KeyedHandler<R>): RouteHandlerMethod {
  const marker: RouteHandlerMethod = async () => {
    throw new Error('register the idempotency plugin before the routes: await app.register(idempotency, …)');
  };
  handlers.set(marker, handler as unknown as KeyedHandler<RouteGenericInterface>);
  return marker;
}

/** The keyed handler behind a route's handler; undefined for every other route. */
export function keyedHandlerOf(handler: RouteHandlerMethod): KeyedHandler<RouteGenericInterface> | undefined {
  return handlers.get(handler);
}
