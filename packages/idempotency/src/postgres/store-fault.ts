import type { Reason } from '@holdfast/contracts/reasons';
import { classifyPostgresError, type PostgresFault, QueueFull } from '@holdfast/postgres';
import { ClaimedMeanwhile } from './claims/claims.ts';
import { EffectTimeout } from './scope/scoped-transaction.ts';

const REASON_BY_FAULT = {
  contended: 'TRY_AGAIN',
  unavailable: 'STORE_UNAVAILABLE',
  other: undefined,
} as const satisfies Record<PostgresFault, Reason | undefined>;

export type StoreFaultReason = 'TRY_AGAIN' | 'STORE_UNAVAILABLE';

/**
 * What an exception of the store means to a caller: the one table that every edge reads (H9, H18, G7, G15).
 * @returns undefined when it is no fault of the store
 */
export function storeFaultReason(error: unknown): StoreFaultReason | undefined {
  // Rolled back, or never begun: nothing was done.
  if (error instanceof EffectTimeout || error instanceof ClaimedMeanwhile || error instanceof QueueFull) {
    return 'TRY_AGAIN';
  }
  return REASON_BY_FAULT[classifyPostgresError(error)];
}
