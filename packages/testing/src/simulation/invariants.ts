// What must hold at every instant of a schedule, checked where it can first be broken. The first breach ends the
// schedule: what comes after it would only hide it.
//
// S1 Every accepted saga ends, once the faults are over, within a bound.
// S2 An act is sent only when its step's turn is durable; an ended saga never changes again; an owner whose lease has
//    not run out keeps its sagas.
// S3 An undo is sent only when the decision to turn back is durable, and in its turn.
// S4 A saga fails only for what a participant has really answered, its deadline or a cancel.
// S7 A saga that waits is due at once when its step has a signal that its act was not shown, or a cancel; it never waits beyond its
//    deadline, and what it did not use of its wait is no time for the work behind it. What was taken is shown every signal that was stored by then, and what was accepted is stored.
// S6 What clients are shown of a saga has an instant that rises with every checkpoint; its answer has the same.
// K1 No client hears an answer that is not stored.
// S5 A key that was refused stays refused; K2: one that was executed stays executed.
// K3 Nothing comes to life behind its undo.
// K4 A call with a lower epoch than the highest seen changes nothing.
// A1 At most one live effect per saga and step; none when it failed or was cancelled; one of each when completed.

import type { SagaSnapshot, StoredWait } from '@holdfast/saga';
import type { ModelDatabase } from './model/model-database.ts';
import type { SagaTuple } from './model/saga-tuple.ts';

/** What a client is shown of its saga. */
export function answerOf({ state, changedAt }: Pick<SagaSnapshot, 'state' | 'changedAt'>): string {
  return `${state} since ${changedAt.toISOString()}`;
}

export const STEPS = ['reserve', 'charge', 'ship', 'notify'] as const;
export type StepName = (typeof STEPS)[number];
const PIVOT = STEPS.indexOf('ship');
/** In the second version of the definition, these two stand side by side. */
const GROUP: readonly StepName[] = ['reserve', 'charge'];

/** Whether the row says that the saga stands at this step. */
function standsAt({ definition, position }: Readonly<SagaTuple>, step: StepName): boolean {
  const isGroup = definition.endsWith('@2') && position < GROUP.length;
  return isGroup ? GROUP.includes(step) : STEPS[position] === step;
}
/** By how much the engine's idea of a deadline may be off: it reads it under a lease, and by a clock of its own. */
const DEADLINE_OFF_MS = 300;
/** How long every saga waits before it ships. */
export const SHIP_DELAY_MS = 30;

export interface Breach {
  invariant: string;
  what: string;
}

interface StepBooks {
  live: number;
  /** An undo of it has been carried out, or was when nothing had run yet. */
  undone: boolean;
  /** The first final answer under the act's key. */
  answered: 'completed' | 'refused' | null;
  reasons: Set<string>;
}

export class Invariants {
  breach: Breach | null = null;
  readonly #steps = new Map<string, StepBooks>();
  readonly #epochs = new Map<string, number>();
  readonly #sagas: ReadonlyMap<string, SagaTuple>;
  readonly #answers: ReadonlyMap<string, string>;
  readonly #cancelled = new Set<string>();
  readonly #signals: ModelDatabase['signals'];
  /** By saga id: when the step with a delay became its next one. */
  readonly #arrivedAt = new Map<string, number>();
  readonly #delayed = new Set<string>();
  /** By saga id: what was left until its deadline when its step first waited. */
  readonly #left = new Map<string, number>();
  readonly #now: () => number;
  /** By saga id: under its present epoch, how many signals there were of each step when it was taken, and were shown last. */
  readonly #seen = new Map<string, { epoch: number; taken: Map<StepName, number>; shown: Map<StepName, number> }>();

  constructor({ sagas, answers, signals }: Pick<ModelDatabase, 'sagas' | 'answers' | 'signals'>, now: () => number) {
    this.#sagas = sagas;
    this.#answers = answers;
    this.#signals = signals;
    this.#now = now;
  }

  cancelAsked(sagaId: string): void {
    this.#cancelled.add(sagaId);
  }

  /** The sender of a signal has heard that it was accepted, or was before. */
  signalled(sagaId: string, step: StepName, key: string): void {
    const isStored = this.#signals.get(sagaId)?.some((signal) => signal.step === step && signal.key === key);
    if (!isStored) this.#broken('S7', `signal ${key} of ${sagaId} was accepted, and is not stored`);
  }

  /** An act is about to be sent that sees so many signals of its step. */
  shows(sagaId: string, epoch: number, step: StepName, signals: number): void {
    const seen = this.#seen.get(sagaId);
    if (seen?.epoch !== epoch) return;
    seen.shown.set(step, signals);
    const taken = seen.taken.get(step) ?? 0;
    if (signals < taken)
      this.#broken('S7', `${step} of ${sagaId} is shown ${signals} signals, and there were ${taken}`);
  }

