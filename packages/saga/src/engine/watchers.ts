import { hasEnded, type SagaSnapshot } from '../journal/saga-row.ts';
import type { Clock, SagaLog } from './ports.ts';

export type SnapshotListener = (snapshot: SagaSnapshot) => void;

export interface Wait<T> {
  id: string;
  /** Null while it is worth waiting. */
  judge: (snapshot: SagaSnapshot) => T | null;
  waitMs: number;
  signal: AbortSignal | undefined;
}

interface WatchersOptions {
  /** What is known of a saga here; undefined when it does not run here. */
  local: (id: string) => SagaSnapshot | undefined;
  stored: (id: string) => Promise<SagaSnapshot | null>;
  log: SagaLog;
  clock: Clock;
}

/** One subscriber of a saga. */
interface Watch {
  changed: SnapshotListener;
  /** This process runs it no longer, for whatever reason. */
  released(): void;
}

export type WaitOutcome =
  /** It has ended, or is parked and waits for an operator. */
  { kind: 'ended'; snapshot: SagaSnapshot } | { kind: 'in_progress' } | { kind: 'not_found' };

/** The same, for who wants to know as well that a step waits for something outside. */
export type SettledOutcome = WaitOutcome | { kind: 'waiting'; snapshot: SagaSnapshot };

function judgeEnd(snapshot: SagaSnapshot): WaitOutcome | null {
  return hasEnded(snapshot.state) || snapshot.state === 'parked' ? { kind: 'ended', snapshot } : null;
}

function judgeSettled(snapshot: SagaSnapshot): SettledOutcome | null {
  const isTold = snapshot.state === 'waiting' && snapshot.waiting?.isDelay !== true;
  return isTold ? { kind: 'waiting', snapshot } : judgeEnd(snapshot);
}

const POLL = { baseMs: 50, capMs: 500 };

/** Who in this process has subscribed to a saga's checkpoints. */
export class Watchers {
  readonly #options: WatchersOptions;
  readonly #watches = new Map<string, Set<Watch>>();

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  subscribe(id: string, listener: SnapshotListener): () => void {
    const watch = { changed: listener, released() {} };
    this.#add(id, watch);
    return () => this.#remove(id, watch);
  }

  publish(snapshot: SagaSnapshot): void {
    for (const watch of this.#watches.get(snapshot.id) ?? []) {
      try {
        watch.changed(snapshot);
      } catch (error) {
        // The checkpoint is durable whatever a listener makes of it; the saga goes on.
        this.#options.log.error({ err: error, sagaId: snapshot.id }, 'a subscriber failed; its saga goes on');
      }
    }
  }

  released(id: string): void {
    for (const watch of this.#watches.get(id) ?? []) watch.released();
  }

  untilEnded(id: string, waitMs: number, signal?: AbortSignal): Promise<WaitOutcome> {
    return this.until<WaitOutcome>({ id, judge: judgeEnd, waitMs, signal });
  }

  untilSettled(id: string, waitMs: number, signal?: AbortSignal): Promise<SettledOutcome> {
    return this.until<SettledOutcome>({ id, judge: judgeSettled, waitMs, signal });
  }

  /** Waits until `judge` has a verdict on the saga, wherever it runs. @throws what `stored` throws */
  async until<T>(wait: Wait<T>): Promise<T | { kind: 'in_progress' } | { kind: 'not_found' }> {
    const { local, stored, clock } = this.#options;
    const { id } = wait;
    const until = clock.now() + wait.waitMs;
    for (let poll = 0; ; poll++) {
      const snapshot = local(id) ?? (await stored(id));
      if (snapshot === null) return { kind: 'not_found' };
      const verdict = wait.judge(snapshot);
      if (verdict !== null) return verdict;
      const leftMs = until - clock.now();
      if (leftMs <= 0 || wait.signal?.aborted) return { kind: 'in_progress' };
      // What runs here is published; what runs elsewhere has to be read.
      const mostMs = local(id) === undefined ? Math.min(POLL.capMs, POLL.baseMs * 2 ** poll) : leftMs;
      const heard = await this.#hear(wait, Math.min(mostMs, leftMs));
      if (heard !== null) return heard;
    }
  }

  /**
   * Waits for what comes first: a snapshot of the saga that decides, its release by this process, `ms`, or the signal.
   *
   * @returns the verdict, or null when it was something else
   */
  #hear<T>({ id, judge, signal }: Wait<T>, ms: number): Promise<T | null> {
    return new Promise<T | null>((resolve) => {
      const end = (verdict: T | null) => {
        this.#remove(id, watch);
        cancelTimer();
        signal?.removeEventListener('abort', nothing);
        resolve(verdict);
      };
      const nothing = () => end(null);
      const changed = (snapshot: SagaSnapshot) => {
        const verdict = judge(snapshot);
        if (verdict !== null) end(verdict);
      };
      const watch = { changed, released: nothing };
      const cancelTimer = this.#options.clock.after(ms, nothing);
      signal?.addEventListener('abort', nothing, { once: true });
      this.#add(id, watch);
    });
  }

  #add(id: string, watch: Watch): void {
    const watches = this.#watches.get(id);
    if (watches === undefined) this.#watches.set(id, new Set([watch]));
    else watches.add(watch);
  }

  #remove(id: string, watch: Watch): void {
    const watches = this.#watches.get(id);
    if (watches?.delete(watch) && watches.size === 0) this.#watches.delete(id);
  }
}
