/*
 * Keys whose answer is open, as far as this process knows. Duplicates wait here, in memory (H7).
 *
 * K2  Only a shortcut: what a key is answered, its row says.
 * K7  A waiting duplicate holds neither a connection nor a lock. Keys whose first request runs in another process are
 *     looked at together: one statement per look, however many wait.
 */
import type { Pool } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import { findSettled, type KeyedOperation, type StoredAnswer } from './key-store.ts';

/** What a duplicate is compared with. */
export interface OpenKey {
  operation: KeyedOperation;
  fingerprint: Buffer;
  members: Record<string, string> | null;
  createdAt: Date;
}

export type Waited =
  | { kind: 'answered'; answer: StoredAnswer }
  /** Not in the time given; or too many wait here already. */
  | { kind: 'pending' }
  /** The request that was waited for has ended without an answer: the key's row says what it stands for now. */
  | { kind: 'ended' };

interface Entry {
  key: OpenKey;
  outcome: PromiseWithResolvers<Waited>;
  waiting: number;
  /** The first request runs in this process and its claim is not committed yet. */
  claiming?: PromiseWithResolvers<void>;
  /** Undefined while the first request runs in this process, which tells then. */
  unsubscribe?: () => void;
}

/** How the first request under a key tells the duplicates in its process. */
export interface Opened {
  /** The claim is committed; the answer is still open. */
  claimed(): void;
  /** The stored answer; or none, and then the duplicates look themselves. */
  end(answer?: StoredAnswer): void;
}

export interface OpenKeysOptions {
  pool: Pool;
  log: Log;
  /** Calls `listener` when this process changes what it drives under `id`. @returns ends that */
  subscribe: (id: string, listener: () => void) => () => void;
}

const LOOK_EVERY_MS = 50;
const IDS_PER_LOOK = 1_000;
const MAX_WAITING = 20_000;
/** Not the order's time but one statement's: a duplicate that comes this early is not sent away for it. */
const CLAIM_MS = 1_000;

const PENDING: Waited = { kind: 'pending' };

export class OpenKeys {
  readonly #options: OpenKeysOptions;
  readonly #entries = new Map<string, Entry>();
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(options: OpenKeysOptions) {
    this.#options = options;
  }

  /** What is known of a key that somebody in this process waits for. */
  find(id: string): OpenKey | undefined {
    return this.#entries.get(id)?.key;
  }

  /** Says that the first request under `id` runs in this process, from before its claim on. */
  open(id: string, key: OpenKey): Opened {
    const entry = this.#enter(id, key);
    const claiming = Promise.withResolvers<void>();
    entry.claiming = claiming;
    const claimed = () => {
      delete entry.claiming;
      claiming.resolve();
    };
    return {
      claimed,
      end: (answer) => {
        this.#end(id, entry, answer ? { kind: 'answered', answer } : { kind: 'ended' });
        claimed();
      },
    };
  }

  /** Waits for the answer to a key that `find` knew, or that was met open in its row. Holds nothing meanwhile. */
  async wait(id: string, key: OpenKey, waitMs: number, signal: AbortSignal): Promise<Waited> {
    if (signal.aborted || this.#waiting >= MAX_WAITING) return { kind: 'pending' };
    const claiming = this.#entries.get(id)?.claiming;
    if (waitMs <= 0 && claiming === undefined) return { kind: 'pending' };
    const entry = this.#entries.get(id) ?? this.#watch(id, key);
    entry.waiting += 1;
    this.#waiting += 1;
    try {
      if (waitMs > 0 || claiming === undefined) return await firstOf(waitMs, signal, [entry.outcome.promise]);
      const claimed = claiming.promise.then(() => PENDING);
      return await firstOf(CLAIM_MS, signal, [entry.outcome.promise, claimed]);
    } finally {
      entry.waiting -= 1;
      this.#waiting -= 1;
      if (entry.waiting === 0 && entry.unsubscribe) this.#end(id, entry, { kind: 'ended' });
    }
  }

  /** No more looks; who waits is sent to the key's row. */
  close(): void {
    clearTimeout(this.#timer);
    for (const [id, entry] of this.#entries) this.#end(id, entry, { kind: 'ended' });
  }

  #enter(id: string, key: OpenKey): Entry {
    const known = this.#entries.get(id);
    if (known !== undefined) this.#end(id, known, { kind: 'ended' });
    const entry: Entry = { key, outcome: Promise.withResolvers<Waited>(), waiting: 0 };
    this.#entries.set(id, entry);
    return entry;
  }

  #watch(id: string, key: OpenKey): Entry {
    const entry = this.#enter(id, key);
    // Ended here after all (its saga was adopted): look at once.
    entry.unsubscribe = this.#options.subscribe(id, () => this.#lookIn(0));
    this.#lookIn(LOOK_EVERY_MS);
    return entry;
  }

  #end(id: string, entry: Entry, outcome: Waited): void {
    entry.unsubscribe?.();
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
    entry.outcome.resolve(outcome);
  }

  #lookIn(ms: number): void {
    if (this.#looking || (this.#timer !== undefined && ms > 0)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#timer = undefined;
    const ids = [...this.#entries].filter(([, entry]) => entry.unsubscribe).map(([id]) => id);
    try {
      for (let at = 0; at < ids.length; at += IDS_PER_LOOK) {
        for (const { id, ...answer } of await findSettled(this.#options.pool, ids.slice(at, at + IDS_PER_LOOK))) {
          const entry = this.#entries.get(id);
          if (entry?.unsubscribe) this.#end(id, entry, { kind: 'answered', answer });
        }
      }
    } catch (error) {
      // Who waits has a deadline of its own; the next look may go well.
      this.#options.log.warn({ err: error }, 'looking for answers that duplicates wait for failed; looking again');
    } finally {
      this.#looking = false;
    }
    if (ids.length > 0) this.#lookIn(LOOK_EVERY_MS);
  }
}

/** The first of the outcomes, or pending after `ms` or when `signal` aborts. */
async function firstOf(ms: number, signal: AbortSignal, outcomes: Promise<Waited>[]): Promise<Waited> {
  const late = Promise.withResolvers<Waited>();
  const giveUp = () => late.resolve(PENDING);
  const timer = setTimeout(giveUp, ms);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([...outcomes, late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}
