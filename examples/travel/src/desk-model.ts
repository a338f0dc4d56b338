/* A desk as the simulation sees it: what desk.ts does in its transactions, over maps. */
import type { ActOutcome, UndoOutcome } from '@holdfast/saga';
import type { SimulatedCall, SimulatedParticipant } from '@holdfast/testing/simulation';

export interface DeskModelOptions {
  /** A reason to refuse this trip, or null. */
  refusal: (input: unknown) => string | null;
  /** Planted when false: a cancellation that finds nothing leaves no trace. */
  seals?: boolean;
}

export class DeskModel implements SimulatedParticipant {
  readonly #options: DeskModelOptions;
  readonly #answers = new Map<string, ActOutcome<unknown>>();
  readonly #sealed = new Set<string>();
  readonly #fences = new Map<string, number>();
  readonly #booked = new Map<string, number>();

  constructor(options: DeskModelOptions) {
    this.#options = options;
  }

  act({ sagaId, input, key, epoch }: SimulatedCall): ActOutcome<unknown> {
    if (this.#isFenced(sagaId, epoch)) return { kind: 'fenced', detail: '' };
    if (this.#sealed.has(sagaId)) return { kind: 'refused', reason: 'CANCELLED', message: '' };
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const reason = this.#options.refusal(input);
    if (reason === null) this.#booked.set(sagaId, this.live(sagaId) + 1);
    const answer: ActOutcome<unknown> =
      reason === null ? { kind: 'completed', output: {} } : { kind: 'refused', reason, message: '' };
    this.#answers.set(key, answer);
    return answer;
  }

  undo({ sagaId, epoch }: SimulatedCall): UndoOutcome {
    if (this.#isFenced(sagaId, epoch)) return { kind: 'fenced', detail: '' };
    if (this.#options.seals !== false || this.live(sagaId) > 0) this.#sealed.add(sagaId);
    this.#booked.delete(sagaId);
    return { kind: 'completed' };
  }

  live(sagaId: string): number {
    return this.#booked.get(sagaId) ?? 0;
  }

  #isFenced(sagaId: string, epoch: number): boolean {
    const fence = this.#fences.get(sagaId) ?? 0;
    this.#fences.set(sagaId, Math.max(fence, epoch));
    return epoch < fence;
  }
}
