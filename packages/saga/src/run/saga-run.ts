// One saga run: from where the saga stands to its end. How S1 to S6 are kept together is said at the top of engine.ts;
// the parts that live here:
// S2 A step starts only after the checkpoint before it is durable: every turn of `#runSteps` ends with one.
// S3 The turn-back is such a checkpoint too, so it is durable before the first undo; undo starts at `position`, the
//    step that may have been started, or that waits.
// S4 An unknown outcome is asked again, with the same key.
// S7 A wait is a checkpoint that says how many signals its act had seen; with it the saga has no owner any more. Its deadline moves
//    on with the step's first wait only, so a step that always waits is turned back, and back when the step is done.
// S6 The instant that callers are shown rises with every checkpoint, also when the owner before had a clock that is ahead.

import { fullJitterMs } from '@holdfast/resilience';
import type { Fenced, RunnableStep, Signal, StoredWait, Unknown, Waiting } from '../definition/definition.ts';
import {
  acted,
  CANCELLED,
  mayTurnBack,
  type Progress,
  parkedAt,
  turnedBack,
  undone,
  waited,
  whatNext,
} from '../definition/transitions.ts';
import { pointOf } from '../engine/crash-points.ts';
import { refusalFields } from '../engine/ports.ts';
import type { Checkpoint, WaitTerms } from '../journal/checkpoint.ts';
import type { CheckpointOutcome } from '../journal/checkpoint-writer.ts';
import { type Failure, hasEnded, type Parked, type SagaRow, type SagaSnapshot } from '../journal/saga-row.ts';
import { type AttemptOutcome, type AttemptUnderWay, beginAttempt, type Direction, detailOf } from './attempt.ts';
import { AttemptLog } from './attempt-log.ts';
import { parkedAsFenced } from './fenced-sagas.ts';
import { Pause } from './pause.ts';
import type { SagaRunContext } from './saga-run-context.ts';
import type { DropReason, SagaRunEnd } from './saga-run-end.ts';
import { type EnteredWait, enterDelay, enterWait, leftAfter, outOfTime, type Standing, waitOn } from './wait-terms.ts';

// Made once: without a reason, every abort makes an exception with a stack of its own.
const ATTEMPT_ENDED = new Error('this attempt has ended');

type Durable = Extract<CheckpointOutcome, { kind: 'durable' }>;
type Decision =
  /** `wait`: of one that waits. */
  { kind: 'checkpoint'; progress: Progress; wait: WaitTerms | null } | { kind: 'dropped'; why: DropReason };

export class SagaRun {
  readonly id: string;
  readonly epoch: number;
  readonly startedAt: number;
  readonly #row: SagaRow;
  readonly #context: SagaRunContext;
  /** Lower once a wait is over: what is left of it was for the wait. */
  #deadlineAt: number;
  #progress: Progress;
  #revision: number;
  #changedAt: Date;
  #cancelRequested: boolean;
  #isDue = false;
  #drop: DropReason | null = null;
  #leaving = false;
  /** They go into the journal with the next checkpoint. */
  readonly #attempts: AttemptLog;
  #attemptUnderWay: AttemptUnderWay | null = null;
  /** Of the attempt under way; an attempt that is done leaves it to the next. */
  #abort = new AbortController();
  readonly #pause = new Pause();

  constructor(row: SagaRow, context: SagaRunContext) {
    const now = context.clock.now();
    this.id = row.id;
    this.epoch = row.epoch;
    this.startedAt = now - row.age_ms;
    this.#attempts = new AttemptLog({ sagaId: row.id, epoch: row.epoch });
    this.#row = row;
    this.#context = context;
    this.#deadlineAt = now + row.remaining_ms;
    const { state, position, outputs, failure, waiting = null } = row;
    this.#progress = { state, position, outputs, failure, waiting, parked: null, resumeState: null };
    this.#revision = row.revision;
    this.#changedAt = row.changed_at;
    this.#cancelRequested = row.cancel_requested;
  }

  get snapshot(): SagaSnapshot {
    return this.#snapshotOf(this.#progress, this.#revision, this.#changedAt);
  }

