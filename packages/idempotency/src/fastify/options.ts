import type { Pool } from '@holdfast/postgres';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerCache } from '../core/answer-cache.ts';
import type { IdempotencyProblem } from '../http/problem.ts';
import type { StoredAnswer } from '../http/stored-answer.ts';

/** Of one route: `config: { idempotency: { … } }`. */
export interface KeyedRouteOptions {
  /** Whether a request without a key is refused (the default) or runs without one. */
  required?: boolean;
  /** Stored with the key and part of the fingerprint; never rename it. Default: the method and the route's path. */
  operation?: string;
  /** How long the answer's body is kept for replays. Default 24 hours. */
  retentionMs?: number;
  /** JSON pointers of body members that are left out of the fingerprint, such as `/card/cvc`. */
  redact?: string[];
  /** Names of headers that are stored and replayed. Default Content-Type, Location, ETag, Link. */
  headers?: string[];
  /** The resource as it is now, for a replay past the retention (H15). Without it such a replay gets 410. */
  current?: (request: FastifyRequest, stored: Omit<StoredAnswer, 'body'>) => Promise<unknown>;
}

export interface IdempotencyOptions {
  /** Of the database that holds both the claims and the handlers' own tables. */
  pool: Pool;
  /** Whose key it is, from the credentials: the same key of another tenant is another key (H17). */
  tenantOf: (request: FastifyRequest) => string;
  /** Shared by all processes, such as Redis. None: the same answers. */
  cache?: AnswerCache | undefined;
  /** How long a duplicate may ask to wait with `Prefer: wait`. Default 5 s. */
  maxWaitMs?: number;
  /** How long a handler may run before it is rolled back. Default 10 s. */
  handlerTimeoutMs?: number;
  /** A key whose date is older than this and that is not known was forgotten, not new (H16). Default 30 days. */
  tombstoneMs?: number;
  /** Sends a problem in the application's own form. Default: RFC 9457. */
  sendProblem?: (reply: FastifyReply, problem: IdempotencyProblem) => FastifyReply;
  /** Milliseconds since 1970. */
  now?: () => number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    idempotency?: KeyedRouteOptions;
  }
}
