import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EdgeOptions } from '../http/keyed-edge.ts';
import type { RouteOptions } from '../http/keyed-route.ts';
import type { IdempotencyProblem } from '../http/problem.ts';
import type { StoredAnswer } from '../http/stored-answer.ts';

/** Of one route: `config: { idempotency: { … } }`. */
export interface KeyedRouteOptions extends RouteOptions {
  /** The resource as it is now, for a replay past the retention (H15). Without it such a replay gets 410. */
  current?: (request: FastifyRequest, stored: Omit<StoredAnswer, 'body'>) => Promise<unknown>;
}

export interface IdempotencyOptions extends EdgeOptions {
  /** Whose key it is, from the credentials: the same key of another tenant is another key (H17). */
  tenantOf: (request: FastifyRequest) => string | Promise<string>;
  /** Sends a problem in the application's own form. Default: RFC 9457. */
  sendProblem?: (reply: FastifyReply, problem: IdempotencyProblem) => FastifyReply;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    idempotency?: KeyedRouteOptions;
  }
}
