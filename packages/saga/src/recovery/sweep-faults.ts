import type { SagaLog } from '../engine/ports.ts';

/** Of one sweep; the rest is counted. */
const MOST_SAID = 10;

/** What went wrong in one sweep: a saga that can't be taken keeps none of the others from it, a part of the sweep no other part. */
export class SweepFaults {
  readonly #log: SagaLog;
  #sagas = 0;

  constructor(log: SagaLog) {
    this.#log = log;
  }

  /** Null when the saga could not be taken; the next sweep finds it again. */
  async ofSaga<T>(sagaId: string, take: () => Promise<T>): Promise<T | null> {
    try {
      return await take();
    } catch (err) {
      this.#sagas += 1;
      if (this.#sagas <= MOST_SAID)
        this.#log.warn({ err, sagaId }, 'a saga could not be taken; the next sweep tries again');
      return null;
    }
  }

  /** What `work` counts; 0 when it failed. */
  async ofPart(part: string, work: () => Promise<number>): Promise<number> {
    try {
      return await work();
    } catch (err) {
      this.#log.warn({ err, part }, 'a part of the sweep failed; the next one looks again');
      return 0;
    }
  }

  /** Says what was not said one by one. */
  end(): void {
    if (this.#sagas > MOST_SAID)
      this.#log.warn({ sagas: this.#sagas }, 'so many sagas could not be taken in this sweep');
  }
}
