// Group commit of checkpoints. Upholds:
// S2 A checkpoint is written only by the saga's current owner: `owner_id` and `epoch` are compared in the update itself.
//    `revision` is compared too, because the network may deliver a statement late: a flush whose reply timed out is
//    sent again, and its first copy may still run when the saga has long moved on. It must change nothing then.
// S1 A flush is repeated until its outcome is known; that is safe since it states absolute values, so that writing it
//    twice is writing it once. What it adds to a row (inline-attempts.ts) is added under a revision that is new to the row.

import { classifyPostgresError } from '@holdfast/postgres';
import { fullJitterMs } from '@holdfast/resilience';
import {
  type Clock,
  type Database,
  refusalFields,
  type SagaLog,
  type SagaMetrics,
  systemClock,
} from '../engine/ports.ts';
import type { Attempt, Checkpoint, CommitHook } from './checkpoint.ts';
import { flushStatements, flushValues } from './flush-sql.ts';

export type CheckpointOutcome =
  /** `isDue`: it waits, and what it waits for is there already. */
  | { kind: 'durable'; cancelRequested: boolean; isHookStored: boolean; isDue: boolean }
  /** Another process owns the saga. */
  | { kind: 'fenced' }
  /** The writer was closed first: this process may not own anything any more. Whether it was written is unknown. */
  | { kind: 'unavailable' }
  /** The database refuses these values, alone too. Nothing was written. */
  | { kind: 'failed'; error: unknown };

export interface WriterOptions {
  pool: Database;
  ownerId: number;
  log: SagaLog;
  metrics?: SagaMetrics | undefined;
  commitHook?: CommitHook | undefined;
  random?: () => number;
  clock?: Clock;
  /** Counted into, so that counts outlive one lease. */
  stats?: WriterStats;
  /** Prepare the flush: only for connections on which no plan may scan a table (`keyLookupsOnly` of createPool). */
  prepared?: boolean;
  /** Rows in one flush at most. */
  maxBatch?: number;
  /** Entries that may wait; a caller with more to write waits for room. */
  maxQueued?: number;
}

export interface WriterStats {
  /** Commits. */
  flushes: number;
  checkpoints: number;
  attempts: number;
}

type Waiting = { checkpoint: Checkpoint; settle: (outcome: CheckpointOutcome) => void };
type Written = Omit<Extract<CheckpointOutcome, { kind: 'durable' }>, 'kind'>;
type Batch = { waiting: Waiting[]; attempts: Attempt[] };
/** Of a checkpoint, or of what the commit hook has stored with one. */
type WrittenRow = { id: string; cancel_requested: boolean | null; stored_by_hook: boolean; due: boolean | null };

// How long an attempt that no caller waits for may stay out of the journal, hoping for a flush that goes anyway.
const JOURNAL_DELAY_MS = 100;
const RETRY = { baseMs: 20, capMs: 1_000 };

