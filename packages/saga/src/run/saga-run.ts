// One saga run: from where the saga stands to its end. How S1 to S6 are kept together is said at the top of engine.ts;
// the parts that live here:
// S2 A step starts only after the checkpoint before it is durable: every turn of `#runSteps` ends with one.
// S3 The turn-back is such a checkpoint too, so it is durable before the first undo; undo starts at `position`, the
//    step that may have been started, or that waits; of a group, all of them, whichever were started.
// S4 An unknown outcome is asked again, with the same key (step-strand.ts).
// S7 A wait is a checkpoint that says how many signals its act had seen; with it the saga has no owner any more. Its deadline moves
//    on with the step's first wait only, so a step that always waits is turned back, and back when the step is done.
// S6 The instant that callers are shown rises with every checkpoint, also when the owner before had a clock that is ahead.

import type { Fenced, Refused, RunnableStep, Signal, StoredWait } from '../definition/definition.ts';
import {
  acted,
  CANCELLED,
  knowing,
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
import { type AttemptOutcome, type Direction, detailOf } from './attempt.ts';
import { AttemptLog } from './attempt-log.ts';
import { parkedAsFenced } from './fenced-sagas.ts';
import type { SagaRunContext } from './saga-run-context.ts';
import type { DropReason, SagaRunEnd } from './saga-run-end.ts';
import { type ActEnd, type StrandContext, Strands } from './step-strand.ts';
import { answersOf, type GraveEnd, gravest, waitersOf } from './strand-ends.ts';
import {
  type EnteredWait,
  enterDelay,
  enterWait,
  leftAfter,
  outOfTime,
  type Standing,
  type Waiter,
  waitOfStep,
} from './wait-terms.ts';

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
  readonly #strands: Strands;

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
    this.#strands = new Strands(this.#strandContext());
  }

  get snapshot(): SagaSnapshot {
    return this.#snapshotOf(this.#progress, this.#revision, this.#changedAt);
  }

  /** A cancel is durable in the row. It ends a wait between attempts, never an attempt. */
  requestCancel(): void {
    if (this.#cancelRequested) return;
    this.#cancelRequested = true;
    this.#strands.endPauses();
  }

  /** Ends a wait between attempts; an attempt under way goes on. */
  retryNow(): void {
    this.#strands.endPauses();
  }

  /** Go no further than the next checkpoint. */
  leave(): void {
    this.#leaving = true;
    this.#strands.endPauses();
  }

  /** Stop now; an attempt under way is given up, its effect left to the next owner. */
  drop(why: DropReason): void {
    this.#drop ??= why;
    this.#strands.drop();
  }

  /** Resolves when this process has nothing more to do for the saga. @throws Error only for faults in the definition */
  async run(): Promise<SagaRunEnd> {
    for (;;) {
      const next = whatNext(this.#context.definition, this.#progress);
      // A row that had nothing left to do is never read to be run, so this is a checkpoint written just now.
      if (next.kind === 'ended') return this.#end();
      const decision = next.kind === 'act' ? await this.#act(next.steps) : await this.#undo(next.steps);
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

  /** One act, or all of a group. Only when all have ended is there a checkpoint, of what they have come to together (S2). */
  async #act(steps: readonly RunnableStep[]): Promise<Decision> {
    const ends = await this.#strands.act(steps);
    const answers = answersOf(steps, ends);
    const grave = gravest(steps, ends, this.#waited);
    if (grave !== null) return await this.#endActs(grave, knowing(this.#progress, answers));
    const [step] = steps;
    const [end] = ends;
    if (step !== undefined && end?.kind === 'delayed')
      return this.#enter(this.#progress, enterDelay(step, end.delayMs, this.#standing(steps)));
    const waiters = waitersOf(steps, ends);
    if (waiters.length > 0) return this.#wait(waiters, knowing(this.#progress, answers));
    return this.#decide(acted(this.#context.definition, this.#progress, answers));
  }

  /** What is known to be done is stored with the end of the way forward. */
  async #endActs({ step, end }: GraveEnd<ActEnd>, progress: Progress): Promise<Decision> {
    switch (end.kind) {
      case 'dropped':
        return { kind: 'dropped', why: end.why };
      case 'fenced':
        return await this.#fenced(progress, step, 'act', end.attempt, end.outcome);
      case 'refused':
        return this.#decide(turnedBack(progress, failureOf(step, end)));
      case 'turning_back':
        return this.#decide(turnedBack(progress, { step: step.name, ...end.failure }));
      case 'exhausted':
        return this.#park(progress, step, 'act', end.attempt, end.outcome);
    }
  }

  /** One undo, or all of a group: it is undone when all of them are (S3). */
  async #undo(steps: readonly RunnableStep[]): Promise<Decision> {
    const grave = gravest(steps, await this.#strands.undo(steps), null);
    if (grave === null) return this.#decide(undone(this.#context.definition, this.#progress));
    const { step, end } = grave;
    if (end.kind === 'dropped') return { kind: 'dropped', why: end.why };
    return end.kind === 'fenced'
      ? await this.#fenced(this.#progress, step, 'undo', end.attempt, end.outcome)
      : this.#park(this.#progress, step, 'undo', end.attempt, end.outcome);
  }

  #decide(progress: Progress, wait: WaitTerms | null = null): Decision {
    return { kind: 'checkpoint', progress, wait };
  }

  /** Why it is left to the sweep first, and parked without a look at the row: see fenced-sagas.ts. */
  async #fenced(
    progress: Progress,
    step: RunnableStep,
    direction: Direction,
    attempts: number,
    outcome: Fenced,
  ): Promise<Decision> {
    const at = { step: step.name, direction, attempts };
    if (this.#context.isFencedAgain(this.id))
      return this.#decide(parkedAt(progress, parkedAsFenced(at, this.epoch, outcome)));
    await this.#context.journal(this.#attempts.take());
    return { kind: 'dropped', why: 'fenced' };
  }

  #park(
    progress: Progress,
    step: RunnableStep,
    direction: Direction,
    attempts: number,
    outcome: AttemptOutcome,
  ): Decision {
    const detail = detailOf(outcome) ?? '';
    const reason = outcome.kind === 'waiting' ? 'WAIT_EXCEEDED' : 'ATTEMPTS_EXHAUSTED';
    return this.#decide(parkedAt(progress, { step: step.name, direction, reason, detail, attempts }));
  }

  /** Steps go on when something happens outside: nobody owns the saga until then. */
  #wait(waiters: readonly Waiter[], progress: Progress): Decision {
    const { step, outcome } = waiters[0] as Waiter;
    const turnBack = this.#reasonToTurnBack(step);
    if (turnBack !== null) return this.#decide(turnedBack(progress, { step: step.name, ...turnBack }));
    const standing = this.#standing(waiters.map(({ step }) => step));
    // Behind the pivot there is no way back.
    if (standing.before !== null && standing.leftMs === 0) return this.#park(progress, step, 'act', 1, outcome);
    for (const { step, outcome } of waiters)
      if (outcome.kind === 'unknown') this.#context.metrics?.stepRetried(this.#row.definition, step.name, 'act');
    return this.#enter(progress, enterWait(waiters, standing, this.#context.random));
  }

  #enter(progress: Progress, { waiting, terms }: EnteredWait): Decision {
    return this.#decide(waited(progress, waiting), terms);
  }

  /** What the act has waited for; its delay is not its own doing. */
  get #waited(): StoredWait | null {
    const { waiting } = this.#progress;
    return waiting?.isDelay ? null : waiting;
  }

  /** @param steps those that begin to wait */
  #standing(steps: readonly RunnableStep[]): Standing {
    const { clock, definition } = this.#context;
    const [step] = steps as [RunnableStep];
    const isGroup = step.group !== undefined;
    const place = isGroup ? definition.steps.filter(({ group }) => group === step.group) : steps;
    return {
      before: this.#waited,
      leftMs: this.#leftMs(),
      seen: this.#signalsOf(step).length,
      seenOf: isGroup ? countedByStep(this.#row.signals ?? []) : null,
      maxMs: Math.max(...place.map(({ waits }) => waits?.maxMs ?? 0)),
      mayTurnBack: mayTurnBack(definition, this.#progress),
      wallNow: clock.wallNow(),
    };
  }

  #leftMs(): number {
    return Math.max(0, this.#deadlineAt - this.#context.clock.now());
  }

  /** Those that were there when this process took the saga: the checkpoint of a wait sees to any that have come since. */
  #signalsOf({ name }: RunnableStep): Signal[] {
    return (this.#row.signals ?? []).flatMap(({ step, key, data }) => (step === name ? [{ key, data }] : []));
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
    return clock.now() < this.#deadlineAt ? null : outOfTime(definition, step, waitOfStep(this.#waited, step.name));
  }

  #strandContext(): StrandContext {
    const { clock, random, crashPoint, journal, metrics, definition } = this.#context;
    return {
      clock,
      random,
      mustDrop: () => this.#mustDrop(),
      reasonToTurnBack: (step) => this.#reasonToTurnBack(step),
      msToDeadline: () => (mayTurnBack(definition, this.#progress) ? this.#deadlineAt - clock.now() : null),
      leftMs: () => this.#leftMs(),
      waiting: () => this.#progress.waiting,
      contextOf: (step, direction, attempt) => this.#contextOf(step, direction, attempt),
      begins: (direction) => crashPoint(`before-${direction}`, this.id),
      ended: (underWay, outcome) => {
        crashPoint(`after-${underWay.direction}`, this.id);
        this.#attempts.add(underWay, outcome, clock.now());
      },
      retries: async (step, direction) => {
        metrics?.stepRetried(this.#row.definition, step.name, direction);
        await journal(this.#attempts.take());
      },
    };
  }

  #contextOf(step: RunnableStep, direction: Direction, attempt: number) {
    return {
      sagaId: this.id,
      input: this.#row.input,
      outputs: this.#progress.outputs,
      key: `${this.id}:${step.name}${direction === 'undo' ? ':undo' : ''}`,
      epoch: this.epoch,
      attempt,
      waiting: waitOfStep(this.#waited, step.name),
      signals: this.#signalsOf(step),
      timeoutMs: this.#timeoutMs(step),
    };
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
    const step = next.kind === 'ended' ? '' : (next.steps[0]?.name ?? '');
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
}

function failureOf({ name: step }: RunnableStep, { reason, message, data }: Refused): Failure {
  return data === undefined ? { step, reason, message } : { step, reason, message, data };
}

function countedByStep(signals: readonly { step: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { step } of signals) counts[step] = (counts[step] ?? 0) + 1;
  return counts;
}
