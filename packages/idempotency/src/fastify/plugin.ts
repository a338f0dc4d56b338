/*
 * `Idempotency-Key` for Fastify 5: `await app.register(idempotency, { pool, tenantOf })`, then routes whose handlers are
 * `idempotent(async (request, tx) => done(201, …))`.
 *
 * H1, H2, H20  Whatever refuses a request before its handler (authentication, rate limits, key syntax, schema) runs before
 *     the claim: the key is claimed where the handler would start, after all hooks.
 */
import type { FastifyPluginAsync } from 'fastify';
import { IdempotencyHandler } from './idempotency-handler.ts';
import { keyedRouteOf } from './keyed-route.ts';
import type { IdempotencyOptions } from './options.ts';

/** Serves keyed handlers of all routes that are added after it. */
export const idempotency: FastifyPluginAsync<IdempotencyOptions> = async (app, options) => {
  const handler = new IdempotencyHandler(options);
  app.addHook('onRoute', (route) => {
    const keyedRoute = keyedRouteOf(route);
    if (keyedRoute === undefined) return;
    // A route's own hooks run after those of the application, which authenticate and count.
    route.onRequest = [
      ...[route.onRequest ?? []].flat(),
      async (request, reply) => handler.checkKey(keyedRoute, request, reply),
    ];
    // Before validation, which may change what was sent: a new default in a schema must not make a retry another request.
    route.preValidation = [
      ...[route.preValidation ?? []].flat(),
      async (request, reply) => await handler.takeFingerprint(keyedRoute, request, reply),
    ];
    route.handler = async (request, reply) => await handler.handle(keyedRoute, request, reply);
  });
};

// Not encapsulated: the routes are the application's own.
Object.assign(idempotency, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@holdfast/idempotency',
});
