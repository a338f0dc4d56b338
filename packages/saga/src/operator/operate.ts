// What an operator can do to a saga. No verb ends one: each adopts it and lets the engine go on with it, forward or
// back, so that what the steps have done is undone or kept by the same rules. Upholds:
// S2 A verb is one guarded update that raises the epoch: of two operators one finds the saga as it was, and the
//    owner before can write nothing any more.
// S3 A forced turn-back is durable before the first undo is sent and keeps `position`: the step there may have been
//    started. Past the pivot there is none.
//
// crash after such an update: the saga has an owner that does not run it, and is adopted like any other.

import { statement } from '@holdfast/postgres';
import type { SagaDefinition } from '../definition/definition.ts';
import { CANCELLED, mayTurnBack } from '../definition/transitions.ts';
import type { Database } from '../engine/ports.ts';
import type { Admission } from '../engine/running-sagas.ts';
import {
  type EndState,
  type Failure,
  hasEnded,
  type LiveState,
  SAGA_ROW_COLUMNS,
  type SagaRow,
  type SagaSnapshot,
  type SagaState,
  snapshotOf,
} from '../journal/saga-row.ts';
import type { SagaRun } from '../run/saga-run.ts';
import type { CancelOutcome } from './cancel.ts';

/** This process can't take it on: it has no room, no lease, or does not know the definition. Try another or later. */
type NotHere = { kind: 'unavailable'; detail: string };

export type ResumeOutcome =
  | { kind: 'resumed'; snapshot: SagaSnapshot }
  | { kind: 'not_parked'; state: SagaState }
  | { kind: 'not_found' }
  | NotHere;

export type RetryOutcome =
  /** Its step is attempted now, or is being attempted already. */
  { kind: 'resumed'; snapshot: SagaSnapshot } | { kind: 'ended'; state: EndState } | { kind: 'not_found' } | NotHere;

export type CompensateOutcome =
  /** It undoes what may have been started, and ends `cancelled`, or `failed` when it had turned back before. */
  | { kind: 'turning_back'; snapshot: SagaSnapshot }
  | { kind: 'ended'; state: EndState }
  /** The pivot is known to be done: there is no way back. */
  | { kind: 'past_pivot'; snapshot: SagaSnapshot }
  /** The request is durable and will be decided by the saga's owner; ask again. */
  | { kind: 'in_progress' }
  | { kind: 'not_found' }
  | NotHere;

/**
 * Each verb @throws what `pg` throws: it may be done then, and asking again does no harm. `key` is kept with what the verb has
 * done, and tells its caller later whose doing that was.
 */
export interface Operator {
  /** Goes on with a parked saga, here, where it was parked, its attempts counted afresh. */
  resume(id: string, key?: string): Promise<ResumeOutcome>;
  /**
   * Has the saga's step attempted now, here: out of its wait between attempts, or for something outside, out of the hands of
   * another process (whose calls are fenced from then on), or out of its parking.
   */
  retryNow(id: string, key?: string): Promise<RetryOutcome>;
  /** Turns a saga back whose pivot is not known to be done, parked or not; waits up to `waitMs` for its owner to decide. */
  compensate(id: string, waitMs: number, key?: string): Promise<CompensateOutcome>;
}

/** What the verbs need of the engine. */
export interface OperatorContext {
  db: Database;
  definitions: ReadonlyMap<string, SagaDefinition>;
  admit: (id: string) => Admission;
  find: (id: string) => SagaRun | undefined;
  cancel: (id: string, waitMs: number) => Promise<CancelOutcome>;
  wallNow: () => number;
}

export function createOperator(context: OperatorContext): Operator {
  return {
    resume: (id, key) => resumeSaga(context, id, key),
    retryNow: (id, key) => retrySaga(context, id, key),
    compensate: (id, waitMs, key) => compensateSaga(context, id, waitMs, key),
  };
}

/** `taken` returns a SagaRow; the intervention is written down if and only if it does. `key` is the place of its parameter. */
const intervention = (verb: string, key: string, taken: string) => `
  with before as (select id, parked from holdfast.sagas where id = $1::text),
  taken as (${taken} returning ${SAGA_ROW_COLUMNS}),
  noted as (
    insert into holdfast.saga_interventions (saga_id, epoch, verb, parked, key)
    select taken.id, taken.epoch, '${verb}', (select parked from before), ${key}::text from taken
  )
  select * from taken`;

/**
 * Of a parked saga. Where a participant's fence is too high, the saga passes it: a fence is never lowered (K4). The owner before
 * is shut out by the same update, as by any other.
 */
