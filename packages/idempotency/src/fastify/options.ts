import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AdapterOptions, AdapterRouteOptions } from '../http/edge-call.ts';
import type { IdempotencyProblem } from '../http/problem.ts';

/** Of one route: `config: { idempotency: { … } }`. */
export type KeyedRouteOptions = AdapterRouteOptions<FastifyRequest>;

export interface IdempotencyOptions extends AdapterOptions<FastifyRequest> {
  /** Sends a problem in the application's own form. Default: RFC 9457. */
  sendProblem?: (reply: FastifyReply, problem: IdempotencyProblem) => FastifyReply;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    idempotency?: KeyedRouteOptions;
  }
}
