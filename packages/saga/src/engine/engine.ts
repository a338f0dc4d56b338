// The engine runs sagas from their insert to their end, whatever crashes. Its invariants:
//
// S1 A saga whose insert is committed reaches `completed`, `failed`, `cancelled` or `parked` without further help.
// S2 A step starts only after the checkpoint before it is durable. A checkpoint is written only by the current owner.
// S3 Every step that may have been *started* is undone when the saga turns back. The decision to turn back is durable
//    before the first undo is sent. An undo may not refuse; when its attempts are exhausted the saga is parked.
// S4 An unknown outcome is neither success nor failure: the participant is asked again with the same key.
// S5 A refusal is final: it turns the saga back, and participants answer the same key the same way for ever.
// S7 A waiting saga has no owner. What ends its wait (its instant, its deadline, a signal, a cancel) is stored before anybody acts
//    on it, and none is lost.
//
// Why a crash anywhere is safe. All there is to know about a saga is its row, and the row names an owner whose lease
// runs out when the process dies. The next owner reads the row and goes on from one of these recovery points:
//
// - Before the insert is committed: there is no saga and nothing was started.
// - Insert committed, reply lost: the row is `running` at step 0. Its owner finds it in the next sweep, or, if that
//   process is gone, an adopter does.
// - An act was sent, its checkpoint is not durable: the row still says `position`; the act is sent again with the same
//   key, and the participant gives the answer that it gave before (S4, S5).
// - A checkpoint is durable, the next act was not sent: `position` is the next step, started or not. Sending it again
//   is safe either way.
// - A wait is durable: the row is `waiting` and has no owner, so it needs no adoption. `wake_at` says when it is due, and
//   whatever ends the wait early (a signal, a cancel) sets it. A process that finds it due takes it under a new epoch and asks
//   again with the same key (S7). A signal that comes before the wait is counted by the row, and the wait is due at once.
// - The turn-back is durable, undos are under way: the row is `compensating`; the undo at `position` is sent again.
// - The last checkpoint is durable: the saga has ended; whatever the commit hook writes has too.
//
// A process that only *seems* dead cannot harm: its epoch is lower than its successor's, so its checkpoints update no
// row (S2) and participants refuse its calls. It learns so from either and drops the saga.

import type { SagaDefinition } from '../definition/definition.ts';
import type { WriterStats } from '../journal/checkpoint-writer.ts';
import { readSaga, readSnapshot, type SagaRecord } from '../journal/read.ts';
import { type SagaRow, type SagaSnapshot, snapshotOf } from '../journal/saga-row.ts';
import { type CancelOutcome, judgeCancel, requestCancel } from '../operator/cancel.ts';
import { createOperator, type Operator, type ResumeOutcome } from '../operator/operate.ts';
import { type SignalOptions, type SignalOutcome, storeSignal } from '../operator/signal.ts';
import { sweep } from '../recovery/recovery.ts';
import { Strangers } from '../recovery/strangers.ts';
import { type Sleeper, type WakeContext, wake } from '../recovery/wake.ts';
import { SagaRun } from '../run/saga-run.ts';
import { reportEnd } from '../run/saga-run-end.ts';
import {
  type BeginInTransactionOutcome,
  Beginnings,
  type BeginOptions,
  type BeginOutcome,
  type BeginWith,
  type CreateStarter,
} from './begin.ts';
import type { CrashPointListener } from './crash-points.ts';
import { addressed, type EngineOptions, type EngineStats } from './engine-options.ts';
import { type Clock, type Database, systemClock, within } from './ports.ts';
import { ProcessLease } from './process-lease.ts';
import { type Admission, RunningSagas, type Slot } from './running-sagas.ts';
import { type Term, Terms } from './term.ts';
import { type SnapshotListener, Watchers } from './watchers.ts';

/** One per process. @throws TypeError when two definitions share a name */
export function createEngine(options: EngineOptions): Engine {
  return new Engine(addressed(options));
}

