import type { Reason } from '@holdfast/contracts';
import { KEY_FAULT_REASONS, OUTCOME_REASONS } from '@holdfast/idempotency';
import type { Placed } from './accept-order.ts';

/** What a request is refused with when its key gives it no answer, over HTTP and gRPC alike. */
export const PLACED_REASONS = {
  in_progress: OUTCOME_REASONS.in_progress,
  reused: OUTCOME_REASONS.reused,
  key_expired: KEY_FAULT_REASONS.key_expired,
  unavailable: 'TRY_AGAIN',
} as const satisfies Record<Exclude<Placed['kind'], 'completed'>, Reason>;
