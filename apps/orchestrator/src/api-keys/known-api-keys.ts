/*
 * The API keys that this process knows of those that were made at run time.
 *
 * T3  A key that was revoked, or has ended, opens nothing 10 s later on any replica, whatever has become of the database. A key
 *     counts for 10 s from the last look that found it; every 3 s all that are known are looked at again. When that fails for 10 s,
 *     nobody can say who was revoked meanwhile: keys are answered as `unavailable`, which may be asked again, never as wrong.
 *     (Without its database the API can do nothing anyhow. The keys of API_KEYS need no look.)
 *
 * A request with a known key asks nobody. One with an unknown key waits for a look-up: those that come together share a
 * statement, one statement is under way at a time, and they are paced, so that a flood of made-up keys keeps no more of the
 * database busy than that. A key that was not found is not looked up again for a while. Every list here is bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Batcher, createBatcher, type Query } from '@holdfast/postgres';
import { withDeadline } from '@holdfast/resilience';
import type { Log } from '@holdfast/service';
import { type Caller, type MadeKeys, UNKNOWN, type Verdict } from '../auth.ts';
import { apiKeyPrefix, idOfApiKey } from './api-key.ts';
import { type LiveKey, noteApiKeyUse, readLiveKeys } from './api-key-store.ts';

export interface KnownApiKeysOptions {
  db: Query;
  log: Log;
  /** Never goes back, and goes on while the process is stopped; milliseconds. */
  nowMs?: () => number;
  /** Keys that are known at once, and ids that are known to be none. */
  maxKnown?: number;
}

const COUNTS_FOR_MS = 10_000;
const LOOK_EVERY_MS = 3_000;
const LOOK_AGAIN_MS = 1_000;
const IDS_PER_LOOK = 1_000;
const NOTE_EVERY_MS = 3_600_000;

const MAX_KNOWN = 10_000;
const MISSING_FOR_MS = 2_000;
const LOOK_UP_WITHIN_MS = 3_000;
const LOOK_UPS_AT_ONCE = 200;
const MAX_LOOK_UPS = 1_000;
/** Between the starts of two statements: 200 keys each time are 8,000 a second at most. */
const PACE_MS = 25;

interface Known {
  digest: string;
  verdict: Verdict & { kind: 'caller' };
  /** Before the look that found it was sent: what was committed by then has been seen. */
  seenAtMs: number;
  beginsAtMs: number;
  endsAtMs: number;
  wasUsed: boolean;
  /** When its use was last written down by this process. */
  notedAtMs: number;
  ended: AbortController;
}

const UNAVAILABLE: Verdict = { kind: 'unavailable' };
const REVOKED = new Error('the API key counts no more');

