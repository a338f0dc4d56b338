import type { RouteOptions } from 'fastify';
import { type KeyedRoute, keyedRoute } from '../http/keyed-route.ts';
import { type IdempotentHandler, idempotentHandlerOf } from './idempotent.ts';
import type { KeyedRouteOptions } from './options.ts';

/** A route's options with everything that was left out filled in. */
export interface FastifyRoute extends KeyedRoute {
  handler: IdempotentHandler<object>;
  current: KeyedRouteOptions['current'];
}

/** @returns undefined for a route without a key. @throws Error for one whose keys could not be kept */
export function keyedRouteOf(route: RouteOptions): FastifyRoute | undefined {
  const handler = idempotentHandlerOf(route.handler);
  const options = route.config?.idempotency;
  const name = `${[route.method].flat().join(',')} ${route.url}`;
  if (handler === undefined) {
    if (options === undefined) return undefined;
    throw new Error(`${name}: wrap its handler, idempotent(async (request, tx) => done(201, …))`);
  }
  return { ...keyedRoute(route.method, route.url, options), handler, current: options?.current };
}
