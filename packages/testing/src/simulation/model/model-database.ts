// The orchestrator's Postgres, as far as the engine's statements go: each is recognised by its name and does to the
// model what its text does to the tables. That the two agree is held by model-database.db.test.ts, which runs the same
// statements against both. A statement is atomic, as in Postgres; the network before it is not this file's business.

import type { SagaState } from '@holdfast/saga';
import type { Switches } from '../planted-bugs.ts';

export interface SagaTuple {
  id: string;
  definition: string;
  input: unknown;
  state: SagaState;
  position: number;
  outputs: string;
  failure: string | null;
  parked: string | null;
  resumeState: 'running' | 'compensating' | null;
  cancelRequestedAt: number | null;
  ownerId: number;
  epoch: number;
  revision: number;
  deadlineAt: number;
  startedAt: number;
  /** By the clock of the process that wrote it, in milliseconds. */
  changedAt: number;
  drivenAt: number;
  endedAt: number | null;
  /** `epoch seq` of each attempt that stands in the row. */
  inlineAttempts: string[];
}

export interface Result {
  rows: unknown[];
  rowCount: number;
}

/** A statement as the engine hands it to the pool. */
export interface Sent {
  name: string;
  values: readonly unknown[];
  /** The sender's wall clock; no statement of the engine looks at it. */
  senderNow: number;
}

/** Told of every change, before it is visible to anybody. */
export type OnChange = (before: Readonly<SagaTuple> | null, after: Readonly<SagaTuple>) => void;

const FORGET_AFTER_MS = 600_000;

export class ModelDatabase {
  readonly sagas = new Map<string, SagaTuple>();
  /** owner id → lease_until, as it is stored and as it would be by this database's clock; the same, unless planted. */
  readonly owners = new Map<number, { name: string; until: number; rightly: number }>();
  readonly attempts = new Set<string>();
  /** By saga id: what its key is answered. Written once. */
  readonly answers = new Map<string, string>();
  readonly #now: () => number;
  readonly #onChange: OnChange;
  readonly #switches: Switches;
  #lastOwnerId = 0;

  constructor(now: () => number, onChange: OnChange, switches: Switches) {
    this.#now = now;
    this.#onChange = onChange;
    this.#switches = switches;
  }

