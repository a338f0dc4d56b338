import type { Reason } from '@holdfast/contracts/reasons';

/**
 * What a call is refused with when its key gives it no answer: one table under HTTP and gRPC. A kind of outcome that is
 * missing here does not compile where an edge looks it up.
 */
export const OUTCOME_REASONS = {
  answer_expired: 'ANSWER_EXPIRED',
  fenced: 'FENCED',
  fence_rising: 'TRY_AGAIN',
  in_progress: 'REQUEST_IN_PROGRESS',
  reused: 'IDEMPOTENCY_KEY_REUSED',
  sealed: 'SEALED',
  unknown: 'OUTCOME_UNKNOWN',
} as const satisfies Record<string, Reason>;

/** What a key is refused with before anything is claimed. */
export const KEY_FAULT_REASONS = {
  missing: 'IDEMPOTENCY_KEY_MISSING',
  invalid: 'IDEMPOTENCY_KEY_INVALID',
  key_expired: 'IDEMPOTENCY_KEY_EXPIRED',
} as const satisfies Record<string, Reason>;
