import type { FastifyReply } from 'fastify';

/**
 * The HTTP error catalogue (RFC 9457). `retryable` means: the same request, under the same key, may succeed later.
 * docs/errors.md is held to this list by a test.
 */
export const problems = {
  'invalid-request': { status: 400, title: 'The request is not valid', retryable: false },
  'malformed-json': { status: 400, title: 'The body is not well-formed JSON', retryable: false },
  'idempotency-key-missing': { status: 400, title: 'An Idempotency-Key is required', retryable: false },
  'idempotency-key-invalid': { status: 400, title: 'The Idempotency-Key is malformed', retryable: false },
  'body-too-large': { status: 400, title: 'The body is larger than 64 KiB', retryable: false },
  unauthorized: { status: 401, title: 'A valid API key is required', retryable: false },
  'not-found': { status: 404, title: 'There is no such thing here', retryable: false },
  'request-in-progress': { status: 409, title: 'The same request is being processed', retryable: true },
  'cancel-refused': { status: 409, title: 'The order can no longer be cancelled', retryable: false },
  'not-completed': { status: 409, title: 'Only a completed order can be dispatched', retryable: false },
  'not-parked': { status: 409, title: 'Only a parked saga can be resumed', retryable: false },
  'saga-ended': { status: 409, title: 'The saga has ended', retryable: false },
  'out-of-stock': { status: 409, title: 'Not enough is free', retryable: false },
  'insufficient-funds': { status: 409, title: 'The balance is too low', retryable: false },
  conflict: { status: 409, title: 'The request contradicts what is stored', retryable: false },
  'unsupported-media-type': { status: 415, title: 'Send application/json', retryable: false },
  'idempotency-key-expired': { status: 412, title: 'The Idempotency-Key is too old', retryable: false },
  'idempotency-key-reused': { status: 422, title: 'The Idempotency-Key stands for another request', retryable: false },
  internal: { status: 500, title: 'An internal error', retryable: true },
  'try-again': { status: 503, title: 'Nothing was done; try again', retryable: true },
  'store-unavailable': { status: 503, title: 'The database does not answer', retryable: true },
  'service-unavailable': { status: 503, title: 'A service behind this one does not answer', retryable: true },
} as const;

export type ProblemCode = keyof typeof problems;

/** A place in the request and what is wrong there; `pointer` is an RFC 6901 JSON pointer into the body. */
export interface Fault {
  pointer: string;
  detail: string;
}

const RETRY_AFTER_SECONDS = '1';

/** Thrown by routes and hooks; the one error handler sends it. `detail` tells the caller what to do. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ProblemCode;
  readonly faults: Fault[] | undefined;
  constructor(code: ProblemCode, detail: string, faults?: Fault[]) {
    super(detail);
    this.code = code;
    this.faults = faults;
  }
}

/** H6. @param differing names of top-level members; none where the operation differs, which is nobody's to know */
export function reusedKey(differing: string[]): Problem {
  const faults = differing.map((member) => ({ pointer: `/${member}`, detail: 'differs from the first request' }));
  return new Problem(
    'idempotency-key-reused',
    'send a new key for a new request, or the first request unchanged',
    faults.length > 0 ? faults : [{ pointer: '', detail: 'the first request under this key was another one' }],
  );
}

/** H16. */
export function forgottenKey(): Problem {
  return new Problem(
    'idempotency-key-expired',
    'this key says that it is older than keys are remembered: look whether it was done, and send a new key if not',
  );
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The body as it is sent, and stored where a refusal is final. */
export function problemBody(problem: Problem): string {
  const { status, title, retryable } = problems[problem.code];
  return JSON.stringify({
    type: `urn:holdfast:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    retryable,
    ...(problem.faults && { errors: problem.faults }),
  });
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryable } = problems[problem.code];
  if (retryable) reply.header('retry-after', RETRY_AFTER_SECONDS);
  return reply.code(status).type(PROBLEM_TYPE).send(problemBody(problem));
}
