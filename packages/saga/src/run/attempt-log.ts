import type { Attempt } from '../journal/checkpoint.ts';
import { type AttemptOutcome, type AttemptUnderWay, detailOf } from './attempt.ts';

/** The attempts of one saga run, numbered; those that the journal does not have yet are kept here. */
export class AttemptLog {
  readonly #of: { sagaId: string; epoch: number };
  #count = 0;
  #unwritten: Attempt[] = [];

  constructor(of: { sagaId: string; epoch: number }) {
    this.#of = of;
  }

  /** Of this run, written or not. */
  get count(): number {
    return this.#count;
  }

  add({ step, direction, attempt, startedAt }: AttemptUnderWay, outcome: AttemptOutcome, endedAt: number): void {
    this.#count += 1;
    const entry = { seq: this.#count, step: step.name, direction, attempt, outcome: outcome.kind, startedAt, endedAt };
    this.#unwritten.push({ ...this.#of, ...entry, detail: detailOf(outcome) });
  }

  /** They are about to be written. */
  take(): Attempt[] {
    return this.#unwritten.splice(0);
  }

  /** They were not written after all. */
  putBack(attempts: Attempt[]): void {
    this.#unwritten.unshift(...attempts);
  }
}