/** One per process and lease: checkpoints leave in the order they came, one flush in flight. */
export class CheckpointWriter {
  readonly stats: WriterStats;
  readonly #options: WriterOptions;
  readonly #statements: ReturnType<typeof flushStatements>;
  readonly #maxBatch: number;
  readonly #maxQueued: number;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #checkpoints: Waiting[] = [];
  #attempts: Attempt[] = [];
  #waitingForRoom: (() => void)[] = [];
  #flushing = false;
  #cancelJournalTimer: (() => void) | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.stats = options.stats ?? { flushes: 0, checkpoints: 0, attempts: 0 };
    this.#statements = flushStatements(options.commitHook);
    this.#maxBatch = options.maxBatch ?? 1_000;
    this.#maxQueued = options.maxQueued ?? 10_000;
  }

  /** Resolves when the outcome is known. The caller has at most one checkpoint of a saga under way. */
  async write(checkpoint: Checkpoint): Promise<CheckpointOutcome> {
    // Nothing is awaited where there is room: checkpoints of one turn are queued in it, and share a flush.
    if (this.#isFull()) await this.#room();
    if (this.#closing.signal.aborted) return { kind: 'unavailable' };
    return await new Promise((settle) => {
      this.#checkpoints.push({ checkpoint, settle });
      this.#startFlushing();
    });
  }

  /** Journals attempts with some later flush, if the saga still has their epoch then. Resolves when they are queued. */
  async journal(attempts: Attempt[]): Promise<void> {
    await this.#room();
    if (this.#closing.signal.aborted) return;
    this.#attempts.push(...attempts);
    this.#cancelJournalTimer ??= this.#clock.after(JOURNAL_DELAY_MS, () => this.#startFlushing());
  }

  /** Writes what is queued. Resolves at once when the writer is closed. */
  async drain(): Promise<void> {
    while (!this.#closing.signal.aborted && (this.#checkpoints.length > 0 || this.#attempts.length > 0)) {
      this.#startFlushing();
      await this.#flushEnded();
    }
    if (this.#flushing) await this.#flushEnded();
  }

  /** Nothing is written from now on, but for a flush that is under way; waiting callers get `unavailable`. */
  close(): void {
    this.#closing.abort();
    this.#cancelJournalTimer?.();
    for (const { settle } of this.#checkpoints) settle({ kind: 'unavailable' });
    this.#checkpoints = [];
    this.#attempts = [];
    this.#giveRoom();
  }

  #isFull(): boolean {
    return this.#checkpoints.length + this.#attempts.length >= this.#maxQueued && !this.#closing.signal.aborted;
  }

  async #room(): Promise<void> {
    while (this.#isFull()) await this.#flushEnded();
  }

  #flushEnded(): Promise<void> {
    return new Promise((resolve) => this.#waitingForRoom.push(resolve));
  }

  #giveRoom(): void {
    for (const resolve of this.#waitingForRoom.splice(0)) resolve();
  }

  #startFlushing(): void {
    this.#cancelJournalTimer?.();
    this.#cancelJournalTimer = undefined;
    if (this.#flushing) return;
    this.#flushing = true;
    // In a microtask, so that checkpoints that arrive in the same turn share the flush.
    queueMicrotask(() => void this.#flushAll());
  }

  async #flushAll(): Promise<void> {
    while (this.#checkpoints.length > 0 || this.#attempts.length > 0) {
      await this.#flush(this.#takeBatch());
      this.#giveRoom();
    }
    this.#flushing = false;
    this.#giveRoom();
  }

  /** The oldest entries, each saga's checkpoint at most once: an update meets a row once per statement. */
  #takeBatch(): Batch {
    const taken = new Set<string>();
    const waiting: Waiting[] = [];
    for (const entry of this.#checkpoints) {
      if (waiting.length >= this.#maxBatch || taken.has(entry.checkpoint.id)) break;
      taken.add(entry.checkpoint.id);
      waiting.push(entry);
    }
    this.#checkpoints.splice(0, waiting.length);
    return { waiting, attempts: this.#attempts.splice(0, this.#maxBatch) };
  }

  /** Until its outcome is known, or this process may not act on it any more. */
  async #flush(batch: Batch): Promise<void> {
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      try {
        return settleAll(batch, await this.#send(batch));
      } catch (error) {
        if (classifyPostgresError(error) === 'other') return await this.#split(batch, error);
        // crash here: the flush may be committed; an adopter reads the row and goes on from what it says.
        this.#options.log.warn(
          { err: error, checkpoints: batch.waiting.length },
          'flush failed; this process sends it again',
        );
      }
      const waitMs = fullJitterMs(RETRY, attempt, this.#options.random ?? Math.random);
      await this.#pause(waitMs);
    }
    for (const { settle } of batch.waiting) settle({ kind: 'unavailable' });
  }

  /** Ended early by `close`. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancelTimer = this.#clock.after(ms, () => {
        signal.removeEventListener('abort', closed);
        resolve();
      });
      const closed = () => {
        cancelTimer();
        resolve();
      };
      signal.addEventListener('abort', closed, { once: true });
    });
  }

  /** Values that the database refuses fail their own saga and no other: halve until they stand alone. */
  async #split(batch: Batch, error: unknown): Promise<void> {
    const { waiting, attempts } = batch;
    if (waiting.length + attempts.length <= 1) {
      if (waiting.length === 0)
        this.#options.log.error(refusalFields(error), 'the database refused an attempt; it is missing in the journal');
      for (const { settle } of waiting) settle({ kind: 'failed', error });
      return;
    }
    const [middle, split] = [Math.ceil(waiting.length / 2), Math.ceil(attempts.length / 2)];
    if (waiting.length === 0) {
      await this.#flush({ waiting, attempts: attempts.slice(0, split) });
      return await this.#flush({ waiting, attempts: attempts.slice(split) });
    }
    // The attempts that no caller waits for come last, alone: they must not reject a checkpoint.
    await this.#flush({ waiting: waiting.slice(0, middle), attempts: [] });
    if (waiting.length > 1) await this.#flush({ waiting: waiting.slice(middle), attempts: [] });
    if (attempts.length > 0) await this.#flush({ waiting: [], attempts });
  }

  async #send(batch: Batch): Promise<Map<string, Written>> {
    const startedAt = this.#clock.now();
    const { commitHook, ownerId, prepared } = this.#options;
    const checkpoints = batch.waiting.map(({ checkpoint }) => checkpoint);
    const { entries, journal } = flushValues(checkpoints, batch.attempts, startedAt, commitHook !== undefined);
    const { name, ...unnamed } = this.#statements[journal === null ? 0 : 1];
    const values = [ownerId, ...entries, ...(journal ?? [])];
    const { rows } = await this.#options.pool.query<WrittenRow>({
      ...(prepared === true && { name }),
      ...unnamed,
      values,
    });
    const attempts = checkpoints.reduce((sum, { attempts }) => sum + attempts.length, batch.attempts.length);
    this.stats.flushes += 1;
    this.stats.checkpoints += batch.waiting.length;
    this.stats.attempts += attempts;
    this.#options.metrics?.flushed(batch.waiting.length, attempts, this.#clock.now() - startedAt);
    return writtenById(rows);
  }
}

function writtenById(rows: WrittenRow[]): Map<string, Written> {
  const written = new Map<string, Written>();
  for (const { id, cancel_requested, stored_by_hook, due } of rows) {
    if (stored_by_hook) continue;
    written.set(id, { cancelRequested: cancel_requested === true, isHookStored: false, isDue: due === true });
  }
  for (const { id, stored_by_hook } of rows) {
    const row = written.get(id);
    if (row !== undefined && stored_by_hook) row.isHookStored = true;
  }
  return written;
}

function settleAll(batch: Batch, written: Map<string, Written>): void {
  for (const { checkpoint, settle } of batch.waiting) {
    const row = written.get(checkpoint.id);
    settle(row === undefined ? { kind: 'fenced' } : { kind: 'durable', ...row });
  }
}