export class KnownApiKeys implements MadeKeys {
  readonly #options: Required<KnownApiKeysOptions>;
  readonly #known = new Map<string, Known>();
  /** By id, when it was not found. */
  readonly #missing = new Map<string, number>();
  readonly #lookUps = new Map<string, Promise<Known | undefined>>();
  readonly #batcher: Batcher<string, undefined>;
  #lookedUpAtMs = Number.NEGATIVE_INFINITY;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: KnownApiKeysOptions) {
    this.#options = { nowMs: () => performance.now(), maxKnown: MAX_KNOWN, ...options };
    this.#batcher = createBatcher<string, undefined>({
      run: (ids) => this.#readPaced(ids),
      lane: (id) => id,
      // None of the ids is to blame.
      concernsAll: () => true,
      maxBatch: LOOK_UPS_AT_ONCE,
      maxQueued: MAX_LOOK_UPS,
      maxAtOnce: 1,
    });
  }

  /** Begins to look at what is known, until close(). */
  start(): void {
    this.#lookIn(LOOK_EVERY_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  verdictOf(key: string, digest: string): Verdict | Promise<Verdict> {
    const id = idOfApiKey(key);
    if (id === undefined) return UNKNOWN;
    const known = this.#known.get(id);
    const nowMs = this.#options.nowMs();
    // @guard T3 how long a key counts unseen: "nowMs - known.seenAtMs < COUNTS_FOR_MS" -> "true"
    if (known !== undefined && nowMs - known.seenAtMs < COUNTS_FOR_MS) return judged(known, digest, nowMs);
    const missedAtMs = this.#missing.get(id);
    if (missedAtMs !== undefined && nowMs - missedAtMs < MISSING_FOR_MS) return UNKNOWN;
    // A database that is away is asked once in a second, however many ask us.
    if (nowMs - this.#failedAtMs < LOOK_AGAIN_MS) return UNAVAILABLE;
    return this.#verdictAfterLook(id, digest);
  }

  /** Of a key that was revoked by this process: nobody waits for the next look. */
  forget(id: string): void {
    this.#known.get(id)?.ended.abort(REVOKED);
    this.#known.delete(id);
  }

  /** Looks at every key that is known. @throws pg errors; keys that it has not come to count until they are too old */
  async look(): Promise<void> {
    const ids = [...this.#known.keys()];
    for (let at = 0; at < ids.length; at += IDS_PER_LOOK) {
      const some = ids.slice(at, at + IDS_PER_LOOK);
      const askedAtMs = this.#options.nowMs();
      const live = new Set(await this.#read(some, askedAtMs));
      for (const id of some) if (!live.has(id)) this.forget(id);
    }
    await this.#noteUses();
  }

  async #verdictAfterLook(id: string, digest: string): Promise<Verdict> {
    const lookUp = this.#lookUps.get(id) ?? this.#lookUp(id);
    try {
      const found = await withDeadline(LOOK_UP_WITHIN_MS, lookUp);
      if (found.kind === 'late') return UNAVAILABLE;
      return found.value === undefined ? UNKNOWN : judged(found.value, digest, this.#options.nowMs());
    } catch {
      // Too many wait already; or the look-up failed, which is in the log.
      return UNAVAILABLE;
    }
  }

  #lookUp(id: string): Promise<Known | undefined> {
    const lookUp = this.#batcher
      .submit(id)
      .then(() => this.#known.get(id))
      .finally(() => this.#lookUps.delete(id));
    this.#lookUps.set(id, lookUp);
    return lookUp;
  }

  async #readPaced(ids: string[]): Promise<undefined[]> {
    const { nowMs, log } = this.#options;
    await delay(Math.max(this.#lookedUpAtMs + PACE_MS - nowMs(), 0));
    const askedAtMs = nowMs();
    this.#lookedUpAtMs = askedAtMs;
    try {
      const live = new Set(await this.#read(ids, askedAtMs));
      for (const id of ids) if (!live.has(id)) this.#miss(id, askedAtMs);
    } catch (error) {
      this.#failedAtMs = nowMs();
      log.warn({ err: error }, 'API keys could not be looked up; their callers are told to ask again');
      throw error;
    }
    return ids.map(() => undefined);
  }

  /** @returns the ids of those that count, or will */
  async #read(ids: readonly string[], askedAtMs: number): Promise<string[]> {
    const rows = await readLiveKeys(this.#options.db, ids);
    for (const row of rows) this.#keep(row, askedAtMs);
    return rows.map(({ id }) => id);
  }

  /** Its scopes, tenant and digest never change. */
  #keep({ id, tenantId, scopes, digest, beginsInMs, endsInMs }: LiveKey, askedAtMs: number): void {
    const times = {
      seenAtMs: askedAtMs,
      beginsAtMs: askedAtMs + beginsInMs,
      endsAtMs: endsInMs === null ? Number.POSITIVE_INFINITY : askedAtMs + endsInMs,
    };
    const known = this.#known.get(id);
    if (known !== undefined) {
      Object.assign(known, times);
      return;
    }
    this.#missing.delete(id);
    // The one that came first: if it is used, it comes back by one look-up, and what it had under way asks again.
    if (this.#known.size >= this.#options.maxKnown) this.forget(firstOf(this.#known));
    const ended = new AbortController();
    const caller: Caller = { tenantId, scopes: new Set(scopes), actor: apiKeyPrefix(id), ended: ended.signal };
    this.#known.set(id, {
      digest: digest.toString('base64'),
      verdict: { kind: 'caller', caller },
      ...times,
      wasUsed: false,
      notedAtMs: Number.NEGATIVE_INFINITY,
      ended,
    });
  }

  #miss(id: string, atMs: number): void {
    this.forget(id);
    if (this.#missing.size >= this.#options.maxKnown) this.#missing.delete(firstOf(this.#missing));
    this.#missing.set(id, atMs);
  }

  /** Off the way of every request. */
  async #noteUses(): Promise<void> {
    const nowMs = this.#options.nowMs();
    const used = [...this.#known].filter(([, { wasUsed, notedAtMs }]) => wasUsed && nowMs - notedAtMs >= NOTE_EVERY_MS);
    for (let at = 0; at < used.length; at += IDS_PER_LOOK) {
      const some = used.slice(at, at + IDS_PER_LOOK);
      await noteApiKeyUse(
        this.#options.db,
        some.map(([id]) => id),
      );
      for (const [, known] of some) {
        known.wasUsed = false;
        known.notedAtMs = nowMs;
      }
    }
  }

  #lookIn(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#lookAndGoOn(), ms);
  }

  async #lookAndGoOn(): Promise<void> {
    try {
      await this.look();
      this.#lookIn(LOOK_EVERY_MS);
    } catch (error) {
      const seconds = COUNTS_FOR_MS / 1_000;
      this.#options.log.warn({ err: error }, `API keys could not be looked at; they count for ${seconds} s unseen`);
      this.#lookIn(LOOK_AGAIN_MS);
    }
  }
}

function judged(known: Known, digest: string, nowMs: number): Verdict {
  if (known.digest !== digest || nowMs < known.beginsAtMs || nowMs >= known.endsAtMs) return UNKNOWN;
  known.wasUsed = true;
  return known.verdict;
}

function firstOf(map: ReadonlyMap<string, unknown>): string {
  const [first = ''] = map.keys();
  return first;
}
