import type { Clock, SagaLog } from './ports.ts';
import type { SagaSnapshot } from './saga-row.ts';

export type SnapshotListener = (snapshot: SagaSnapshot) => void;

export interface Wait<T> {
  id: string;
  /** What is known of it here; undefined when it is not driven here. */
  local: () => SagaSnapshot | undefined;
  stored: () => Promise<SagaSnapshot | null>;
  /** Null while it is worth waiting. */
  judge: (snapshot: SagaSnapshot) => T | null;
  waitMs: number;
  signal: AbortSignal | undefined;
}

const POLL = { baseMs: 50, capMs: 500 };

/** Who in this process wants to hear of a saga's checkpoints. */
export class Watchers {
  readonly #log: SagaLog;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<SnapshotListener>>();
  /** Called when this process stops driving a saga, for whatever reason. */
  readonly #releases = new Map<string, Set<() => void>>();

  constructor(log: SagaLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  subscribe(id: string, listener: SnapshotListener): () => void {
    return add(this.#listeners, id, listener);
  }

  publish(snapshot: SagaSnapshot): void {
    for (const listener of this.#listeners.get(snapshot.id) ?? []) {
      try {
        listener(snapshot);
      } catch (error) {
        // The checkpoint is durable whatever a listener makes of it; the saga goes on.
        this.#log.error({ err: error, sagaId: snapshot.id }, 'a listener failed');
      }
    }
  }

  released(id: string): void {
    for (const release of this.#releases.get(id) ?? []) release();
  }

  /** Waits until `judge` has a verdict on the saga, wherever it is driven. @throws what `stored` throws */
  async until<T>(wait: Wait<T>): Promise<T | { kind: 'pending' } | { kind: 'not-found' }> {
    const until = this.#clock.now() + wait.waitMs;
    for (let poll = 0; ; poll++) {
      const snapshot = wait.local() ?? (await wait.stored());
      if (snapshot === null) return { kind: 'not-found' };
      const verdict = wait.judge(snapshot);
      if (verdict !== null) return verdict;
      const leftMs = until - this.#clock.now();
      if (leftMs <= 0 || wait.signal?.aborted) return { kind: 'pending' };
      // What is driven here is heard of; what is driven elsewhere has to be looked at.
      const mostMs = wait.local() === undefined ? Math.min(POLL.capMs, POLL.baseMs * 2 ** poll) : leftMs;
      const heard = await this.#hear(wait, Math.min(mostMs, leftMs));
      if (heard !== null) return heard;
    }
  }

  /**
   * Waits for what comes first: a snapshot of the saga that decides, its release by this process, `ms`, or the signal.
   *
   * @returns the verdict, or null when it was something else
   */
  async #hear<T>({ id, judge, signal }: Wait<T>, ms: number): Promise<T | null> {
    const ends: (() => void)[] = [];
    try {
      return await new Promise<T | null>((resolve) => {
        const nothing = () => resolve(null);
        const judged = (snapshot: SagaSnapshot) => {
          const verdict = judge(snapshot);
          if (verdict !== null) resolve(verdict);
        };
        signal?.addEventListener('abort', nothing, { once: true });
        ends.push(add(this.#listeners, id, judged), add(this.#releases, id, nothing));
        ends.push(this.#clock.after(ms, nothing));
        ends.push(() => signal?.removeEventListener('abort', nothing));
      });
    } finally {
      for (const end of ends) end();
    }
  }
}

function add<T>(sets: Map<string, Set<T>>, id: string, member: T): () => void {
  const set = sets.get(id) ?? new Set();
  sets.set(id, set.add(member));
  return () => {
    set.delete(member);
    if (set.size === 0 && sets.get(id) === set) sets.delete(id);
  };
}