export class Engine {
  /** What an operator can do to a saga. */
  readonly operator: Operator;
  /** Begins a saga by a statement of the caller's that holds `startSagaSql`. @throws what `insert` throws */
  readonly beginWith: BeginWith;
  /** Like `beginWith`, where many arrive at once: one insert for all, in groups that go their way together. */
  readonly createStarter: CreateStarter;
  readonly #options: EngineOptions;
  readonly #leaseMs: number;
  readonly #running: RunningSagas;
  readonly #clock: Clock;
  readonly #crashPoint: CrashPointListener;
  readonly #definitions: Map<string, SagaDefinition>;
  readonly #watchers: Watchers;
  /** Waits up to `waitMs` until the saga has ended or is parked, wherever it is driven. @throws what `pg` throws */
  readonly waitForEnd: Watchers['untilEnded'];
  /** As waitForEnd; and returns as soon as a step waits for something outside. @throws what `pg` throws */
  readonly waitUntilSettled: Watchers['untilSettled'];
  readonly #beginnings: Beginnings;
  readonly #written: WriterStats = { flushes: 0, checkpoints: 0, attempts: 0 };
  readonly #strangers: Strangers;
  readonly #terms: Terms;
  #state: 'new' | 'started' | 'stopping' | 'stopped' = 'new';
  #cancelSweep = () => {};

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 3_000;
    this.#running = new RunningSagas(options.maxRunning ?? 2_000);
    this.#clock = options.clock ?? systemClock;
    this.#crashPoint = options.crashPoint ?? (() => {});
    this.waitForEnd = (id, waitMs, signal) => this.#watchers.untilEnded(id, waitMs, signal);
    this.waitUntilSettled = (id, waitMs, signal) => this.#watchers.untilSettled(id, waitMs, signal);
    this.#watchers = new Watchers({
      local: (id) => this.#running.find(id)?.snapshot,
      stored: (id) => readSnapshot(options.pool, id),
      ...{ log: options.log, clock: this.#clock },
    });
    this.#terms = new Terms({
      options,
      leaseMs: this.#leaseMs,
      clock: this.#clock,
      random: options.random ?? Math.random,
      stats: this.#written,
      publish: (snapshot) => this.#watchers.publish(snapshot),
      isWanted: () => this.#state === 'started',
      lost: (ownerId, why) => this.#lost(ownerId, why),
    });
    this.#definitions = new Map(options.definitions.map((definition) => [definition.name, definition]));
    if (this.#definitions.size !== options.definitions.length) {
      throw new TypeError('two saga definitions share a name and a version: give the newer one the next version');
    }
    this.#strangers = new Strangers({ ...options, clock: this.#clock, definitions: [...this.#definitions.keys()] });
    this.#beginnings = new Beginnings({
      db: options.pool,
      definitions: this.#definitions,
      admit: (id) => this.#admit(id),
      released: (id) => this.#running.released(id),
      leaseMs: this.#leaseMs,
      clock: this.#clock,
      log: options.log,
    });
    this.beginWith = this.#beginnings.beginWith;
    this.createStarter = this.#beginnings.createStarter;
    this.operator = createOperator({
      db: options.pool,
      definitions: this.#definitions,
      admit: (id) => this.#admit(id),
      find: (id) => this.#running.find(id),
      cancel: (id, waitMs) => this.cancel(id, waitMs),
      wallNow: () => this.#clock.wallNow(),
    });
  }

  /** Null while this process has no lease: it must not start sagas then (answer 503). */
  get ownerId(): number | null {
    const term = this.#terms.current;
    return term?.lease.isHeld() ? term.ownerId : null;
  }

  /** Registers this process and begins to look for sagas to adopt. @throws what `pg` throws, then it has not started */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new Error(`the engine is ${this.#state}: create another one`);
    this.#state = 'started';
    const { name, pool, isNameUnique } = this.#options;
    try {
      // Once, never when a lost lease is replaced: two that have one name by mistake would end each other for ever.
      if (isNameUnique === true) await ProcessLease.endLeasesOf(name, pool);
      await this.#terms.open();
    } catch (error) {
      this.#state = 'new';
      throw error;
    }
    this.#scheduleSweep(0);
  }

  /**
   * Hands everything over within `graceMs`: admits nothing more, lets running sagas end, then those that have not go no
   * further than their next checkpoint, gives up the rest, and releases the lease so that others adopt at once.
   */
  async stop({ graceMs = 8_000 }: { graceMs?: number } = {}): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#state = 'stopping';
    this.#cancelSweep();
    this.#terms.endWithCurrent();
    await within(this.#clock, graceMs * 0.4, this.#running.drained());
    for (const run of this.#running.all()) run.leave();
    await within(this.#clock, graceMs * 0.4, this.#running.drained());
    const term = this.#terms.current;
    for (const run of this.#running.all()) run.drop('leaving');
    this.#state = 'stopped';
    if (term === null) return;
    await within(this.#clock, graceMs * 0.1, term.writer.drain());
    this.#terms.end();
    await within(this.#clock, graceMs * 0.1, term.lease.release());
  }

  /** Goes as a crash would: nothing more is written, the lease is left to run out. For tests of what follows then. */
  abandon(): void {
    this.#state = 'stopped';
    this.#cancelSweep();
    this.#terms.abandon();
    this.#dropAll();
  }

  /**
   * Inserts a saga and runs it here; with `tx`, inserts it in the caller's open transaction, and `committed()` of the
   * outcome runs it: call it once the commit has succeeded. When the call is forgotten, a sweep of this process runs the saga.
   *
   * @throws TypeError for a definition that this engine does not know; what `pg` throws: the saga may be stored then
   */
  begin<Input, Outputs>(
    definition: string | SagaDefinition<Input, Outputs>,
    id: string,
    input: NoInfer<Input>,
    options?: BeginOptions & { tx?: undefined },
  ): Promise<BeginOutcome>;
  begin<Input, Outputs>(
    definition: string | SagaDefinition<Input, Outputs>,
    id: string,
    input: NoInfer<Input>,
    options: BeginOptions & { tx: Database },
  ): Promise<BeginInTransactionOutcome>;
  async begin(
    definition: string | SagaDefinition,
    id: string,
    input: unknown,
    { tx, ...options }: BeginOptions & { tx?: Database | undefined } = {},
  ): Promise<BeginOutcome | BeginInTransactionOutcome> {
    return tx === undefined
      ? await this.#beginnings.begin(definition, id, input, options)
      : await this.#beginnings.beginIn(tx, definition, id, input, options);
  }

  /** Called before a row is written, so that the saga is here all the time (see `Slot`). */
  #admit(id: string): Admission {
    const term = this.#terms.current;
    if (this.#state !== 'started') return { kind: 'unavailable', detail: 'this process is not running sagas' };
    if (term === null || !term.lease.isHeld())
      return { kind: 'unavailable', detail: 'this process has lost its lease' };
    if (this.#running.isFull()) return { kind: 'unavailable', detail: 'this process runs as many sagas as it may' };
    const slot = this.#takeSlot(id, term);
    const run = (row: SagaRow) => {
      this.#options.metrics?.sagaStarted(row.definition);
      slot.run(row);
    };
    return { kind: 'admitted', ownerId: term.ownerId, run, release: slot.release };
  }

  /**
   * Requests that a saga be cancelled and waits up to `waitMs` for the decision. The request is durable; the
   * saga's owner decides: before the pivot is known to be done it turns back, after that it refuses.
   *
   * @throws what `pg` throws; the request may be stored then, asking again does no harm
   */
  async cancel(id: string, waitMs: number, signal?: AbortSignal): Promise<CancelOutcome> {
    const waiting = await requestCancel(this.#options.pool, id);
    // crash here: a waiting saga is due, and the next sweep of any process takes it.
    this.#running.find(id)?.requestCancel();
    await this.#wakeHere(waiting);
    const judge = (snapshot: SagaSnapshot) => judgeCancel(this.#definitions.get(snapshot.definition), snapshot);
    return await this.#watchers.until<CancelOutcome>({ id, judge, waitMs, signal });
  }

  /**
   * Tells a step something from outside. It is stored, and the act sees it from then on (`context.signals`), however early it comes
   * and how often; a step that waits is asked again at once, here. It decides nothing by itself.
   *
   * @throws RangeError when it is too large; what `pg` throws: it may be stored then, and sending it again does no harm
   */
  async signal(id: string, step: string, signal: SignalOptions): Promise<SignalOutcome> {
    this.#crashPoint('before-signal', id);
    const { outcome, due } = await storeSignal(this.#options.pool, id, step, signal);
    // crash here: it is due, and the next sweep of any process takes it.
    this.#crashPoint('after-signal', id);
    await this.#wakeHere(due);
    return outcome;
  }

  /** Goes on with a parked saga, here. @throws what `pg` throws; if it was resumed after all, a sweep runs it */
  async resume(id: string): Promise<ResumeOutcome> {
    return await this.operator.resume(id);
  }

  /** Calls `listener` for every checkpoint that this process makes durable. @returns ends the subscription */
  subscribe(id: string, listener: SnapshotListener): () => void {
    return this.#watchers.subscribe(id, listener);
  }

  /** Resolves when this process has released the saga: it has ended or parked, or another process owns it. */
  released(id: string): Promise<void> {
    return this.#running.released(id);
  }

  /** The saga with its journal, or null. @throws what `pg` throws */
  async readSaga(id: string): Promise<SagaRecord | null> {
    return await readSaga(this.#options.pool, id);
  }

  stats(): EngineStats {
    const now = this.#clock.now();
    const oldestRunningMs = Math.max(0, ...this.#running.all().map(({ startedAt }) => now - startedAt));
    return { ...this.#written, running: this.#running.size, oldestRunningMs };
  }

  /** Others may own this process's sagas from now on: it stops driving them. */
  #lost(ownerId: number | null, why: string): void {
    const fields = { ownerId, sagas: this.#running.size, why };
    this.#options.log.warn(fields, 'this process has lost its lease; it registers again');
    this.#dropAll();
  }

  #dropAll(): void {
    for (const run of this.#running.all()) run.drop('lease-lost');
  }

  // ---- recovery

  #scheduleSweep(waitMs: number): void {
    this.#cancelSweep = this.#clock.after(waitMs, () => void this.#sweep());
  }

  async #sweep(): Promise<void> {
    const term = this.#terms.current;
    try {
      if (term?.lease.isHeld()) await this.#sweepAs(term);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the sweep failed; the next one looks again');
    }
    if (this.#state === 'started') this.#scheduleSweep(this.#leaseMs / 6);
  }

  async #sweepAs(term: Term): Promise<void> {
    const { adopted, restarted } = await sweep({
      ...this.#wakeContext(term),
      log: this.#options.log,
      neglectedAfterMs: Math.ceil(this.#leaseMs / 3),
      active: () => this.#terms.current === term && term.lease.isHeld() && this.#state === 'started',
      takeSlot: (id) => {
        if (this.#running.isHere(id)) return 'here';
        return this.#running.isFull() ? 'full' : this.#takeSlot(id, term);
      },
      room: () => this.#running.roomToWake(),
      cancelRequested: (id) => this.#running.find(id)?.requestCancel(),
    });
    if (adopted > 0) this.#options.metrics?.sagasAdopted(adopted);
    await this.#strangers.look();
    const fields = { ownerId: term.ownerId, adopted, restarted };
    if (adopted + restarted > 0) this.#options.log.info(fields, 'this process has adopted sagas');
  }

  /** Takes a saga that is due. Whatever keeps this process from it (no room, no lease): it stays due, for the next sweep of any. */
  async #wakeHere(saga: Sleeper | null): Promise<void> {
    const term = this.#terms.current;
    if (saga === null || !term?.lease.isHeld() || this.#state !== 'started' || this.#running.isFull()) return;
    try {
      await wake(this.#wakeContext(term), saga, this.#takeSlot(saga.id, term));
    } catch (err) {
      this.#options.log.warn({ err, sagaId: saga.id }, 'a due saga could not be taken; the next sweep takes it');
    }
  }

  #wakeContext({ ownerId }: Term): WakeContext {
    const { pool: db, metrics } = this.#options;
    return {
      db,
      ownerId,
      definitions: [...this.#definitions.keys()],
      wallNow: () => this.#clock.wallNow(),
      crashPoint: this.#crashPoint,
      woken: (row) => {
        metrics?.sagasWoken(1);
        this.#watchers.publish(snapshotOf(row));
      },
    };
  }

  // ---- running

  #takeSlot(id: string, term: Term): Slot {
    return this.#running.takeSlot(id, (row) => {
      // Under a lease that is gone meanwhile the row belongs to a dead owner, and is adopted like any other.
      if (this.#terms.current === term && this.#state === 'started') void this.#runSaga(row, term);
    });
  }

  async #runSaga(row: SagaRow, term: Term): Promise<void> {
    const { log } = this.#options;
    const context = term.contexts.get(row.definition);
    if (context === undefined) {
      log.error(
        { sagaId: row.id, definition: row.definition },
        'this engine does not know the definition: pass it to createEngine',
      );
      return;
    }
    const run = new SagaRun(row, context);
    this.#running.add(run);
    let isDue = false;
    try {
      const end = await run.run();
      reportEnd(run, context, end);
      isDue = end.kind === 'waiting' && end.isDue;
    } catch (error) {
      log.error({ err: error, sagaId: row.id }, 'this saga run has failed; the next sweep tries again');
    } finally {
      this.#running.remove(run);
      this.#watchers.released(row.id);
    }
    if (isDue) await this.#wakeHere(row);
  }
}
