// The orchestrator's Postgres, as far as the engine's statements go: each is recognised by its name and does to the
// model what its text does to the tables. That the two agree is held by model-database.db.test.ts, which runs the same
// statements against both. A statement is atomic, as in Postgres; the network before it is not this file's business.

import type { SagaState, StoredSignal } from '@holdfast/saga';
import type { Switches } from '../planted-bugs.ts';
import { ModelLeases } from './model-leases.ts';
import { many, none, one, type Result, type Sent } from './result.ts';
import {
  appended,
  deadlineAfter,
  isDue,
  isLive,
  isSameCount,
  parsed,
  type SagaTuple,
  type Setback,
  waitOf,
} from './saga-tuple.ts';

/** Told of every change, before it is visible to anybody. */
export type OnChange = (before: Readonly<SagaTuple> | null, after: Readonly<SagaTuple>) => void;

export class ModelDatabase {
  readonly sagas = new Map<string, SagaTuple>();
  readonly leases: ModelLeases;
  readonly attempts = new Set<string>();
  /** By saga id, in the order in which they were stored. */
  readonly signals = new Map<string, StoredSignal[]>();
  /** By saga id: what its key is answered. Written once. */
  readonly answers = new Map<string, string>();
  readonly #now: () => number;
  readonly #onChange: OnChange;
  readonly #switches: Switches;

  constructor(now: () => number, onChange: OnChange, switches: Switches) {
    this.#now = now;
    this.#onChange = onChange;
    this.#switches = switches;
    this.leases = new ModelLeases(now, switches);
  }

  /** @throws Error for a statement that it has not been taught */
  execute(sent: Sent): Result {
    const work = STATEMENTS[sent.name];
    if (work !== undefined) return work.call(this, sent.values, sent);
    const result = this.leases.execute(sent);
    if (result === null) throw new Error(`the model does not know ${sent.name}: teach it what the statement does`);
    return result;
  }

  begin([id, definition, input, ownerId, deadlineMs, changedAt]: readonly unknown[]): Result {
    if (this.sagas.has(id as string)) return none();
    const now = this.#now();
    const saga: SagaTuple = {
      id: id as string,
      definition: definition as string,
      input: JSON.parse(input as string),
      state: 'running',
      position: 0,
      outputs: '{}',
      failure: null,
      parked: null,
      resumeState: null,
      cancelRequestedAt: null,
      waiting: null,
      wakeAt: null,
      signals: null,
      ownerId: ownerId as number,
      epoch: 1,
      revision: 0,
      deadlineAt: now + (deadlineMs as number),
      startedAt: now,
      changedAt: Date.parse(changedAt as string),
      drivenAt: now,
      endedAt: null,
      inlineAttempts: [],
    };
    const { waiting: _, signals: __, ...row } = this.#rowOf(this.#put(null, saga));
    return one(row);
  }

  deadOwners([ownerId]: readonly unknown[], sent: Sent): Result {
    const dead = new Set<number>();
    for (const saga of this.sagas.values()) {
      if (!isLive(saga) || saga.ownerId === ownerId) continue;
      if (!this.leases.isHeld(saga.ownerId, sent)) dead.add(saga.ownerId);
    }
    return many([...dead].map((owner_id) => ({ owner_id })));
  }

  sagasOfOwner([ownerId, definitions, after, limit]: readonly unknown[]): Result {
    const found = this.#liveOf(ownerId as number, definitions as string[], after as string);
    return many(found.slice(0, limit as number).map(({ id, epoch }) => ({ id, epoch })));
  }