const FREED_EPOCH = `greatest(epoch, coalesce((parked ->> 'fenceEpoch')::bigint, 0)) + 1`;

/** Later than what was shown before, whatever this process's clock says. */
const changedAt = (now: string) => `greatest(changed_at + interval '1 millisecond', ${now}::timestamptz)`;

export const RESUME = statement(
  'saga.resume',
  intervention(
    'resume',
    '$5',
    `update holdfast.sagas
        set state = resume_state, resume_state = null, parked = null, owner_id = $2::bigint, epoch = ${FREED_EPOCH},
            revision = revision + 1, driven_at = clock_timestamp(), changed_at = ${changedAt('$4')}
      where id = $1::text and state = 'parked' and definition = any($3::text[])`,
  ),
);
export const RETRY = statement(
  'saga.retry-now',
  intervention(
    'retry',
    '$5',
    `update holdfast.sagas
        set state = case when state = 'waiting' then 'running' else state end, wake_at = null,
            revision = revision + (state = 'waiting')::integer,
            changed_at = case when state = 'waiting' then ${changedAt('$4')} else changed_at end,
            owner_id = $2::bigint, epoch = epoch + 1, driven_at = clock_timestamp()
      where id = $1::text and epoch = $3::bigint and state in ('running', 'compensating', 'waiting')`,
  ),
);
// The revision stands for everything that was read: position, definition and the state to resume in. That it is parked is
// said by what only parked sagas have: by its state, the list of parked sagas would be read instead of its key.
export const TURN_BACK = statement(
  'saga.turn-back-parked',
  intervention(
    'compensate',
    '$7',
    `update holdfast.sagas
        set state = 'compensating', failure = $5::jsonb, waiting = null, resume_state = null, parked = null, owner_id = $2::bigint,
            epoch = ${FREED_EPOCH}, revision = revision + 1, driven_at = clock_timestamp(),
            changed_at = ${changedAt('$6')}
      where id = $1::text and epoch = $3::bigint and revision = $4::integer
        and parked is not null and resume_state = 'running'`,
  ),
);
const FIND = statement(
  'saga.find-to-operate',
  `select id, definition, state, resume_state as "resumeState", position, outputs, failure, waiting, epoch, revision,
          changed_at as "changedAt"
     from holdfast.sagas where id = $1::text`,
);

type Found = SagaSnapshot & { resumeState: LiveState | null; epoch: number };

// A saga that has changed between the look and the update is looked at again; one that changes all the time is busy.
const LOOKS = 5;
const BUSY: NotHere = { kind: 'unavailable', detail: 'the saga changes faster than it can be adopted' };

/** Adopts a parked saga; null when it is not parked, or of another definition. */
export async function resumeParked(
  db: Database,
  id: string,
  ownerId: number,
  definitions: string[],
  now: Date,
  key: string | null = null,
): Promise<SagaRow | null> {
  const { rows } = await db.query<SagaRow>({ ...RESUME, values: [id, ownerId, definitions, now.toISOString(), key] });
  return rows[0] ?? null;
}

async function resumeSaga(context: OperatorContext, id: string, key: string | undefined): Promise<ResumeOutcome> {
  const definitions = [...context.definitions.keys()];
  const adopted = await adopt(context, id, (ownerId) =>
    resumeParked(context.db, id, ownerId, definitions, new Date(context.wallNow()), key),
  );
  if (adopted.kind !== 'changed')
    return adopted.kind === 'adopted' ? { kind: 'resumed', snapshot: adopted.snapshot } : adopted;
  const saga = await find(context, id);
  if (saga === null) return { kind: 'not_found' };
  return saga.state === 'parked' ? unknownDefinition(saga) : { kind: 'not_parked', state: saga.state };
}

async function retrySaga(context: OperatorContext, id: string, key: string | undefined): Promise<RetryOutcome> {
  for (let look = 1; look <= LOOKS; look++) {
    const run = context.find(id);
    if (run !== undefined) {
      run.retryNow();
      return { kind: 'resumed', snapshot: run.snapshot };
    }
    const saga = await find(context, id);
    if (saga === null) return { kind: 'not_found' };
    if (hasEnded(saga.state)) return { kind: 'ended', state: saga.state };
    if (!context.definitions.has(saga.definition)) return unknownDefinition(saga);
    if (saga.state === 'parked') {
      const resumed = await resumeSaga(context, id, key);
      if (resumed.kind === 'resumed') return { kind: 'resumed', snapshot: resumed.snapshot };
      if (resumed.kind !== 'not_parked') return resumed;
      continue;
    }
    const adopted = await adopt(context, id, async (ownerId) => {
      const now = new Date(context.wallNow()).toISOString();
      const { rows } = await context.db.query<SagaRow>({
        ...RETRY,
        values: [id, ownerId, saga.epoch, now, key ?? null],
      });
      return rows[0] ?? null;
    });
    if (adopted.kind === 'adopted') return { kind: 'resumed', snapshot: adopted.snapshot };
    if (adopted.kind !== 'changed') return adopted;
  }
  return BUSY;
}

