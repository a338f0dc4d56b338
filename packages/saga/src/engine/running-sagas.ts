import type { SagaRow } from '../journal/saga-row.ts';
import type { SagaRun } from '../run/saga-run.ts';

/** Room for one saga that is about to be inserted or adopted. It counts as running, so no sweep of this process adopts it. */
export interface Slot {
  /** The row is committed and this process owns it: run the saga. */
  run(row: SagaRow): void;
  /** Nothing was inserted, or the outcome is unknown; then a sweep finds the row, if there is one. Does nothing after `run`. */
  release(): void;
}

/** A slot under this process's lease, taken before the row is written. */
export interface Admitted extends Slot {
  kind: 'admitted';
  /** To be stored with the saga. */
  ownerId: number;
}

export type Admission =
  | Admitted
  /** `maxRunning` sagas are here already, or this process has no lease now, or is stopping. */
  | { kind: 'unavailable'; detail: string };

/** The sagas of this process, bounded: those that run here, and slots for those that may soon. */
export class RunningSagas {
  readonly #maxRunning: number;
  readonly #runs = new Map<string, SagaRun>();
  /** By saga id: a duplicated request takes a second slot for the same saga. */
  readonly #slots = new Map<string, number>();
  #slotCount = 0;
  /** By saga id: resolves when it is released. */
  readonly #releases = new Map<string, PromiseWithResolvers<void>>();
  #drainListeners: (() => void)[] = [];

  constructor(maxRunning: number) {
    this.#maxRunning = maxRunning;
  }

  get size(): number {
    return this.#runs.size;
  }

  isFull(): boolean {
    return this.room() <= 0;
  }

  /** How many more there may be. */
  room(): number {
    return this.#maxRunning - this.#runs.size - this.#slotCount;
  }

  /** How many more may be woken: a quarter of all room is left to those that begin. */
  roomToWake(): number {
    return this.room() - Math.floor(this.#maxRunning / 4);
  }

  /** It runs here, or has a slot. */
  isHere(id: string): boolean {
    return this.#runs.has(id) || this.#slots.has(id);
  }

  find(id: string): SagaRun | undefined {
    return this.#runs.get(id);
  }

  all(): SagaRun[] {
    return [...this.#runs.values()];
  }

  takeSlot(id: string, start: (row: SagaRow) => void): Slot {
    let open = true;
    this.#slots.set(id, (this.#slots.get(id) ?? 0) + 1);
    this.#slotCount += 1;
    const release = () => {
      if (!open) return;
      open = false;
      this.#slotCount -= 1;
      const left = (this.#slots.get(id) ?? 1) - 1;
      if (left === 0) this.#slots.delete(id);
      else this.#slots.set(id, left);
      this.#notifyIfReleased(id);
    };
    const run = (row: SagaRow) => {
      if (!open) return;
      // Started first, so that the saga is here all the time.
      start(row);
      release();
    };
    return { run, release };
  }

  /** An older run of the same saga here has a lower epoch: this one has adopted the saga from it. */
  add(run: SagaRun): void {
    this.#runs.get(run.id)?.drop('fenced');
    this.#runs.set(run.id, run);
  }

  remove(run: SagaRun): void {
    if (this.#runs.get(run.id) === run) this.#runs.delete(run.id);
    this.#notifyIfReleased(run.id);
    if (this.#runs.size === 0) for (const listener of this.#drainListeners.splice(0)) listener();
  }

  /** Resolves when the saga neither runs here nor has a slot. */
  released(id: string): Promise<void> {
    if (!this.isHere(id)) return Promise.resolve();
    const release = this.#releases.get(id) ?? Promise.withResolvers<void>();
    this.#releases.set(id, release);
    return release.promise;
  }

  #notifyIfReleased(id: string): void {
    if (this.isHere(id)) return;
    this.#releases.get(id)?.resolve();
    this.#releases.delete(id);
  }

  /** Resolves when no saga runs here. */
  async drained(): Promise<void> {
    if (this.#runs.size > 0) await new Promise<void>((resolve) => this.#drainListeners.push(resolve));
  }
}
