import { classifyPostgresError } from '@holdfast/postgres';
import type { FastifyReply } from 'fastify';
import { EffectTimeout } from '../scoped-transaction.ts';

/** What a keyed route answers by itself, instead of the handler; RFC 9457, in CONTRIBUTING's terms a closed list. */
export const problems = {
  'idempotency-key-missing': { status: 400, title: 'An Idempotency-Key is required', retryable: false },
  'idempotency-key-invalid': { status: 400, title: 'The Idempotency-Key is malformed', retryable: false },
  'request-in-progress': { status: 409, title: 'The same request is being processed', retryable: true },
  'operation-undone': { status: 409, title: 'The operation was undone before it ran', retryable: false },
  'idempotency-answer-expired': { status: 410, title: 'It was done; its answer is no longer stored', retryable: false },
  'idempotency-key-expired': {
    status: 412,
    title: 'The Idempotency-Key is too old to be told from a new one',
    retryable: false,
  },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key stands for another request', retryable: false },
  'try-again': { status: 503, title: 'Nothing was done; try again', retryable: true },
  'store-unavailable': { status: 503, title: 'The database does not answer', retryable: true },
} as const;

export type ProblemCode = keyof typeof problems;

export interface IdempotencyProblem {
  code: ProblemCode;
  status: number;
  title: string;
  /** What the caller should do. Never a value of the request. */
  detail: string;
  /** Whether the same request under the same key may succeed later; `Retry-After` is set then. */
  retryable: boolean;
  /** For `idempotency-key-reused`: JSON pointers into the body, or `path.name` and `query.name`. */
  differing?: string[];
}

export function problem(code: ProblemCode, detail: string, differing?: string[]): IdempotencyProblem {
  return { code, detail, ...problems[code], ...(differing !== undefined && { differing }) };
}

/** What a failed run means to the caller; undefined for what is the application's own to answer. */
export function problemOfError(error: unknown): IdempotencyProblem | undefined {
  if (error instanceof EffectTimeout) return problem('try-again', 'send the same request again, with the same key');
  switch (classifyPostgresError(error)) {
    case 'contended':
      return problem('try-again', 'send the same request again, with the same key');
    case 'unavailable':
      return problem('store-unavailable', 'send the same request again; under the same key nothing happens twice');
    case 'other':
      return undefined;
  }
}

/** The default way to send one: `application/problem+json`. */
export function sendProblem(reply: FastifyReply, { differing, ...members }: IdempotencyProblem): FastifyReply {
  const errors = differing?.map((place) => ({
    ...(place === '' || place.startsWith('/') ? { pointer: place } : { parameter: place }),
    detail: 'differs from the first request',
  }));
  const body = { type: `urn:holdfast:problem:${members.code}`, ...members, ...(errors && { errors }) };
  return reply.code(members.status).type('application/problem+json').send(JSON.stringify(body));
}