async function compensateSaga(
  context: OperatorContext,
  id: string,
  waitMs: number,
  key: string | undefined,
): Promise<CompensateOutcome> {
  for (let look = 1; look <= LOOKS; look++) {
    const saga = await find(context, id);
    if (saga === null) return { kind: 'not_found' };
    if (hasEnded(saga.state)) return { kind: 'ended', state: saga.state };
    if (saga.state === 'compensating') return { kind: 'turning_back', snapshot: saga };
    const outcome =
      saga.state === 'parked' ? await turnBackParked(context, saga, key) : await cancelRunning(context, id, waitMs);
    if (outcome !== 'changed') return outcome;
  }
  return BUSY;
}

/** Its owner decides, as a checkpoint: no other process knows the outcome of its step. */
async function cancelRunning(
  context: OperatorContext,
  id: string,
  waitMs: number,
): Promise<CompensateOutcome | 'changed'> {
  const outcome = await context.cancel(id, waitMs);
  if (outcome.kind === 'cancelled') return { kind: 'ended', state: 'cancelled' };
  if (outcome.kind !== 'refused') return outcome;
  const { snapshot } = outcome;
  if (hasEnded(snapshot.state)) return { kind: 'ended', state: snapshot.state };
  return snapshot.state === 'parked' ? 'changed' : { kind: 'past_pivot', snapshot };
}

async function turnBackParked(
  context: OperatorContext,
  saga: Found,
  key: string | undefined,
): Promise<CompensateOutcome | 'changed'> {
  const definition = context.definitions.get(saga.definition);
  if (definition === undefined) return unknownDefinition(saga);
  if (saga.resumeState === 'compensating') {
    const resumed = await resumeSaga(context, saga.id, key);
    if (resumed.kind === 'not_parked') return 'changed';
    return resumed.kind === 'resumed' ? { kind: 'turning_back', snapshot: resumed.snapshot } : resumed;
  }
  const { position, epoch, revision } = saga;
  if (!mayTurnBack(definition, { state: 'running', position })) return { kind: 'past_pivot', snapshot: saga };
  const step = definition.steps[position]?.name ?? '';
  const failure: Failure = { step, reason: CANCELLED, message: 'turned back by an operator' };
  const adopted = await adopt(context, saga.id, async (ownerId) => {
    const values = [
      saga.id,
      ownerId,
      epoch,
      revision,
      JSON.stringify(failure),
      new Date(context.wallNow()).toISOString(),
      key ?? null,
    ];
    const { rows } = await context.db.query<SagaRow>({ ...TURN_BACK, values });
    return rows[0] ?? null;
  });
  if (adopted.kind === 'changed') return 'changed';
  return adopted.kind === 'adopted' ? { kind: 'turning_back', snapshot: adopted.snapshot } : adopted;
}

type Adopted = { kind: 'adopted'; snapshot: SagaSnapshot } | { kind: 'changed' } | NotHere;

/** A slot is taken first, so that no sweep of this process adopts the saga between the update and `run`. */
async function adopt(
  context: OperatorContext,
  id: string,
  update: (ownerId: number) => Promise<SagaRow | null>,
): Promise<Adopted> {
  const admission = context.admit(id);
  if (admission.kind !== 'admitted') return admission;
  try {
    const row = await update(admission.ownerId);
    if (row === null) return { kind: 'changed' };
    admission.run(row);
    return { kind: 'adopted', snapshot: snapshotOf(row) };
  } finally {
    admission.release();
  }
}

async function find({ db }: OperatorContext, id: string): Promise<Found | null> {
  const { rows } = await db.query<Found>({ ...FIND, values: [id] });
  return rows[0] ?? null;
}

function unknownDefinition({ definition }: SagaSnapshot): NotHere {
  return { kind: 'unavailable', detail: `this process does not know the definition ${definition}` };
}
