/*
 * `Idempotency-Key` for Fastify 5: `await app.register(idempotency, { pool, tenantOf })`, then routes whose handlers are
 * `idempotent(async (request, tx) => done(201, …))`.
 *
 * H1, H2, H20  Whatever refuses a request before its handler (authentication, rate limits, key syntax, schema) runs before
 *     the claim: the key is claimed where the handler would start, after all hooks.
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { edgeCall } from '../http/edge-call.ts';
import { type CheckedKey, type EdgeReply, IdempotencyHandler, type PreparedKey } from '../http/idempotency-handler.ts';
import { type IdempotencyProblem, problemAnswer } from '../http/problem.ts';
import { keyedRouteOf } from './keyed-route.ts';
import type { IdempotencyOptions } from './options.ts';

/** Serves keyed handlers of all routes that are added after it. */
export const idempotency: FastifyPluginAsync<IdempotencyOptions> = async (app, options) => {
  const edge = new IdempotencyHandler(options);
  const checked = new WeakMap<FastifyRequest, CheckedKey>();
  const prepared = new WeakMap<FastifyRequest, PreparedKey>();
  const send = (reply: FastifyReply, answered: EdgeReply) => {
    reply.headers(answered.headers);
    if (answered.kind === 'problem') return (options.sendProblem ?? sendProblem)(reply, answered.problem);
    const { status, headers, body } = answered;
    reply.code(status);
    return body.length === 0 && headers['content-type'] === undefined ? reply.send() : reply.send(body);
  };
  app.addHook('onRoute', (route) => {
    const keyedRoute = keyedRouteOf(route);
    if (keyedRoute === undefined) return;
    // A route's own hooks run after those of the application, which authenticate and count.
    route.onRequest = [
      ...[route.onRequest ?? []].flat(),
      async (request, reply) => {
        const key = edge.checkKey(keyedRoute, request.headers);
        if (key === undefined) return;
        if (key.kind === 'problem') return send(reply, key);
        checked.set(request, key);
        reply.headers(key.headers);
      },
    ];
    // Before validation, which may change what was sent: a new default in a schema must not make a retry another request.
    route.preValidation = [
      ...[route.preValidation ?? []].flat(),
      async (request, reply) => {
        const key = checked.get(request);
        const ready = key && (await edge.prepare(keyedRoute, key, request));
        if (ready?.kind === 'problem') return send(reply, ready);
        if (ready !== undefined) prepared.set(request, ready);
      },
    ];
    route.handler = async (request, reply) => {
      const { handler, current } = keyedRoute;
      // By the route's response schema, which is chosen by the status.
      const toJson = (status: number, body: unknown) => reply.code(status).serialize(body as object) as string;
      const call = edgeCall({ handler, current, tenantOf: options.tenantOf, toJson }, request, request.headers);
      return send(reply, await edge.run(keyedRoute, prepared.get(request), call));
    };
  });
};

/** The default way to send a problem: `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: IdempotencyProblem): FastifyReply {
  const { status, headers, body } = problemAnswer(problem);
  return reply.code(status).headers(headers).send(body);
}

// Not encapsulated: the routes are the application's own.
Object.assign(idempotency, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: '@holdfast/idempotency',
});