  /** The engine is about to send a call. What is durable decides whether it may; a replaced owner knows no better. */
  sent(sagaId: string, epoch: number, step: StepName, direction: 'act' | 'undo'): void {
    const saga = this.#sagas.get(sagaId);
    if (saga === undefined) {
      this.#broken('S2', `${direction} ${step} of ${sagaId}, which is not stored`);
      return;
    }
    if (saga.epoch > epoch) return;
    const heldUntil = (this.#arrivedAt.get(sagaId) ?? 0) + SHIP_DELAY_MS;
    if (direction === 'act' && step === 'ship' && this.#now() < heldUntil)
      this.#broken('S7', `${step} of ${sagaId} is sent before its delay is over`);
    const wanted = direction === 'act' ? 'running' : 'compensating';
    if (saga.state === wanted && standsAt(saga, step)) return;
    const at = `${saga.state} at ${STEPS[saga.position] ?? saga.position}`;
    this.#broken(
      direction === 'act' ? 'S2' : 'S3',
      `${direction} ${step} of ${sagaId} sent while it is stored as ${at}`,
    );
  }

  /** A participant is about to change something for a call. */
  changes(participant: string, sagaId: string, epoch: number): void {
    const key = `${participant} ${sagaId}`;
    const highest = this.#epochs.get(key) ?? 0;
    if (epoch < highest) this.#broken('K4', `${participant} changes ${sagaId} under epoch ${epoch} after ${highest}`);
    this.#epochs.set(key, epoch);
  }

  cameToLife(sagaId: string, step: StepName): void {
    const books = this.#books(sagaId, step);
    books.live += 1;
    if (books.undone) this.#broken('K3', `${step} of ${sagaId} comes to life behind its undo`);
    if (books.live > 1) this.#broken('A1', `${step} of ${sagaId} lives ${books.live} times`);
  }

  ended(sagaId: string, step: StepName): void {
    this.#books(sagaId, step).live -= 1;
  }

  /** An undo has been answered as done. */
  undone(sagaId: string, step: StepName): void {
    const books = this.#books(sagaId, step);
    books.undone = true;
    if (books.live > 0) this.#broken('A1', `${step} of ${sagaId} lives although its undo is done`);
  }

  answers(sagaId: string, step: StepName, answer: 'completed' | 'refused', reason: string): void {
    const books = this.#books(sagaId, step);
    if (answer === 'refused') books.reasons.add(reason);
    books.answered ??= answer;
    if (books.answered === answer) return;
    this.#broken(
      books.answered === 'refused' ? 'S5' : 'K2',
      `${step} of ${sagaId} was ${books.answered}, now ${answer}`,
    );
  }

  takenOver(before: Readonly<SagaTuple>, isAlive: boolean): void {
    if (isAlive) this.#broken('S2', `${before.id} is taken from owner ${before.ownerId}, whose lease has not run out`);
  }

  stored(before: Readonly<SagaTuple> | null, after: Readonly<SagaTuple>): void {
    if (before?.endedAt !== null && before !== null && !isSameEnd(before, after)) {
      this.#broken('S2', `${after.id} had ended ${before.state}, and is ${after.state} at ${after.position} now`);
    }
    if (before !== null && after.revision < before.revision) {
      this.#broken('S2', `${after.id} goes back from checkpoint ${before.revision} to ${after.revision}`);
    }
    if (before !== null && after.revision > before.revision && after.changedAt <= before.changedAt) {
      this.#broken('S6', `${after.id} is shown to have changed at ${after.changedAt}, after ${before.changedAt}`);
    }
    if (after.position === PIVOT && before?.position !== PIVOT) this.#arrivedAt.set(after.id, this.#now());
    this.#handsChange(before, after);
    if (before?.state === 'running' && before.position < after.position) this.#allDone(before, after);
    if (before?.state === 'running' && after.state === 'waiting') this.#begins(before, after);
    if (before !== null && before.state === 'running' && after.position > before.position) this.#goesOn(before, after);
    if (after.state === 'waiting') this.#waits(after);
    if (after.state === 'compensating' && before?.state === 'running') this.#turnsBack(after);
    if (after.endedAt !== null) this.#accounts(after);
  }

  /** S2: what stands behind a step, or a group, starts when all of it is done. */
  #allDone(before: Readonly<SagaTuple>, after: Readonly<SagaTuple>): void {
    for (const step of STEPS.slice(before.position, after.position)) {
      if (this.#books(after.id, step).answered !== 'completed')
        this.#broken('S2', `${after.id} goes on to ${after.position}, and ${step} is not done`);
    }
  }

