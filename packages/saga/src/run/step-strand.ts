// The attempts at one step, one after the other: at a step that stands alone, or beside those at the other steps of its group.
// S4 An unknown outcome is asked again, with the same key.
// S2, S3 A strand writes nothing. What all strands of a group have come to is one checkpoint (saga-run.ts), so none of them is begun
//    before the row says that the saga stands at its group, and no next step before all have ended.

import { fullJitterMs } from '@holdfast/resilience';
import type {
  Fenced,
  Refused,
  RunnableStep,
  StepContext,
  StoredWait,
  Unknown,
  Waiting,
} from '../definition/definition.ts';
import type { Clock } from '../engine/ports.ts';
import type { Failure } from '../journal/saga-row.ts';
import { type AttemptOutcome, type AttemptUnderWay, beginAttempt, type Direction } from './attempt.ts';
import { Pause } from './pause.ts';
import type { DropReason } from './saga-run-end.ts';

// Made once: without a reason, every abort makes an exception with a stack of its own.
const ATTEMPT_ENDED = new Error('this attempt has ended');
/** Attempts of one owner at a step that has waited, before it waits on. */
const QUICK_ATTEMPTS = 3;

/** What the act of a step has come to, here and now. */
export type ActEnd =
  | { kind: 'completed'; output: unknown }
  | Refused
  | { kind: 'turning_back'; failure: Omit<Failure, 'step'> }
  | { kind: 'fenced'; attempt: number; outcome: Fenced }
  | { kind: 'waiting'; attempt: number; outcome: Waiting }
  /** Asked in vain, where it or another of its group has waited. */
  | { kind: 'waits_on'; outcome: Unknown }
  /** Not to be sent before its delay is over. */
  | { kind: 'delayed'; delayMs: number }
  | { kind: 'exhausted'; attempt: number; outcome: AttemptOutcome }
  | { kind: 'dropped'; why: DropReason }
  /** Another step of its group has ended the saga's way forward; this one's outcome is not known. */
  | { kind: 'stopped' };

export type UndoEnd = { kind: 'completed' } | Extract<ActEnd, { kind: 'fenced' | 'exhausted' | 'dropped' | 'stopped' }>;

/** What strands need of their saga. */
export interface StrandContext {
  clock: Clock;
  random: () => number;
  mustDrop(): DropReason | null;
  reasonToTurnBack(step: RunnableStep): Omit<Failure, 'step'> | null;
  /** Null where there is no turning back. */
  msToDeadline(): number | null;
  /** 0 when it has passed. */
  leftMs(): number;
  /** What a step at this place has waited for last, or its delay. */
  waiting(): StoredWait | null;
  contextOf(
    step: RunnableStep,
    direction: Direction,
    attempt: number,
  ): Omit<StepContext<unknown, Record<string, unknown>>, 'signal'>;
  begins(direction: Direction): void;
  ended(attempt: AttemptUnderWay, outcome: AttemptOutcome): void;
  /** Its attempts so far are written, since there will be a pause. */
  retries(step: RunnableStep, direction: Direction): Promise<void>;
}

/** Strands side by side: the steps of a group, or one alone. */
export class Strands {
  readonly #saga: StrandContext;
  #strands: StepStrand[] = [];
  /** The saga does not go forward from here, or is in other hands: none asks again. */
  isOver = false;
  /** One has answered that it waits. */
  hasWaiting = false;
  /** An undo has used up its attempts: those that would go on for ever stop. */
  parks = false;

  constructor(saga: StrandContext) {
    this.#saga = saga;
  }