  /** @throws Error for a statement that it has not been taught */
  execute(sent: Sent): Result {
    const work = STATEMENTS[sent.name];
    if (work === undefined) throw new Error(`the model does not know ${sent.name}: teach it what the statement does`);
    return work.call(this, sent.values, sent);
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
    return one(this.#rowOf(this.#put(null, saga)));
  }

  registerOwner([name, leaseMs]: readonly unknown[], sent: Sent): Result {
    this.#lastOwnerId += 1;
    this.owners.set(this.#lastOwnerId, { name: name as string, ...this.#lease(sent, leaseMs as number) });
    return one({ owner_id: this.#lastOwnerId });
  }

  heartbeat([ownerId, leaseMs]: readonly unknown[], sent: Sent): Result {
    return this.#renew(ownerId as number, leaseMs as number, sent);
  }

  releaseOwner([ownerId]: readonly unknown[], sent: Sent): Result {
    return this.#renew(ownerId as number, 0, sent);
  }

  endLeasesOf([name]: readonly unknown[], sent: Sent): Result {
    let ended = 0;
    for (const [ownerId, owner] of this.owners) {
      if (owner.name === name) ended += this.#renew(ownerId, 0, sent).rowCount;
    }
    return { rows: [], rowCount: ended };
  }

  forgetOwners(_: readonly unknown[], sent: Sent): Result {
    const before = this.#leaseNow(sent) - FORGET_AFTER_MS;
    for (const [id, { until }] of this.owners) if (until < before) this.owners.delete(id);
    return none();
  }

  deadOwners([ownerId]: readonly unknown[], sent: Sent): Result {
    const dead = new Set<number>();
    for (const saga of this.sagas.values()) {
      if (!isLive(saga) || saga.ownerId === ownerId) continue;
      const lease = this.owners.get(saga.ownerId);
      if (lease === undefined || lease.until <= this.#leaseNow(sent)) dead.add(saga.ownerId);
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
    if (saga === undefined || saga.state !== 'running' || saga.cancelRequestedAt !== null) return none();
    this.#put(saga, { ...saga, cancelRequestedAt: this.#now() });
    return { rows: [], rowCount: 1 };
  }

  resume([id, ownerId, definitions, now]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga?.state !== 'parked' || saga.resumeState === null) return none();
    if (!(definitions as string[]).includes(saga.definition)) return none();
    const after: SagaTuple = {
      ...saga,
      state: saga.resumeState,
      resumeState: null,
      parked: null,
      ownerId: ownerId as number,
      epoch: saga.epoch + 1,
      revision: saga.revision + 1,
      changedAt: Math.max(saga.changedAt + 1, Date.parse(now as string)),
      drivenAt: this.#now(),
    };
    return one(this.#rowOf(this.#put(saga, after)));
  }

  readSnapshot([id]: readonly unknown[]): Result {
    const saga = this.sagas.get(id as string);
    if (saga === undefined) return none();
    const { definition, state, position, revision, changedAt } = saga;
    const [outputs, failure] = [JSON.parse(saga.outputs), parsed(saga.failure)];
    return one({ id, definition, state, position, outputs, failure, revision, changedAt: new Date(changedAt) });
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
    }));
    const stored = ids.filter((id, at) => written.has(id as string) && this.#answer(id, columns[8]?.[at])) as string[];
    return many([...rows, ...stored.map((id) => ({ id, cancel_requested: null, stored_by_hook: true }))]);
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
    const { failure, parked, resumeState } = JSON.parse((entry(6) as string | null) ?? '{}');
    return this.#put(saga, {
      ...saga,
      state: entry(3) as SagaState,
      position: entry(4) as number,
      outputs: entry(5) as string,
      failure: failure === undefined ? null : JSON.stringify(failure),
      parked: parked === undefined ? null : JSON.stringify({ ...parked, at: now }),
      resumeState: resumeState ?? null,
      revision,
      changedAt: Date.parse(entry(10) as string),
      drivenAt: now,
      endedAt: entry(7) === true ? (saga.endedAt ?? now) : null,
      inlineAttempts: saga.revision === revision ? saga.inlineAttempts : appended(saga, entry(9) as string | null),
    });
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

  // A lease is by the database's clock; planted, by the clock of whoever asks.
  #leaseNow(sent: Sent): number {
    return this.#switches.leaseBySendersClock ? sent.senderNow : this.#now();
  }

  #lease(sent: Sent, leaseMs: number): { until: number; rightly: number } {
    return { until: this.#leaseNow(sent) + leaseMs, rightly: this.#now() + leaseMs };
  }

  #renew(ownerId: number, leaseMs: number, sent: Sent): Result {
    const held = this.owners.get(ownerId);
    if (held === undefined || held.until <= this.#leaseNow(sent)) return none();
    this.owners.set(ownerId, { name: held.name, ...this.#lease(sent, leaseMs) });
    return { rows: [], rowCount: 1 };
  }

  isAlive(ownerId: number): boolean {
    return (this.owners.get(ownerId)?.rightly ?? 0) > this.#now();
  }

  #liveOf(ownerId: number, definitions: string[], after: string): SagaTuple[] {
    const found: SagaTuple[] = [];
    for (const saga of this.sagas.values()) {
      if (saga.ownerId !== ownerId || !isLive(saga) || saga.id <= after) continue;
      if (definitions.includes(saga.definition)) found.push(saga);
    }
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #rowOf(saga: SagaTuple): unknown {
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
  'saga.register-owner': prototype.registerOwner,
  'saga.heartbeat': prototype.heartbeat,
  'saga.release-owner': prototype.releaseOwner,
  'saga.end-leases-of': prototype.endLeasesOf,
  'saga.forget-owners': prototype.forgetOwners,
  'saga.dead-owners': prototype.deadOwners,
  'saga.sagas-of-owner': prototype.sagasOfOwner,
  'saga.own-neglected': prototype.ownNeglected,
  'saga.adopt': prototype.adopt,
  'saga.request-cancel': prototype.requestCancel,
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

function isLive(saga: SagaTuple): boolean {
  return saga.endedAt === null && saga.state !== 'parked';
}

function appended(saga: SagaTuple, attempts: string | null): string[] {
  const added: unknown[][] = JSON.parse(attempts ?? '[]');
  return [...saga.inlineAttempts, ...added.map(([epoch, seq]) => `${epoch} ${seq}`)];
}

function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}

const none = (): Result => ({ rows: [], rowCount: 0 });
const one = (row: unknown): Result => ({ rows: [row], rowCount: 1 });
const many = (rows: unknown[]): Result => ({ rows, rowCount: rows.length });
