import type { Migrations } from '@holdfast/postgres';
import type { Signal, StoredWait } from '../definition/definition.ts';

/** The tables of this package; hand it to `migrate` before any engine starts. */
export const sagaMigrations: Migrations = { module: 'saga', folder: new URL('../../sql/', import.meta.url) };

export type EndState = 'completed' | 'failed' | 'cancelled';
/** States in which the engine has something to do. */
export type LiveState = 'running' | 'compensating';
export type SagaState = LiveState | EndState | 'parked' | 'waiting';

/** Why a saga turned back. `step` is where it stood then. */
export interface Failure {
  step: string;
  reason: string;
  message: string;
  /** What the refusal that turned it back has for the saga's client. */
  data?: unknown;
}

/** Why a saga waits for an operator. */
export interface Parked {
  step: string;
  direction: 'act' | 'undo';
  /**
   * `ATTEMPTS_EXHAUSTED`; `WAIT_EXCEEDED`: a step behind the pivot has waited longer than it may; `CHECKPOINT_REJECTED`: the
   * database refuses to store what the step has answered; or `FENCED`: the step's participant refuses the saga's epoch though
   * the saga has no newer owner.
   */
  reason: 'ATTEMPTS_EXHAUSTED' | 'WAIT_EXCEEDED' | 'CHECKPOINT_REJECTED' | 'FENCED';
  detail: string;
  attempts: number;
  /** Of `FENCED`: the epoch that the participant has seen. A verb that frees the saga raises the saga's own above it. */
  fenceEpoch?: number;
}

/** A live saga as it is read in order to run. */
export interface SagaRow {
  id: string;
  definition: string;
  input: unknown;
  state: LiveState;
  position: number;
  outputs: Record<string, unknown>;
  failure: Failure | null;
  epoch: number;
  revision: number;
  cancel_requested: boolean;
  /** By the database's clock; negative when the deadline has passed. */
  remaining_ms: number;
  age_ms: number;
  changed_at: Date;
  /** What the step at `position` last waited for. Missing as null, in the row of a saga that has just begun. */
  waiting?: StoredWait | null;
  /** All of them, oldest first; missing likewise. */
  signals?: StoredSignal[] | null;
}

/** One row of saga_signals. */
export interface StoredSignal extends Signal {
  step: string;
}

/** Columns of the {@link SagaRow} of a saga that has just begun: it has waited for nothing and was told nothing. */
const BEGUN_ROW_COLUMNS = `
  sagas.id, sagas.definition, sagas.input, sagas.state, sagas.position, sagas.outputs, sagas.failure, sagas.epoch,
  sagas.revision, sagas.cancel_requested_at is not null as cancel_requested,
  date_part('epoch', sagas.deadline_at - clock_timestamp()) * 1000 as remaining_ms,
  date_part('epoch', clock_timestamp() - sagas.started_at) * 1000 as age_ms, sagas.changed_at`;

/**
 * Columns of a {@link SagaRow}, for `returning`. The signals may lag behind the row, never the other way round: the statement sees
 * those that were there when it began. One that it misses makes the saga due at the end of its next wait, see flush-sql.ts.
 */
export const SAGA_ROW_COLUMNS = `${BEGUN_ROW_COLUMNS}, sagas.waiting,
  case when sagas.signals is not null then (
    select jsonb_agg(jsonb_build_object('step', g.step, 'key', g.key, 'data', g.data) order by g.at, g.step, g.key)
      from holdfast.saga_signals g where g.saga_id = sagas.id
  ) end as signals`;

/** What is known to be stored of a saga, published once its checkpoint is durable. */
export interface SagaSnapshot {
  id: string;
  definition: string;
  state: SagaState;
  position: number;
  /** By step name: what the steps known to be done have answered. */
  outputs: Record<string, unknown>;
  failure: Failure | null;
  /**
   * What its step waits for. It stays while the step is asked again: `state` is `running` then, and may be shown as waiting.
   */
  waiting: StoredWait | null;
  /** Rises with every checkpoint; orders the snapshots of one saga. */
  revision: number;
  /** When it last changed, by the clock of the process that changed it; rises with every checkpoint. */
  changedAt: Date;
  /** What the commit hook was handed with this very checkpoint, if it has stored it; not known to who reads the row later. */
  storedByHook?: string | null;
}

export function snapshotOf(row: SagaRow): SagaSnapshot {
  const { id, definition, state, position, outputs, failure, waiting = null, revision, changed_at: changedAt } = row;
  return { id, definition, state, position, outputs, failure, waiting, revision, changedAt };
}

export function hasEnded(state: SagaState): state is EndState {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** SQL expressions, not values: a cast parameter (`$3::text`) or a column of `source` (`claimed.id`). */
export interface StartSaga {
  id: string;
  /** text: the definition's name. */
  definition: string;
  /** jsonb */
  input: string;
  /** bigint: the `ownerId` of an admission. */
  ownerId: string;
  /** integer: milliseconds from now. */
  deadlineMs: string;
  /** timestamptz: when callers are shown that it began, by this process's clock. */
  changedAt: string;
  /** A `from` item; one saga is started for each of its rows. */
  source: string;
  /** A saga that is there already is left as it is, and returns no row. Else a second insert fails. */
  ifAbsent?: boolean;
}

/**
 * The insert that starts sagas, for use inside a statement of the caller's, so that claim and saga are one statement:
 *
 *     with claimed as (insert into orders … on conflict do nothing returning id),
 *          started as (${startSagaSql({ id: 'claimed.id', …, source: 'claimed' })})
 *     select * from started
 *
 * It returns {@link SagaRow}s, each to be handed to its admission's `run`. The insert is the checkpoint before the
 * first step (S2). An insert under a lease that has run out meanwhile is adopted like any other (S1).
 */
export function startSagaSql(start: StartSaga): string {
  return `
    insert into holdfast.sagas (id, definition, input, owner_id, deadline_at, changed_at)
    select ${start.id}, ${start.definition}, ${start.input}, ${start.ownerId},
           clock_timestamp() + ${start.deadlineMs} * interval '1 millisecond', ${start.changedAt}
      from ${start.source}${start.ifAbsent === true ? ' on conflict (id) do nothing' : ''}
    returning ${BEGUN_ROW_COLUMNS}`;
}