  async act(steps: readonly RunnableStep[]): Promise<ActEnd[]> {
    return await this.#all(steps, async (strand, step) => {
      const end = await strand.act(step);
      if (end.kind === 'waiting') this.hasWaiting = true;
      if (end.kind !== 'completed' && end.kind !== 'waiting' && end.kind !== 'waits_on') this.#over();
      return end;
    });
  }

  async undo(steps: readonly RunnableStep[]): Promise<UndoEnd[]> {
    return await this.#all(steps, async (strand, step) => {
      const end = await strand.undo(step);
      if (end.kind === 'exhausted') this.parks = true;
      if (end.kind === 'fenced' || end.kind === 'dropped') this.#over();
      return end;
    });
  }

  /** Ends pauses between attempts; attempts under way go on. */
  endPauses(): void {
    for (const strand of this.#strands) strand.endPause();
  }

  /** Stops now; attempts under way are given up. */
  drop(): void {
    for (const strand of this.#strands) strand.drop();
  }

  async #all<End>(
    steps: readonly RunnableStep[],
    work: (strand: StepStrand, step: RunnableStep) => Promise<End>,
  ): Promise<End[]> {
    const saga = this.#saga;
    while (this.#strands.length < steps.length) this.#strands.push(new StepStrand(saga, this));
    this.isOver = false;
    this.hasWaiting = false;
    this.parks = false;
    const [first] = steps;
    // Most steps stand alone.
    if (steps.length === 1 && first !== undefined) return [await work(this.#strands[0] as StepStrand, first)];
    return await Promise.all(steps.map((step, at) => work(this.#strands[at] as StepStrand, step)));
  }

  #over(): void {
    this.isOver = true;
    this.endPauses();
  }
}

class StepStrand {
  readonly #saga: StrandContext;
  readonly #strands: Strands;
  #underWay: AttemptUnderWay | null = null;
  /** Of the attempt under way; an attempt that is done leaves it to the next. */
  #abort = new AbortController();
  #isDropped = false;
  readonly #pause = new Pause();

  constructor(saga: StrandContext, strands: Strands) {
    this.#saga = saga;
    this.#strands = strands;
  }

  endPause(): void {
    this.#pause.end();
  }

  drop(): void {
    this.#isDropped = true;
    this.#underWay?.giveUp();
    this.#abort.abort(ATTEMPT_ENDED);
    this.#pause.end();
  }

  /** Asks until the outcome is known, or it is time to turn back, to wait, to park or to go. */
  async act(step: RunnableStep): Promise<ActEnd> {
    const saga = this.#saga;
    for (let attempt = 1; ; attempt++) {
      const why = saga.mustDrop();
      if (why !== null) return { kind: 'dropped', why };
      const failure = saga.reasonToTurnBack(step);
      if (failure !== null) return { kind: 'turning_back', failure };
      if (this.#strands.isOver) return { kind: 'stopped' };
      // crash here: a delay that is not durable yet is entered again; one that is needs no owner (S7).
      const before = saga.waiting();
      if (step.delayMs !== undefined && before === null) return { kind: 'delayed', delayMs: step.delayMs };

      const outcome = await this.#ask(step, 'act', attempt);
      if (outcome.kind === 'fenced') return { kind: 'fenced', attempt, outcome };
      if (outcome.kind === 'waiting') return { kind: 'waiting', attempt, outcome };
      if (outcome.kind !== 'unknown') return outcome;
      if (saga.msToDeadline() === null && this.#isExhausted(step, attempt))
        return { kind: 'exhausted', attempt, outcome };
      const mayWaitOn = attempt >= QUICK_ATTEMPTS && ((before !== null && !before.isDelay) || this.#strands.hasWaiting);
      if (mayWaitOn && this.#hasTime(step)) return { kind: 'waits_on', outcome };
      await this.#backOff(step, 'act', attempt, outcome);
    }
  }

  async undo(step: RunnableStep): Promise<UndoEnd> {
    for (let attempt = 1; ; attempt++) {
      const why = this.#saga.mustDrop();
      if (why !== null) return { kind: 'dropped', why };
      if (this.#strands.isOver) return { kind: 'stopped' };
      const outcome = await this.#ask(step, 'undo', attempt);
      switch (outcome.kind) {
        case 'completed':
          return { kind: 'completed' };
        case 'fenced':
          return { kind: 'fenced', attempt, outcome };
        // An undo may not refuse; a participant that does it all the same is asked again, then an operator.
        case 'refused':
        case 'waiting':
        case 'unknown':
          if (this.#isExhausted(step, attempt)) return { kind: 'exhausted', attempt, outcome };
          if (this.#strands.parks && step.retry.maxAttempts === undefined) return { kind: 'stopped' };
          await this.#backOff(step, 'undo', attempt, outcome);
      }
    }
  }

  /** Without time left a wait would be due at once, and so for ever. */
  #hasTime(step: RunnableStep): boolean {
    const { mustDrop, reasonToTurnBack, leftMs } = this.#saga;
    return leftMs() > 0 && mustDrop() === null && reasonToTurnBack(step) === null;
  }

  #isExhausted(step: RunnableStep, attempt: number): boolean {
    // An attempt that this process gave up itself says nothing about the participant.
    return !this.#isDropped && step.retry.maxAttempts !== undefined && attempt >= step.retry.maxAttempts;
  }

  async #ask(step: RunnableStep, direction: Direction, attempt: number): Promise<AttemptOutcome> {
    const context = { ...this.#saga.contextOf(step, direction, attempt), signal: this.#abort.signal };
    this.#saga.begins(direction);
    const underWay = beginAttempt(step, direction, context, this.#saga.clock);
    this.#underWay = underWay;
    const outcome = await underWay.outcome;
    this.#underWay = null;
    if (outcome.kind !== 'completed') this.#endAttempt();
    this.#saga.ended(underWay, outcome);
    return outcome;
  }

  /** The participant may stop working for a caller that has stopped waiting. */
  #endAttempt(): void {
    this.#abort.abort(ATTEMPT_ENDED);
    if (!this.#isDropped) this.#abort = new AbortController();
  }

  async #backOff(step: RunnableStep, direction: Direction, attempt: number, outcome: AttemptOutcome): Promise<void> {
    const { random, clock } = this.#saga;
    await this.#saga.retries(step, direction);
    const mostMs = direction === 'undo' ? null : this.#saga.msToDeadline();
    const leastMs = (outcome.kind === 'unknown' && outcome.retryAfterMs) || 0;
    const waitMs = Math.max(leastMs, fullJitterMs(step.retry, attempt - 1, random));
    // Something to see to at once: then there is nothing to wait for.
    if (this.#saga.mustDrop() !== null || this.#strands.isOver) return;
    if (direction === 'act' && this.#saga.reasonToTurnBack(step) !== null) return;
    await this.#pause.take(clock, Math.max(0, Math.min(waitMs, mostMs ?? Number.POSITIVE_INFINITY)));
  }
}