  ownNeglected([ownerId, definitions, after, limit, neglectedMs]: readonly unknown[]): Result {
    const oldest = this.#now() - (neglectedMs as number);
    const found = this.#liveOf(ownerId as number, definitions as string[], after as string).filter(
      (saga) => saga.cancelRequestedAt !== null || saga.drivenAt < oldest,
    );
    const rows = found.map(({ id, epoch, cancelRequestedAt }) => ({
      id,
      epoch,
      cancel_requested: cancelRequestedAt !== null,
    }));
    return many(rows.slice(0, limit as number));
  }

  adopt([ownerId, id, fromOwnerId, epoch]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga === undefined || !isLive(saga) || saga.ownerId !== fromOwnerId || saga.epoch !== epoch) return none();
    const after = { ...saga, ownerId: ownerId as number, epoch: saga.epoch + 1, drivenAt: this.#now() };
    return one(this.#rowOf(this.#put(saga, after)));
  }

  requestCancel([id]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga === undefined || saga.cancelRequestedAt !== null) return none();
    if (saga.state !== 'running' && saga.state !== 'waiting') return none();
    const now = this.#now();
    const waits = saga.state === 'waiting' && waitOf(saga.waiting).mayTurnBack === true;
    const wakes = waits && !this.#switches.cancelDoesNotWake;
    this.#put(saga, { ...saga, cancelRequestedAt: now, wakeAt: wakes ? now : saga.wakeAt });
    return one({ epoch: saga.epoch, waits });
  }

  due([definitions, limit]: readonly unknown[]): Result {
    const found: SagaTuple[] = [];
    for (const saga of this.sagas.values()) {
      if (isDue(saga, this.#now()) && (definitions as string[]).includes(saga.definition)) found.push(saga);
    }
    found.sort((a, b) => (a.wakeAt ?? 0) - (b.wakeAt ?? 0) || (a.id < b.id ? -1 : 1));
    return many(found.slice(0, limit as number).map(({ id, epoch }) => ({ id, epoch })));
  }

  unknownDefinitions([definitions]: readonly unknown[]): Result {
    const unknown = new Map<string, number>();
    for (const saga of this.sagas.values()) {
      if (!isLive(saga) && !isDue(saga, this.#now())) continue;
      if (!(definitions as string[]).includes(saga.definition))
        unknown.set(saga.definition, (unknown.get(saga.definition) ?? 0) + 1);
    }
    return many([...unknown].map(([definition, sagas]) => ({ definition, sagas })));
  }

  wake([ownerId, id, epoch, definitions, now]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga === undefined || !(definitions as string[]).includes(saga.definition)) return none();
    const isGuarded = saga.wakeAt !== null && saga.epoch === epoch;
    if (!isGuarded && !(this.#switches.unguardedWake && isLive(saga))) return none();
    const after: SagaTuple = {
      ...saga,
      state: 'running',
      wakeAt: null,
      ownerId: ownerId as number,
      epoch: this.#switches.wakeKeepsEpoch ? saga.epoch : saga.epoch + 1,
      revision: saga.revision + 1,
      changedAt: Math.max(saga.changedAt + 1, Date.parse(now as string)),
      drivenAt: this.#now(),
    };
    return one(this.#rowOf(this.#put(saga, after)));
  }

  signal([id, step, key, data, most]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga === undefined) return none();
    const stored = this.signals.get(saga.id) ?? [];
    const isFull = stored.length >= (most as number);
    const isKnown = stored.some((one) => one.step === step && one.key === key);
    const outcome = { ended: saga.endedAt !== null, full: isFull && !isKnown };
    if (outcome.ended || isFull || isKnown) return one({ ...outcome, fresh: false, due: false, epoch: null });
    if (!this.#switches.signalsNotStored) {
      this.signals.set(saga.id, [
        ...stored,
        { step: step as string, key: key as string, data: JSON.parse(data as string) },
      ]);
    }
    const signals = { ...saga.signals, [step as string]: (saga.signals?.[step as string] ?? 0) + 1 };
    const { step: waitsAt, isDelay, beside = {} } = waitOf(saga.waiting);
    const isAwaited = waitsAt === step || Object.hasOwn(beside, step as string);
    const isFor = saga.state === 'waiting' && isAwaited && (!isDelay || this.#switches.signalEndsDelay);
    const after = this.#put(saga, { ...saga, signals, wakeAt: isFor ? this.#now() : saga.wakeAt });
    return one({ ...outcome, fresh: true, due: isDue(after, this.#now()), epoch: saga.epoch });
  }

  resume([id, ownerId, definitions, now]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga?.state !== 'parked' || saga.resumeState === null) return none();
    if (!(definitions as string[]).includes(saga.definition)) return none();
    const { fenceEpoch = 0 } = JSON.parse(saga.parked ?? '{}') as { fenceEpoch?: number };
    const freed = this.#switches.resumeBelowFence ? 0 : fenceEpoch;
    const after: SagaTuple = {
      ...saga,
      state: saga.resumeState,
      resumeState: null,
      parked: null,
      ownerId: ownerId as number,
      epoch: Math.max(saga.epoch, freed) + 1,
      revision: saga.revision + 1,
      changedAt: Math.max(saga.changedAt + 1, Date.parse(now as string)),
      drivenAt: this.#now(),
    };
    return one(this.#rowOf(this.#put(saga, after)));
  }

  readSnapshot([id]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga === undefined) return none();
    const { definition, state, position, revision } = saga;
    const [outputs, failure, waiting] = [JSON.parse(saga.outputs), parsed(saga.failure), parsed(saga.waiting)];
    const changedAt = new Date(saga.changedAt);
    return one({ id, definition, state, position, outputs, failure, waiting, revision, changedAt });
  }

  flush(values: readonly unknown[]): Result {
    const [ownerId, ...columns] = values as [number, ...unknown[][]];
    const [ids = []] = columns;
    const written = new Map<string, SagaTuple>();
    for (const at of ids.keys()) {
      const after = this.#checkpointed(ownerId, (column) => columns[column]?.[at]);
      if (after !== null) written.set(after.id, after);
    }
    this.#journal(ownerId, columns, written);
    const rows = [...written.values()].map(({ id, cancelRequestedAt }) => ({
      id,
      cancel_requested: cancelRequestedAt !== null,
      stored_by_hook: false,
      due: written.get(id)?.wakeAt == null ? null : (written.get(id)?.wakeAt ?? 0) <= this.#now(),
    }));
    const stored = ids.filter((id, at) => written.has(id as string) && this.#answer(id, columns[8]?.[at])) as string[];
    return many([...rows, ...stored.map((id) => ({ id, cancel_requested: null, stored_by_hook: true, due: null }))]);
  }

  storeAnswer([id, answer]: readonly unknown[]): Result {
    return { rows: [], rowCount: this.#answer(id, answer) ? 1 : 0 };
  }

  readAnswer([id]: readonly unknown[]): Result {
    const answer = this.answers.get(id as string);
    return answer === undefined ? none() : one({ answer });
  }

  /** @returns whether it was stored: none was before */
  #answer(id: unknown, answer: unknown): boolean {
    if (typeof answer !== 'string' || this.answers.has(id as string)) return false;
    this.answers.set(id as string, answer);
    return true;
  }

  #checkpointed(ownerId: number, entry: (column: number) => unknown): SagaTuple | null {
    const saga = this.sagas.get(entry(0) as string);
    if (saga === undefined) return null;
    const [epoch, revision] = [entry(1) as number, entry(2) as number];
    const mine = this.#switches.unfencedCheckpoints || (saga.ownerId === ownerId && saga.epoch === epoch);
    const newer = this.#switches.unnumberedCheckpoints || saga.revision <= revision;
    if (!mine || !newer) return null;
    const now = this.#now();
    const setback: Setback = JSON.parse((entry(6) as string | null) ?? '{}');
    const { failure, parked, resumeState, waiting, wait } = setback;
    const isCopy = saga.revision === revision;
    const deadlineAt = isCopy ? saga.deadlineAt : deadlineAfter(saga, setback, now);
    const wakeAt = isCopy ? saga.wakeAt : this.#wakeAt({ ...saga, deadlineAt }, waiting, wait);
    return this.#put(saga, {
      ...saga,
      state: entry(3) as SagaState,
      position: entry(4) as number,
      outputs: entry(5) as string,
      failure: failure === undefined ? null : JSON.stringify(failure),
      parked: parked === undefined ? null : JSON.stringify({ ...parked, at: now }),
      resumeState: resumeState ?? null,
      waiting: waiting === undefined ? null : JSON.stringify(waiting),
      deadlineAt,
      wakeAt: entry(3) === 'waiting' ? wakeAt : null,
      revision,
      changedAt: Date.parse(entry(10) as string),
      drivenAt: now,
      endedAt: entry(7) === true ? (saga.endedAt ?? now) : null,
      inlineAttempts: isCopy ? saga.inlineAttempts : appended(saga, entry(9) as string | null),
    });
  }

  #wakeAt(saga: SagaTuple, waiting: Setback['waiting'], wait: Setback['wait']): number | null {
    if (waiting === undefined || wait === undefined) return null;
    const now = this.#now();
    const isNew = (saga.signals?.[waiting.step] ?? 0) > wait.seen;
    const isNewOfGroup = wait.seenOf !== undefined && !isSameCount(saga.signals ?? {}, wait.seenOf);
    const isSignalled = (isNew || isNewOfGroup) && !this.#switches.waitForgetsSignals;
    const isCancelled = saga.cancelRequestedAt !== null && wait.mayTurnBack;
    return isSignalled || isCancelled ? now : Math.min(now + wait.waitMs, saga.deadlineAt);
  }

  #journal(ownerId: number, columns: unknown[][], written: Map<string, SagaTuple>): void {
    const column = (at: number, row: number) => columns[at]?.[row];
    for (const at of (columns[11] ?? []).keys()) {
      const id = column(11, at) as string;
      const epoch = column(12, at) as number;
      const saga = this.sagas.get(id);
      const alone = column(21, at) === true;
      const wanted = alone ? saga?.ownerId === ownerId && saga.epoch === epoch : written.has(id);
      if (wanted) this.attempts.add(`${id} ${epoch} ${column(13, at)}`);
    }
  }

  #put(before: SagaTuple | null, after: SagaTuple): SagaTuple {
    this.#onChange(before, after);
    this.sagas.set(after.id, after);
    return after;
  }

  #liveOf(ownerId: number, definitions: string[], after: string): SagaTuple[] {
    const found: SagaTuple[] = [];
    for (const saga of this.sagas.values()) {
      if (saga.ownerId !== ownerId || !isLive(saga) || saga.id <= after) continue;
      if (definitions.includes(saga.definition)) found.push(saga);
    }
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #rowOf(saga: SagaTuple) {
    const now = this.#now();
    return {
      id: saga.id,
      definition: saga.definition,
      input: saga.input,
      state: saga.state,
      position: saga.position,
      outputs: JSON.parse(saga.outputs),
      failure: parsed(saga.failure),
      epoch: saga.epoch,
      revision: saga.revision,
      cancel_requested: saga.cancelRequestedAt !== null,
      remaining_ms: saga.deadlineAt - now,
      age_ms: now - saga.startedAt,
      changed_at: new Date(saga.changedAt),
      waiting: parsed(saga.waiting),
      signals: saga.signals === null ? null : (this.signals.get(saga.id) ?? null),
    };
  }
}

/** The answers to clients are the application's own rows: these statements, and the commit hook, are what it does to them. */
export const STORE_ANSWER = 'simulation.store-answer';
export const READ_ANSWER = 'simulation.read-answer';

type Work = (this: ModelDatabase, values: readonly unknown[], sent: Sent) => Result;
const { prototype } = ModelDatabase;
const STATEMENTS: Record<string, Work> = {
  [STORE_ANSWER]: prototype.storeAnswer,
  [READ_ANSWER]: prototype.readAnswer,
  'saga.begin': prototype.begin,
  'saga.dead-owners': prototype.deadOwners,
  'saga.sagas-of-owner': prototype.sagasOfOwner,
  'saga.own-neglected': prototype.ownNeglected,
  'saga.adopt': prototype.adopt,
  'saga.request-cancel': prototype.requestCancel,
  'saga.due': prototype.due,
  'saga.unknown-definitions': prototype.unknownDefinitions,
  'saga.wake': prototype.wake,
  'saga.signal': prototype.signal,
  'saga.resume': prototype.resume,
  'saga.read-snapshot': prototype.readSnapshot,
  'saga.flush-checkpoints': prototype.flush,
};

const NAMED = /^\/\* ([a-z.-]+)/;

/** The name of a statement, also of one that is sent unprepared and says it in a comment. @throws Error without any */
export function nameOf(query: string | { name?: string; text: string }): string {
  const text = typeof query === 'string' ? query : query.text;
  const name = (typeof query === 'string' ? undefined : query.name) ?? NAMED.exec(text)?.[1];
  if (name === undefined) throw new Error(`a statement without a name: ${text.slice(0, 60)}`);
  return name;
}