  #handsChange(before: Readonly<SagaTuple> | null, after: Readonly<SagaTuple>): void {
    const isTaken =
      before === null || before.ownerId !== after.ownerId || (before.state === 'waiting' && after.state === 'running');
    if (isTaken && before !== null && after.epoch <= before.epoch) {
      this.#broken('S2', `${after.id} changes hands and stays under epoch ${after.epoch}`);
    }
    if (before?.epoch === after.epoch) return;
    const taken = new Map(STEPS.map((step) => [step, this.#signalsOf(after.id, step)]));
    this.#seen.set(after.id, { epoch: after.epoch, taken, shown: new Map() });
  }

  #begins({ deadlineAt }: Readonly<SagaTuple>, { id, waiting }: Readonly<SagaTuple>): void {
    const { step, isDelay } = JSON.parse(waiting ?? '{}') as { step: StepName; isDelay?: true };
    if (!isDelay && !this.#left.has(id)) this.#left.set(id, Math.max(0, deadlineAt - this.#now()));
    if (isDelay && this.#delayed.has(id)) this.#broken('S7', `${id} has its delay before ${step} a second time`);
    if (isDelay) this.#delayed.add(id);
  }

  #goesOn({ waiting }: Readonly<SagaTuple>, { id, deadlineAt }: Readonly<SagaTuple>): void {
    const hadLeft = this.#left.get(id);
    if (hadLeft === undefined || waiting === null) return;
    const left = deadlineAt - this.#now();
    if (left > hadLeft + DEADLINE_OFF_MS)
      this.#broken(
        'S7',
        `${id} has ${Math.round(left)} ms left after its wait, and had ${Math.round(hadLeft)} before it`,
      );
  }

  #waits({ id, waiting, wakeAt, deadlineAt, cancelRequestedAt, position }: Readonly<SagaTuple>): void {
    const { step, isDelay, beside = {} } = JSON.parse(waiting ?? '{}') as StoredWait & { step: StepName };
    if (wakeAt !== null && wakeAt <= this.#now()) return;
    if (wakeAt === null || wakeAt > deadlineAt) this.#broken('S7', `${id} waits beyond its deadline`);
    for (const awaited of [step, ...Object.keys(beside)] as StepName[]) {
      const there = this.#signalsOf(id, awaited);
      const shown = this.#seen.get(id)?.shown.get(awaited) ?? 0;
      if (there > shown && !isDelay)
        this.#broken('S7', `${id} waits on with ${there} signals of ${awaited}, of which it has seen ${shown}`);
    }
    if (cancelRequestedAt !== null && position <= PIVOT)
      this.#broken('S7', `${id} waits on although it is to be cancelled`);
  }

  #signalsOf(sagaId: string, step: StepName): number {
    return this.#signals.get(sagaId)?.filter((signal) => signal.step === step).length ?? 0;
  }

  #turnsBack(saga: Readonly<SagaTuple>): void {
    const { step, reason } = JSON.parse(saga.failure ?? '{}') as { step: StepName; reason: string };
    if (reason === 'DEADLINE_EXCEEDED') return;
    const asked = reason === 'CANCELLED' && (this.#cancelled.has(saga.id) || this.#books(saga.id, step).undone);
    if (asked || this.#books(saga.id, step).reasons.has(reason)) return;
    this.#broken('S4', `${saga.id} turns back for ${reason}, which ${step} has never answered`);
  }

  /** A1 of one saga, now that it has ended. */
  #accounts(saga: Readonly<SagaTuple>): void {
    const wanted = saga.state === 'completed' ? 1 : 0;
    for (const step of STEPS) {
      const { live } = this.#books(saga.id, step);
      if (live !== wanted) this.#broken('A1', `${saga.id} ended ${saga.state} with ${live} live of ${step}`);
    }
  }

  /** A client hears what its saga has come to. */
  answered(sagaId: string, heard: string | undefined): void {
    const stored = this.#answers.get(sagaId);
    if (heard !== stored) this.#broken('K1', `a client hears that ${sagaId} is ${heard}, and ${stored} is stored`);
  }

  /** S6 of one saga that has ended: an answer of that end shows it as a look at the saga does. */
  #answer({ id, state, changedAt }: Readonly<SagaTuple>): void {
    const answer = this.#answers.get(id);
    if (answer === undefined || !answer.startsWith(`${state} `)) return;
    const shown = answerOf({ state, changedAt: new Date(changedAt) });
    if (answer !== shown) this.#broken('S6', `${id} was answered ${answer}, and is shown ${shown}`);
  }

  /** Once nothing is under way any more. */
  allAccounted(): void {
    for (const saga of this.#sagas.values()) {
      if (saga.endedAt === null) continue;
      this.#accounts(saga);
      this.#answer(saga);
    }
  }

  notEnded(sagaIds: string[], withinMs: number): void {
    this.#broken('S1', `${sagaIds.join(', ')} not ended ${withinMs} ms after the last fault`);
  }

  #books(sagaId: string, step: StepName): StepBooks {
    const key = `${sagaId}:${step}`;
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const books: StepBooks = { live: 0, undone: false, answered: null, reasons: new Set() };
    this.#steps.set(key, books);
    return books;
  }

  // The first one counts: what follows it may be its consequence.
  #broken(invariant: string, what: string): void {
    this.breach ??= { invariant, what };
  }
}

function isSameEnd(before: Readonly<SagaTuple>, after: Readonly<SagaTuple>): boolean {
  return before.state === after.state && before.position === after.position && before.epoch === after.epoch;
}
