/*
 * Keys that are in progress, as far as this process knows. Duplicates wait here, in memory (H7): for a first request of this
 * process in `singleFlight`, for one of another process by looking.
 *
 * K2  Only a shortcut: what a key is answered, its row says.
 * K7  A waiting duplicate holds neither a connection nor a lock. Keys whose first request runs in another process are
 *     looked at together: one statement per look, however many wait. With Redis they are woken, and the looks go on all the
 *     same: a message may be lost.
 */
import { createSingleFlight } from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import { findSettled, type StoredAnswer, type StoredKey } from './key-store.ts';

/** What a duplicate is compared with. Only ever what a committed row says: another request may have claimed the key. */
export type OpenKey = Pick<StoredKey, 'tenantId' | 'operation' | 'fingerprint' | 'members' | 'createdAt'>;

export type Waited =
  | { kind: 'completed'; answer: StoredAnswer }
  /** Not in the time given; or too many wait here already. */
  | { kind: 'in_progress' }
  /** No longer watched: the key's row says what it stands for now. */
  | { kind: 'changed' };

interface Entry {
  key: OpenKey;
  outcome: PromiseWithResolvers<Waited>;
  waiting: number;
  unsubscribe: () => void;
}

export interface WaitOptions {
  waitMs: number;
  /** Aborted when the caller hangs up. */
  signal: AbortSignal;
  /** Returns when another process may have told the answer, at the latest after `ms`; undefined where nobody tells. */
  untilTold?: ((ms: number) => Promise<void>) | undefined;
}

export interface OpenKeysOptions {
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

export class OpenKeys {
  /** First requests that run in this process. */
  readonly singleFlight = createSingleFlight({ maxWaiting: MAX_WAITING });
  readonly #options: OpenKeysOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #lookEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  /** Woken during a look: what was stored may have come too late for it. */
  #wokenMeanwhile = false;

  constructor(options: OpenKeysOptions) {
    this.#options = options;
    this.#lookEveryMs = options.lookEveryMs ?? LOOK_EVERY_MS;
  }

  /** What the key stands for, where somebody here waits for an answer of another process. */
  watched(id: string): OpenKey | undefined {
    return this.#entries.get(id)?.key;
  }

  /** Waits for the answer to a key that is in progress in another process. Holds nothing meanwhile. */
  async wait(id: string, key: OpenKey, { waitMs, signal, untilTold }: WaitOptions): Promise<Waited> {
    if (waitMs <= 0 || signal.aborted || this.singleFlight.isFull) return PENDING;
    const entry = this.#entries.get(id) ?? this.#watch(id, key, untilTold);
    entry.waiting += 1;
    try {
      const waited = await this.singleFlight.wait(entry.outcome.promise, waitMs, signal);
      return waited === 'late' ? PENDING : waited;
    } finally {
      entry.waiting -= 1;
      if (entry.waiting === 0) this.#end(id, entry, { kind: 'changed' });
    }
  }

  /** No more looks; who waits is sent to the key's row. */
  close(): void {
    clearTimeout(this.#timer);
    for (const [id, entry] of this.#entries) this.#end(id, entry, { kind: 'changed' });
  }

  #watch(id: string, key: OpenKey, untilTold: WaitOptions['untilTold']): Entry {
    // Ended here after all (its saga was adopted): look at once.
    const unsubscribe = this.#options.subscribe(id, () => this.#lookIn(0));
    const entry: Entry = { key, outcome: Promise.withResolvers<Waited>(), waiting: 0, unsubscribe };
    this.#entries.set(id, entry);
    this.#lookIn(this.#lookEveryMs);
    if (untilTold !== undefined) void this.#lookWhenTold(id, entry, untilTold);
    return entry;
  }

  async #lookWhenTold(id: string, entry: Entry, untilTold: (ms: number) => Promise<void>): Promise<void> {
    while (this.#entries.get(id) === entry) {
      await untilTold(LISTEN_MS);
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
      // Who waits has a deadline of its own; the next look may go well.
      this.#options.log.warn({ err: error }, 'looking for answers that duplicates wait for failed; looking again');
    } finally {
      this.#looking = false;
    }
    if (ids.length > 0) this.#lookIn(this.#wokenMeanwhile ? 0 : this.#lookEveryMs);
  }
}
