import type { ActOutcome } from '../../core/outcome.ts';
import type { ClaimOutcome } from './claims.ts';

/** The outcome of a key that was claimed before. `ended`: throw endedEarlier() for it. */
export type Existing = Exclude<ActOutcome, { kind: 'unknown' }> | { kind: 'ended' };

/** @returns undefined when the caller has the right to run: its outcome is still to come */
export function handleExisting(outcome: ClaimOutcome): Existing | undefined {
  switch (outcome.kind) {
    case 'claimed':
    case 'resumed':
      return undefined;
    case 'completed':
    case 'refused':
      return { ...outcome, replayed: true };
    case 'in_progress':
      return { kind: 'in_progress' };
    case 'reused':
    case 'fenced':
    case 'fence_rising':
    case 'sealed':
    case 'answer_expired':
    case 'ended':
      return outcome;
  }
}
