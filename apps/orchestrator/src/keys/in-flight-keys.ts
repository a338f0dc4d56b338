/*
 * The keys that are in progress, as far as this process knows. Duplicates wait here, in memory (H7): in `singleFlight` for a
 * first request of this process, by polling for one of another process.
 *
 * K2  Only a shortcut: the key's row has the answer.
 * K7  A waiting duplicate holds neither a connection nor a lock. Keys whose first request runs in another process are
 *     looked at together: one statement per look, however many wait. With Redis they are woken, and the looks go on all the
 *     same: a message may be lost.
 */
import { createSingleFlight } from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import { findSettled, type StoredAnswer, type StoredKey } from './key-store.ts';

/** What a duplicate is compared with: always a committed row, since another request may have claimed the key. */
export type InFlightKey = Pick<StoredKey, 'tenantId' | 'operation' | 'fingerprint' | 'members' | 'createdAt'>;

export type Waited =
  | { kind: 'completed'; answer: StoredAnswer }
  /** Not in the time given; or too many wait here already. */
  | { kind: 'in_progress' }
  /** No longer watched: read the key's row. */
  | { kind: 'changed' };

interface Entry {
  key: InFlightKey;
  outcome: PromiseWithResolvers<Waited>;
  waiting: number;
  unsubscribe: () => void;
}

export interface WaitOptions {
  waitMs: number;
  /** Aborted when the caller hangs up. */
  signal: AbortSignal;
  /** Returns when another process may have published the answer, at the latest after `ms`; undefined without Redis. */
  untilPublished?: ((ms: number) => Promise<void>) | undefined;
}

export interface InFlightKeysOptions {
  pool: Pool;
  log: Log;
  /** Calls `listener` when this process changes what it drives under `id`. @returns ends that */
  subscribe: (id: string, listener: () => void) => () => void;
  /** How often keys that other processes answer are looked at. Default 50 ms. */
  lookEveryMs?: number;
}

const LOOK_EVERY_MS = 50;
const LISTEN_MS = 5_000;
const IDS_PER_LOOK = 1_000;
const MAX_WAITING = 20_000;
const PENDING: Waited = { kind: 'in_progress' };

export class InFlightKeys {
  /** First requests that run in this process. */
  readonly singleFlight = createSingleFlight({ maxWaiting: MAX_WAITING });
  readonly #options: InFlightKeysOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #lookEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  /** Woken during a look: what was stored may have come too late for it. */
  #wokenMeanwhile = false;

  constructor(options: InFlightKeysOptions) {
    this.#options = options;
    this.#lookEveryMs = options.lookEveryMs ?? LOOK_EVERY_MS;
  }

  /** What the key was claimed for, where a call here waits for another process. */
  watched(id: string): InFlightKey | undefined {
    return this.#entries.get(id)?.key;
  }

  /** Waits for the answer to a key that is in progress in another process. Holds nothing meanwhile. */
  async wait(id: string, key: InFlightKey, { waitMs, signal, untilPublished }: WaitOptions): Promise<Waited> {
    if (waitMs <= 0 || signal.aborted || this.singleFlight.isFull) return PENDING;
    const entry = this.#entries.get(id) ?? this.#watch(id, key, untilPublished);
    entry.waiting += 1;
    try {
      const waited = await this.singleFlight.wait(entry.outcome.promise, waitMs, signal);
      return waited === 'late' ? PENDING : waited;
    } finally {
      entry.waiting -= 1;
      if (entry.waiting === 0) this.#end(id, entry, { kind: 'changed' });
    }
  }

  /** Ends the polling; waiting calls read the key's row. */
  close(): void {
    clearTimeout(this.#timer);
    for (const [id, entry] of this.#entries) this.#end(id, entry, { kind: 'changed' });
  }

  #watch(id: string, key: InFlightKey, untilPublished: WaitOptions['untilPublished']): Entry {
    // Ended here after all (its saga was adopted): look at once.
    const unsubscribe = this.#options.subscribe(id, () => this.#lookIn(0));
    const entry: Entry = { key, outcome: Promise.withResolvers<Waited>(), waiting: 0, unsubscribe };
    this.#entries.set(id, entry);
    this.#lookIn(this.#lookEveryMs);
    if (untilPublished !== undefined) void this.#lookWhenPublished(id, entry, untilPublished);
    return entry;
  }

  async #lookWhenPublished(id: string, entry: Entry, untilPublished: (ms: number) => Promise<void>): Promise<void> {
    while (this.#entries.get(id) === entry) {
      await untilPublished(LISTEN_MS);
      if (this.#entries.get(id) === entry) this.#lookIn(0);
    }
  }

  #end(id: string, entry: Entry, outcome: Waited): void {
    entry.unsubscribe();
    if (this.#entries.get(id) === entry) this.#entries.delete(id);
    entry.outcome.resolve(outcome);
  }

  #lookIn(ms: number): void {
    if (this.#looking) this.#wokenMeanwhile ||= ms === 0;
    if (this.#looking || (this.#timer !== undefined && ms > 0)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#wokenMeanwhile = false;
    this.#timer = undefined;
    const ids = [...this.#entries].map(([id, { key }]) => ({ tenantId: key.tenantId, id }));
    try {
      for (let at = 0; at < ids.length; at += IDS_PER_LOOK) {
        for (const { id, ...answer } of await findSettled(this.#options.pool, ids.slice(at, at + IDS_PER_LOOK))) {
          const entry = this.#entries.get(id);
          if (entry !== undefined) this.#end(id, entry, { kind: 'completed', answer });
        }
      }
    } catch (error) {
      // Each waiting call has its own deadline; the next look may succeed.
      this.#options.log.warn({ err: error }, 'polling for the answers of other processes failed; polling again');
    } finally {
      this.#looking = false;
    }
    if (ids.length > 0) this.#lookIn(this.#wokenMeanwhile ? 0 : this.#lookEveryMs);
  }
}
