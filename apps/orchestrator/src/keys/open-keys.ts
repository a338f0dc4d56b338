/*
 * Keys whose answer is open, as far as this process knows. Duplicates wait here, in memory (H7).
 *
 * K2  Only a shortcut: what a key is answered, its row says.
 * K7  A waiting duplicate holds neither a connection nor a lock. Keys whose first request runs in another process are
 *     looked at together: one statement per look, however many wait. With Redis they are woken, and the looks go on all the
 *     same: a message may be lost.
 */
import type { Pool } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import { findSettled, type StoredAnswer, type StoredKey } from './key-store.ts';

/** What a duplicate is compared with. Only ever what a committed row says: another request may have claimed the key. */
export type OpenKey = Pick<StoredKey, 'tenantId' | 'operation' | 'fingerprint' | 'members' | 'createdAt'>;

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
  /** Undefined while the first request runs in this process, which tells then. */
  unsubscribe?: () => void;
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
/** One statement's time, and some: a duplicate that comes while the key is being claimed waits for that. */
const CLAIM_MS = 1_000;
const PENDING: Waited = { kind: 'pending' };

export class OpenKeys {
  readonly #options: OpenKeysOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #claims = new Map<string, Promise<StoredKey | undefined>>();
  readonly #lookEveryMs: number;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  /** Woken during a look: what was stored may have come too late for it. */
  #wokenMeanwhile = false;

  constructor(options: OpenKeysOptions) {
    this.#options = options;
    this.#lookEveryMs = options.lookEveryMs ?? LOOK_EVERY_MS;
  }

  /**
   * What the key stands for, where this process knows: somebody here waits for its answer, or is just claiming it.
   * @returns undefined at once when nothing is known; or a promise of undefined when a claim came to nothing
   */
  known(id: string): OpenKey | Promise<StoredKey | undefined> | undefined {
    const claim = this.#claims.get(id);
    return claim === undefined ? this.#entries.get(id)?.key : resolvedWithin(CLAIM_MS, claim);
  }

  /** Runs `work`, which claims the key or finds what it stands for; others in this process get to know it with us. */
  async claim<T extends { stored: StoredKey | undefined }>(id: string, work: () => Promise<T>): Promise<T> {
    const claiming = work();
    const found = claiming.then(
      ({ stored }) => stored,
      // The one who claims is told; the others look themselves.
      () => undefined,
    );
    this.#claims.set(id, found);
    try {
      return await claiming;
    } finally {
      if (this.#claims.get(id) === found) this.#claims.delete(id);
    }
  }

  /**
   * Says that the first request under `id` waits for its answer in this process.
   * @returns tells the duplicates its end: the stored answer, or none, and then they look themselves
   */
  open(id: string, key: OpenKey): (answer: StoredAnswer | undefined) => void {
    const entry = this.#enter(id, key);
    return (answer) => this.#end(id, entry, answer ? { kind: 'answered', answer } : { kind: 'ended' });
  }

  /** Waits for the answer to a key that `known` told of, or that was met open in its row. Holds nothing meanwhile. */
  async wait(id: string, key: OpenKey, { waitMs, signal, untilTold }: WaitOptions): Promise<Waited> {
    if (waitMs <= 0 || signal.aborted || this.#waiting >= MAX_WAITING) return PENDING;
    const entry = this.#entries.get(id) ?? this.#watch(id, key, untilTold);
    entry.waiting += 1;
    this.#waiting += 1;
    try {
      return await outcomeWithin(waitMs, signal, entry.outcome.promise);
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

  #watch(id: string, key: OpenKey, untilTold: WaitOptions['untilTold']): Entry {
    const entry = this.#enter(id, key);
    // Ended here after all (its saga was adopted): look at once.
    entry.unsubscribe = this.#options.subscribe(id, () => this.#lookIn(0));
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
    entry.unsubscribe?.();
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
    const watched = [...this.#entries].filter(([, entry]) => entry.unsubscribe);
    const ids = watched.map(([id, { key }]) => ({ tenantId: key.tenantId, id }));
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
    if (ids.length > 0) this.#lookIn(this.#wokenMeanwhile ? 0 : this.#lookEveryMs);
  }
}

/** The outcome, or pending after `ms` or when `signal` aborts. */
async function outcomeWithin(ms: number, signal: AbortSignal, outcome: Promise<Waited>): Promise<Waited> {
  const late = Promise.withResolvers<Waited>();
  const giveUp = () => late.resolve(PENDING);
  const timer = setTimeout(giveUp, ms);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([outcome, late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

async function resolvedWithin<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
