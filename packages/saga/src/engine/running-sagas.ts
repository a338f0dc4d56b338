import type { SagaRow } from '../journal/saga-row.ts';
import type { Drive } from './saga-run.ts';

/** A place taken for a saga that is about to be inserted or taken over. */
export interface Reservation {
  /** The saga is this process's: drive it. */
  run(row: SagaRow): void;
  /** Does nothing after `run`. */
  release(): void;
}

/** A place for a saga, taken before its row is inserted, so that no sweep of this process takes it meanwhile. */
export interface Admitted extends Reservation {
  kind: 'admitted';
  /** To be stored with the saga. */
  ownerId: number;
  /** The insert is committed: drive this row. */
  run(row: SagaRow): void;
  /** Nothing was inserted, or nobody knows; if it was after all, a sweep finds it. Does nothing after `run`. */
  release(): void;
}

export type Admission =
  | Admitted
  /** `maxRunning` sagas are here already. */
  | { kind: 'full' }
  /** This process has no lease now, or is stopping. */
  | { kind: 'unavailable'; detail: string };

/** The sagas of this process, bounded: those it drives, and places taken for those that it may soon drive. */
export class Roster {
  readonly #maxRunning: number;
  readonly #drives = new Map<string, Drive>();
  /** By saga id: a duplicated request takes a second place for the same saga. */
  readonly #places = new Map<string, number>();
  #placeCount = 0;
  /** By saga id: what is told to who waits until it is gone. */
  readonly #goings = new Map<string, PromiseWithResolvers<void>>();
  #idleListeners: (() => void)[] = [];

  constructor(maxRunning: number) {
    this.#maxRunning = maxRunning;
  }

  get size(): number {
    return this.#drives.size;
  }

  isFull(): boolean {
    return this.#drives.size + this.#placeCount >= this.#maxRunning;
  }

  /** Driven here, or a place is taken for it. */
  isHere(id: string): boolean {
    return this.#drives.has(id) || this.#places.has(id);
  }

  drive(id: string): Drive | undefined {
    return this.#drives.get(id);
  }

  drives(): Drive[] {
    return [...this.#drives.values()];
  }

  reserve(id: string, start: (row: SagaRow) => void): Reservation {
    let open = true;
    this.#places.set(id, (this.#places.get(id) ?? 0) + 1);
    this.#placeCount += 1;
    const release = () => {
      if (!open) return;
      open = false;
      this.#placeCount -= 1;
      const left = (this.#places.get(id) ?? 1) - 1;
      if (left === 0) this.#places.delete(id);
      else this.#places.set(id, left);
      this.#tellIfGone(id);
    };
    const run = (row: SagaRow) => {
      if (!open) return;
      // Started first, so that the saga is here all the time.
      start(row);
      release();
    };
    return { run, release };
  }

  /** Whatever still drives the same saga here has a lower epoch: it has been taken over by this one. */
  add(drive: Drive): void {
    this.#drives.get(drive.id)?.drop('fenced');
    this.#drives.set(drive.id, drive);
  }

  remove(drive: Drive): void {
    if (this.#drives.get(drive.id) === drive) this.#drives.delete(drive.id);
    this.#tellIfGone(drive.id);
    if (this.#drives.size === 0) for (const listener of this.#idleListeners.splice(0)) listener();
  }

  /** Resolves when the saga is neither driven here nor about to be. */
  gone(id: string): Promise<void> {
    if (!this.isHere(id)) return Promise.resolve();
    const going = this.#goings.get(id) ?? Promise.withResolvers<void>();
    this.#goings.set(id, going);
    return going.promise;
  }

  #tellIfGone(id: string): void {
    if (this.isHere(id)) return;
    this.#goings.get(id)?.resolve();
    this.#goings.delete(id);
  }

  /** Resolves when no saga is driven here. */
  async idle(): Promise<void> {
    if (this.#drives.size > 0) await new Promise<void>((resolve) => this.#idleListeners.push(resolve));
  }
}
