// S1 A saga that a participant refuses as fenced, and that has no newer owner, is parked instead of being adopted for ever.
// S2 A newer owner stands in the row before it calls anybody. So the checkpoint that parks changes nothing where there is one,
//    and where there is none the fence is wrong. It is left to the sweep a few times: that heals a row that has lost an adoption.

import type { Fenced } from '../definition/definition.ts';
import type { Parked } from '../journal/saga-row.ts';

/** How often a saga is left to the next sweep, which raises its epoch by one. */
const LEFT_TO_SWEEP = 5;
/** Sweeps are as far apart as the lease is long. Within a minute an operator has to hear of it all the same. */
const LEFT_FOR_MS = 15_000;
const MOST_SAGAS = 10_000;

/** How often participants have refused each saga as fenced, as far as this process has met it. Bounded: the oldest goes. */
export class FencedSagas {
  readonly #met = new Map<string, { count: number; sinceAt: number }>();

  /** @returns whether it is too often, or for too long; it is counted afresh then */
  isFencedAgain(sagaId: string, now: number): boolean {
    const { count, sinceAt } = this.#met.get(sagaId) ?? { count: 0, sinceAt: now };
    this.#met.delete(sagaId);
    if (count >= LEFT_TO_SWEEP || now - sinceAt >= LEFT_FOR_MS) return true;
    this.#met.set(sagaId, { count: count + 1, sinceAt });
    const [oldest] = this.#met.keys();
    if (this.#met.size > MOST_SAGAS && oldest !== undefined) this.#met.delete(oldest);
    return false;
  }
}

/** Names the participant by its step, and the epoch that a verb of an operator has to pass. */
export function parkedAsFenced(
  at: Pick<Parked, 'step' | 'direction' | 'attempts'>,
  epoch: number,
  { detail, epoch: fenceEpoch }: Fenced,
): Parked {
  const why = `the participant of ${at.step} has seen a higher epoch than ${epoch}: ${detail}`.slice(0, 500);
  return { ...at, reason: 'FENCED', detail: why, ...(fenceEpoch !== undefined && { fenceEpoch }) };
}
