import {
  codesByReason,
  differingFaults,
  problems as keyProblems,
  type ProblemAnswer,
  type ProblemEntry,
  problemAnswer,
  problemEntry,
  problemOf,
} from '@holdfast/idempotency/http';
import type { FastifyReply } from 'fastify';
import { PLACED_REASONS } from '../orders/placed-reasons.ts';

/** The HTTP error catalogue: the library's problems of keys, and the API's own. A test checks docs/errors.md against it. */
export const problems = {
  ...keyProblems,
  'invalid-request': {
    ...problemEntry('INVALID_REQUEST', 400, 'The request is not valid'),
    detail: 'Fix the fields listed in `errors`.',
  },
  'malformed-json': {
    status: 400,
    title: 'The body is not well-formed JSON',
    retryable: false,
    detail: 'Send well-formed JSON in UTF-8.',
  },
  'body-too-large': {
    status: 400,
    title: 'The body is larger than 64 KiB',
    retryable: false,
    detail: 'Send at most 64 KiB.',
  },
  'malformed-request': {
    status: 400,
    title: 'The request is not HTTP/1.1',
    retryable: false,
    detail: 'Send a well-formed HTTP/1.1 request with one `Host`.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not come in time',
    retryable: true,
    detail: 'Send the whole request within 20 seconds, its headers within 10.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The request line and headers are larger than 16 KiB',
    retryable: false,
    detail: 'Send at most 16 KiB of request line and headers.',
  },
  unauthorized: problemEntry('UNAUTHENTICATED', 401, 'A valid API key is required'),
  'insufficient-scope': problemEntry('INSUFFICIENT_SCOPE', 403, 'The API key may not do this'),
  'not-found': problemEntry('NOT_FOUND', 404, 'There is no such thing here'),
  'cancel-refused': problemEntry('CANCEL_REFUSED', 409, 'The order can no longer be cancelled'),
  'not-completed': {
    status: 409,
    title: 'The order is not completed',
    retryable: false,
    detail: 'Only a completed order can be dispatched. If this one is still processing, ask again later.',
  },
  'not-captured': {
    status: 409,
    title: 'The payment is not captured',
    retryable: false,
    detail: 'The payment is only authorised: cancel the order to release it, or dispatch the order first.',
  },
  'authorization-expired': {
    status: 409,
    title: 'The payment can’t be captured any more',
    retryable: false,
    detail:
      'The authorisation has run out, or was cancelled at the card provider. Nothing was taken and nothing is sent: cancel the order, and place a new one.',
  },
  'not-parked': {
    status: 409,
    title: 'The saga is not parked',
    retryable: false,
    detail: 'Only a parked saga can be resumed.',
  },
  'saga-ended': { status: 409, title: 'The saga has ended', retryable: false, detail: 'Read the order of the saga.' },
  'out-of-stock': {
    status: 409,
    title: 'Not enough stock is free',
    retryable: false,
    detail: 'Orders hold the rest of the stock. Take less.',
  },
  'insufficient-funds': {
    status: 409,
    title: 'The balance is too low',
    retryable: false,
    detail: 'Take no more than the balance.',
  },
  conflict: problemEntry('CONFLICT', 409, 'The request contradicts what is stored'),
  'version-changed': problemEntry('VERSION_CHANGED', 412, 'The resource has changed'),
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not JSON',
    retryable: false,
    detail: 'Send the body with `Content-Type: application/json`.',
  },
  internal: problemEntry('INTERNAL', 500, 'An internal error'),
  'service-unavailable': {
    status: 503,
    title: 'A service behind the API does not answer',
    retryable: true,
    detail: 'A service behind the API does not answer. Send the same request again, with the same key if it has one.',
  },
} satisfies Record<string, ProblemEntry>;

export type ProblemCode = keyof typeof problems;

/** The code of what is a reason over gRPC. */
export const codeByReason = codesByReason<ProblemCode>(problems);

/** A place in the request and what is wrong there; `pointer` is an RFC 6901 JSON pointer into the body. */
export interface Fault {
  pointer: string;
  detail: string;
}

/** Thrown by routes and hooks; the one error handler sends it. */
export class Problem extends Error {
  override name = 'Problem';
  readonly code: ProblemCode;
  readonly faults: readonly Fault[] | undefined;
  /** @param detail what the caller does about it, where the place that fails knows more than the catalogue */
  constructor(code: ProblemCode, detail: string = problems[code].detail, faults?: readonly Fault[]) {
    super(detail);
    this.code = code;
    this.faults = faults;
  }
}

/** H6. @param differing names of top-level members; none where the operation differs, which is for its own caller to know */
export function reusedKey(differing: readonly string[]): Problem {
  const faults = differingFaults(differing.map((member) => `/${member}`));
  return new Problem('idempotency-key-reused', undefined, faults as Fault[]);
}

/** H6, H7, H16: the key gives this request no answer. */
export function unanswered(
  refused: { kind: 'reused'; differing: readonly string[] } | { kind: Exclude<keyof typeof PLACED_REASONS, 'reused'> },
): Problem {
  if (refused.kind === 'reused') return reusedKey(refused.differing);
  return new Problem(codeByReason.get(PLACED_REASONS[refused.kind]) as ProblemCode);
}

/** As it is sent, and stored where a refusal is final. */
export function answerOfProblem({ code, message, faults }: Problem): ProblemAnswer {
  return problemAnswer(problemOf(problems, code, { detail: message, errors: faults }));
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, headers, body } = answerOfProblem(problem);
  return reply.code(status).headers(headers).send(body);
}
