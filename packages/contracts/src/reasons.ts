import { KEY_RULE } from './key.ts';

/** One way in which a call fails, whatever it is sent over. */
export interface ReasonEntry {
  /** The name of the gRPC status that carries it. */
  status:
    | 'ABORTED'
    | 'FAILED_PRECONDITION'
    | 'INTERNAL'
    | 'INVALID_ARGUMENT'
    | 'NOT_FOUND'
    | 'PERMISSION_DENIED'
    | 'UNAUTHENTICATED'
    | 'UNAVAILABLE';
  /** The least time before the same call is sent again; -1: sending it again does not help. */
  pushbackMs: number;
  /** What the caller does about it, unless the place that fails knows better. Never a value of the request. */
  detail: string;
}

/**
 * Why a call fails, and what its caller does about it: one entry and one sentence for each reason. The gRPC catalogues
 * (rpc, idempotency) and the HTTP problems of keys are made of it. Business refusals are the failure reasons
 * (failure-reasons.ts) and travel the same way. A test checks docs/errors.md against this list.
 */
export const reasons = {
  IDEMPOTENCY_KEY_MISSING: {
    status: 'INVALID_ARGUMENT',
    pushbackMs: -1,
    detail: 'Send an idempotency key: a new one for every operation, the same one for every retry.',
  },
  IDEMPOTENCY_KEY_INVALID: { status: 'INVALID_ARGUMENT', pushbackMs: -1, detail: KEY_RULE },
  INVALID_REQUEST: { status: 'INVALID_ARGUMENT', pushbackMs: -1, detail: 'Fix the field that the message names.' },
  IDEMPOTENCY_KEY_REUSED: {
    status: 'FAILED_PRECONDITION',
    pushbackMs: -1,
    detail: 'This key belongs to another request. Send that request unchanged, or use a new key.',
  },
  IDEMPOTENCY_KEY_EXPIRED: {
    status: 'FAILED_PRECONDITION',
    pushbackMs: -1,
    detail:
      'This key is older than the time for which keys are kept. Check whether the operation completed. If not, use a new key.',
  },
  ANSWER_EXPIRED: {
    status: 'FAILED_PRECONDITION',
    pushbackMs: -1,
    detail: 'The operation completed, and its answer is no longer stored. Read the resource.',
  },
  SEALED: {
    status: 'FAILED_PRECONDITION',
    pushbackMs: -1,
    detail: 'The operation was undone and will never run. If you still want it, use a new key.',
  },
  CANCEL_REFUSED: {
    status: 'FAILED_PRECONDITION',
    pushbackMs: -1,
    detail: 'The order can no longer be cancelled. Handle it as a return.',
  },
  CONFLICT: {
    status: 'FAILED_PRECONDITION',
    pushbackMs: -1,
    detail: 'The request contradicts what is stored. The message says how.',
  },
  VERSION_CHANGED: {
    status: 'FAILED_PRECONDITION',
    pushbackMs: -1,
    detail:
      'It has changed since you read it, and nothing was done. Read it again, decide anew, and send that under a new key.',
  },
  UNAUTHENTICATED: {
    status: 'UNAUTHENTICATED',
    pushbackMs: -1,
    detail: 'Send `authorization: Bearer` and one of your API keys.',
  },
  PEER_NOT_ALLOWED: {
    status: 'PERMISSION_DENIED',
    pushbackMs: -1,
    detail: 'Call with a client certificate that carries a name which this service allows (`GRPC_TLS_ALLOW`).',
  },
  INSUFFICIENT_SCOPE: {
    status: 'PERMISSION_DENIED',
    pushbackMs: -1,
    detail: 'Use an API key that has the scope which the message names.',
  },
  NOT_FOUND: {
    status: 'NOT_FOUND',
    pushbackMs: -1,
    detail: 'Check the id. Records of other tenants are not found either.',
  },
  FENCED: {
    status: 'ABORTED',
    pushbackMs: -1,
    detail: 'The saga of this order has another owner with a higher epoch. Stop driving it.',
  },
  REQUEST_IN_PROGRESS: {
    status: 'ABORTED',
    pushbackMs: 50,
    detail: 'The same request is running. Send it again with the same key.',
  },
  TRY_AGAIN: {
    status: 'UNAVAILABLE',
    pushbackMs: 50,
    detail: 'Nothing was done. Send the same request again, with the same key if it has one.',
  },
  STORE_UNAVAILABLE: {
    status: 'UNAVAILABLE',
    pushbackMs: 200,
    detail: 'The database does not answer. Send the same request again, with the same key if it has one.',
  },
  OUTCOME_UNKNOWN: {
    status: 'UNAVAILABLE',
    pushbackMs: 100,
    detail: 'The provider did not say whether it happened. Send the same request again with the same key.',
  },
  WAITING: {
    status: 'UNAVAILABLE',
    pushbackMs: 1_000,
    detail:
      'Somebody else has to act first, such as the customer. Send the same request again later with the same key.',
  },
  // A person has to fix it, if anybody does: a retry is safe, and not urgent.
  INTERNAL: {
    status: 'INTERNAL',
    pushbackMs: 1_000,
    detail: 'An internal error, with an unknown outcome. Send the same request again, with the same key if it has one.',
  },
} as const satisfies Record<string, ReasonEntry>;

export type Reason = keyof typeof reasons;

/** Whether the same call, under the same key, may succeed later. */
export function isRetryable(reason: Reason): boolean {
  return reasons[reason].pushbackMs >= 0;
}