  /** A cancel is durable in the row. It ends a wait between attempts, never an attempt. */
  requestCancel(): void {
    if (this.#cancelRequested) return;
    this.#cancelRequested = true;
    this.#pause.end();
  }

  /** Ends a wait between attempts; an attempt under way goes on. */
  retryNow(): void {
    this.#pause.end();
  }

  /** Go no further than the next checkpoint. */
  leave(): void {
    this.#leaving = true;
    this.#pause.end();
  }

  /** Stop now; an attempt under way is given up, its effect left to the next owner. */
  drop(why: DropReason): void {
    this.#drop ??= why;
    this.#attemptUnderWay?.giveUp();
    this.#abort.abort(ATTEMPT_ENDED);
    this.#pause.end();
  }

  /** Resolves when this process has nothing more to do for the saga. @throws Error only for faults in the definition */
  async run(): Promise<SagaRunEnd> {
    for (;;) {
      const next = whatNext(this.#context.definition, this.#progress);
      // A row that had nothing left to do is never read to be run, so this is a checkpoint written just now.
      if (next.kind === 'ended') return this.#end();
      const decision = next.kind === 'act' ? await this.#act(next.step) : await this.#undo(next.step);
      // crash here, before the checkpoint: the next owner repeats the attempt with the same key.
      const dropped =
        decision.kind === 'dropped' ? decision.why : await this.#checkpoint(decision.progress, decision.wait);
      // crash here, after the checkpoint: the next owner goes on with the next step.
      if (dropped !== null) return { kind: 'dropped', why: dropped };
    }
  }

  #end(): SagaRunEnd {
    const { state, waiting } = this.#progress;
    if (state === 'waiting') return { kind: 'waiting', step: waiting?.step ?? '', isDue: this.#isDue };
    return hasEnded(state) ? { kind: 'ended', state } : { kind: 'parked' };
  }

  /** Asks until the outcome is known, or it is time to turn back, to park or to go. */
  async #act(step: RunnableStep): Promise<Decision> {
    for (let attempt = 1; ; attempt++) {
      const why = this.#mustDrop();
      if (why !== null) return { kind: 'dropped', why };
      const turnBack = this.#reasonToTurnBack(step);
      if (turnBack !== null) return this.#decide(turnedBack(this.#progress, { step: step.name, ...turnBack }));
      // crash here: a delay that is not durable yet is entered again; one that is needs no owner (S7).
      if (step.delayMs !== undefined && this.#progress.waiting === null)
        return this.#enter(enterDelay(step, step.delayMs, this.#standing(step)));

      const underWay = this.#begin(step, 'act', attempt);
      const outcome = await underWay.outcome;
      this.#note(underWay, outcome);
      switch (outcome.kind) {
        case 'completed':
          return this.#decide(acted(this.#context.definition, this.#progress, outcome.output));
        case 'refused': {
          const { reason, message } = outcome;
          return this.#decide(turnedBack(this.#progress, { step: step.name, reason, message }));
        }
        case 'fenced':
          return await this.#fenced(step, 'act', attempt, outcome);
        case 'waiting':
          return this.#wait(step, attempt, outcome);
        case 'unknown': {
          const bounded = mayTurnBack(this.#context.definition, this.#progress);
          if (!bounded && this.#isExhausted(step, attempt)) return this.#park(step, 'act', attempt, outcome);
          const on = this.#waitOn(step, attempt, outcome);
          if (on !== null) return on;
          const mostMs = bounded ? this.#deadlineAt - this.#context.clock.now() : Number.POSITIVE_INFINITY;
          await this.#backOff(step, 'act', attempt, outcome, mostMs);
        }
      }
    }
  }

  async #undo(step: RunnableStep): Promise<Decision> {
    for (let attempt = 1; ; attempt++) {
      const why = this.#mustDrop();
      if (why !== null) return { kind: 'dropped', why };
      const underWay = this.#begin(step, 'undo', attempt);
      const outcome = await underWay.outcome;
      this.#note(underWay, outcome);
      switch (outcome.kind) {
        case 'completed':
          return this.#decide(undone(this.#progress));
        case 'fenced':
          return await this.#fenced(step, 'undo', attempt, outcome);
        // An undo may not refuse; a participant that does it all the same is asked again, then an operator.
        case 'refused':
        case 'waiting':
        case 'unknown':
          if (this.#isExhausted(step, attempt)) return this.#park(step, 'undo', attempt, outcome);
          await this.#backOff(step, 'undo', attempt, outcome, Number.POSITIVE_INFINITY);
      }
    }
  }

  #decide(progress: Progress, wait: WaitTerms | null = null): Decision {
    return { kind: 'checkpoint', progress, wait };
  }

  /** Why it is left to the sweep first, and parked without a look at the row: see fenced-sagas.ts. */
  async #fenced(step: RunnableStep, direction: Direction, attempts: number, outcome: Fenced): Promise<Decision> {
    const at = { step: step.name, direction, attempts };
    if (this.#context.isFencedAgain(this.id))
      return this.#decide(parkedAt(this.#progress, parkedAsFenced(at, this.epoch, outcome)));
    await this.#context.journal(this.#attempts.take());
    return { kind: 'dropped', why: 'fenced' };
  }

  #park(step: RunnableStep, direction: 'act' | 'undo', attempts: number, outcome: AttemptOutcome): Decision {
    const detail = detailOf(outcome) ?? '';
    const reason = outcome.kind === 'waiting' ? 'WAIT_EXCEEDED' : 'ATTEMPTS_EXHAUSTED';
    return this.#decide(parkedAt(this.#progress, { step: step.name, direction, reason, detail, attempts }));
  }

  /** The step goes on when something happens outside: nobody owns the saga until then. */
  #wait(step: RunnableStep, attempt: number, outcome: Waiting): Decision {
    const turnBack = this.#reasonToTurnBack(step);
    if (turnBack !== null) return this.#decide(turnedBack(this.#progress, { step: step.name, ...turnBack }));
    const standing = this.#standing(step);
    // Behind the pivot there is no way back.
    if (standing.before !== null && standing.leftMs === 0) return this.#park(step, 'act', attempt, outcome);
    return this.#enter(enterWait(step, outcome, standing));
  }

  /** A step that has waited is asked in vain. Null: try again here. */
  #waitOn(step: RunnableStep, attempt: number, outcome: Unknown): Decision | null {
    if (this.#mustDrop() !== null || this.#reasonToTurnBack(step) !== null) return null;
    const { random, metrics } = this.#context;
    const wait = waitOn(step, attempt, outcome.retryAfterMs ?? 0, this.#standing(step), random);
    if (wait === null) return null;
    metrics?.stepRetried(this.#row.definition, step.name, 'act');
    return this.#enter(wait);
  }

  #enter({ waiting, terms }: EnteredWait): Decision {
    return this.#decide(waited(this.#progress, waiting), terms);
  }

  /** What the act has waited for; its delay is not its own doing. */
  get #waited(): StoredWait | null {
    const { waiting } = this.#progress;
    return waiting?.isDelay ? null : waiting;
  }

  #standing(step: RunnableStep): Standing {
    const { clock, definition } = this.#context;
    return {
      before: this.#waited,
      leftMs: Math.max(0, this.#deadlineAt - clock.now()),
      seen: this.#signalsOf(step).length,
      mayTurnBack: mayTurnBack(definition, this.#progress),
      wallNow: clock.wallNow(),
    };
  }

  /** Those that were there when this process took the saga: the checkpoint of a wait sees to any that have come since. */
  #signalsOf({ name }: RunnableStep): Signal[] {
    return (this.#row.signals ?? []).flatMap(({ step, key, data }) => (step === name ? [{ key, data }] : []));
  }

  #isExhausted(step: RunnableStep, attempt: number): boolean {
    // An attempt that this process gave up itself says nothing about the participant.
    return this.#drop === null && step.retry.maxAttempts !== undefined && attempt >= step.retry.maxAttempts;
  }

  #mustDrop(): DropReason | null {
    if (this.#drop !== null) return this.#drop;
    if (this.#leaving) return 'leaving';
    return this.#context.leaseHeld() ? null : 'lease-lost';
  }

  #reasonToTurnBack(step: RunnableStep): Omit<Failure, 'step'> | null {
    const { clock, definition } = this.#context;
    if (!mayTurnBack(definition, this.#progress)) return null;
    if (this.#cancelRequested) return { reason: CANCELLED, message: 'cancelled on request' };
    return clock.now() < this.#deadlineAt ? null : outOfTime(definition, step, this.#waited);
  }

  #begin(step: RunnableStep, direction: Direction, attempt: number): AttemptUnderWay {
    const context = {
      sagaId: this.id,
      input: this.#row.input,
      outputs: this.#progress.outputs,
      key: `${this.id}:${step.name}${direction === 'undo' ? ':undo' : ''}`,
      epoch: this.epoch,
      attempt,
      waiting: this.#waited,
      signals: this.#signalsOf(step),
      timeoutMs: this.#timeoutMs(step),
      signal: this.#abort.signal,
    };
    this.#context.crashPoint(`before-${direction}`, this.id);
    this.#attemptUnderWay = beginAttempt(step, direction, context, this.#context.clock);
    return this.#attemptUnderWay;
  }

  #note(underWay: AttemptUnderWay, outcome: AttemptOutcome): void {
    this.#attemptUnderWay = null;
    if (outcome.kind !== 'completed') this.#endAttempt();
    this.#context.crashPoint(`after-${underWay.direction}`, this.id);
    this.#attempts.add(underWay, outcome, this.#context.clock.now());
  }

  /** The participant may stop working for a caller that has stopped waiting. */
  #endAttempt(): void {
    this.#abort.abort(ATTEMPT_ENDED);
    if (this.#drop === null) this.#abort = new AbortController();
  }

  /** An attempt that hangs must not carry the saga past its deadline. */
  #timeoutMs(step: RunnableStep): number {
    if (!mayTurnBack(this.#context.definition, this.#progress)) return step.timeoutMs;
    return Math.max(1, Math.min(step.timeoutMs, this.#deadlineAt - this.#context.clock.now()));
  }

  /** @returns why the saga must be dropped, or null when the checkpoint is durable */
  async #checkpoint(progress: Progress, wait: WaitTerms | null): Promise<DropReason | null> {
    const checkpoint = this.#checkpointOf(progress, wait);
    this.#context.crashPoint(`before-${pointOf(this.#progress.state, progress.state)}`, this.id);
    const outcome = await this.#context.write(checkpoint);
    switch (outcome.kind) {
      case 'durable':
        this.#written(progress, checkpoint, outcome);
        return null;
      case 'fenced':
        return 'fenced';
      case 'unavailable':
        return this.#drop ?? 'lease-lost';
      case 'failed': {
        this.#attempts.putBack(checkpoint.attempts);
        if (progress.state === 'parked') return 'unwritable';
        this.#context.log.error(
          { ...refusalFields(outcome.error), sagaId: this.id },
          'checkpoint rejected; this process parks the saga',
        );
        return await this.#checkpoint(parkedAt(this.#progress, this.#rejection(outcome.error)), null);
      }
    }
  }

  #rejection(error: unknown): Parked {
    const next = whatNext(this.#context.definition, this.#progress);
    const step = next.kind === 'ended' ? '' : next.step.name;
    const direction = next.kind === 'undo' ? 'undo' : 'act';
    const detail = refusalFields(error).why;
    return { step, direction, reason: 'CHECKPOINT_REJECTED', detail, attempts: this.#attempts.count };
  }

  #checkpointOf(progress: Progress, wait: WaitTerms | null): Checkpoint {
    const { id, epoch } = this;
    const revision = this.#revision + 1;
    const changedAt = this.#nextInstant();
    const payload = this.#context.hookPayload(this.#snapshotOf(progress, revision, changedAt), this.#row.input);
    const leftMs = leftAfter(this.#progress, progress);
    return { ...progress, id, epoch, revision, changedAt, wait, leftMs, payload, attempts: this.#attempts.take() };
  }

  #snapshotOf(progress: Progress, revision: number, changedAt: Date): SagaSnapshot {
    const { state, position, outputs, failure, waiting } = progress;
    const { id, definition } = this.#row;
    return { id, definition, state, position, outputs, failure, waiting, revision, changedAt };
  }

  /** Later than what callers were shown before, also where that was by a clock that is ahead of this one. */
  #nextInstant(): Date {
    return new Date(Math.max(this.#context.clock.wallNow(), this.#changedAt.getTime() + 1));
  }

  #written(progress: Progress, checkpoint: Checkpoint, { cancelRequested, isHookStored, isDue }: Durable): void {
    this.#context.crashPoint(`after-${pointOf(this.#progress.state, progress.state)}`, this.id);
    if (checkpoint.leftMs !== null)
      this.#deadlineAt = Math.min(this.#deadlineAt, this.#context.clock.now() + checkpoint.leftMs);
    this.#progress = progress;
    this.#revision = checkpoint.revision;
    this.#changedAt = checkpoint.changedAt;
    this.#cancelRequested ||= cancelRequested;
    this.#isDue = isDue;
    // K1: an earlier answer may stand. Only what this flush has stored may be passed on without a look at the database.
    const storedByHook = isHookStored ? checkpoint.payload : null;
    this.#context.publish({ ...this.snapshot, storedByHook });
  }

  async #backOff(
    step: RunnableStep,
    direction: 'act' | 'undo',
    attempt: number,
    outcome: AttemptOutcome,
    mostMs: number,
  ): Promise<void> {
    this.#context.metrics?.stepRetried(this.#row.definition, step.name, direction);
    await this.#context.journal(this.#attempts.take());
    const leastMs = (outcome.kind === 'unknown' && outcome.retryAfterMs) || 0;
    const waitMs = Math.max(leastMs, fullJitterMs(step.retry, attempt - 1, this.#context.random));
    await this.#sleep(Math.max(0, Math.min(waitMs, mostMs)));
  }

  /** Ended early by `requestCancel`, `leave` and `drop`. */
  async #sleep(ms: number): Promise<void> {
    const turningBack = this.#cancelRequested && mayTurnBack(this.#context.definition, this.#progress);
    if (this.#drop !== null || this.#leaving || turningBack) return;
    await this.#pause.take(this.#context.clock, ms);
  }
}
