import { statement } from '@holdfast/postgres';
import type { StoredWait } from '../definition/definition.ts';
import type { Database } from '../engine/ports.ts';
import type { AttemptRecord } from './checkpoint.ts';
import { attemptsOfRow, type NumberedAttempt } from './inline-attempts.ts';
import type { Failure, LiveState, Parked, SagaSnapshot, SagaState } from './saga-row.ts';

/** A saga as it is stored, without its input, which may hold personal data. */
export interface SagaRecord {
  id: string;
  definition: string;
  state: SagaState;
  position: number;
  outputs: Record<string, unknown>;
  failure: Failure | null;
  parked: (Parked & { at: string }) | null;
  /** What its step waits for; see SagaSnapshot. */
  waiting: StoredWait | null;
  /** When a waiting saga is taken up again at the latest, by the database's clock. */
  wakeAt: Date | null;
  /** How many signals it has been sent, by step. */
  signals: Record<string, number> | null;
  /** The state that a resume goes on in. */
  resumeState: LiveState | null;
  ownerId: number;
  epoch: number;
  revision: number;
  cancelRequestedAt: Date | null;
  deadlineAt: Date;
  startedAt: Date;
  changedAt: Date;
  endedAt: Date | null;
  /** The latest ones, oldest first. */
  attempts: AttemptRecord[];
  attemptCount: number;
  /** What operators have done, the latest ones, oldest first. */
  interventions: Intervention[];
}

/** A verb of an operator that took the saga over. */
export interface Intervention {
  verb: 'resume' | 'retry' | 'compensate';
  /** The one that it gave the saga. */
  epoch: number;
  /** Why the saga was parked then; null when it was not. */
  parked: (Parked & { at: string }) | null;
  /** What it was asked for under; null without one. */
  key: string | null;
  at: Date;
}

const READ_SAGA = statement(
  'saga.read',
  `select id, definition, state, position, outputs, failure, parked, waiting, wake_at as "wakeAt", signals,
          resume_state as "resumeState", owner_id as "ownerId", epoch, revision, cancel_requested_at as "cancelRequestedAt",
          deadline_at as "deadlineAt", started_at as "startedAt", changed_at as "changedAt", ended_at as "endedAt",
          inline_attempts as "inlineAttempts",
          (select count(*) from holdfast.saga_attempts a where a.saga_id = sagas.id) as "laterAttempts"
     from holdfast.sagas where id = $1::text`,
);
const READ_ATTEMPTS = statement(
  'saga.read-attempts',
  `select step, direction, attempt, epoch, seq, outcome, detail, started_at as "startedAt", ended_at as "endedAt"
     from holdfast.saga_attempts where saga_id = $1::text order by epoch desc, seq desc limit $2::integer`,
);
const READ_INTERVENTIONS = statement(
  'saga.read-interventions',
  `select verb, epoch, parked, key, at from holdfast.saga_interventions
    where saga_id = $1::text order by epoch desc limit $2::integer`,
);
const READ_SNAPSHOT = statement(
  'saga.read-snapshot',
  `select id, definition, state, position, outputs, failure, waiting, revision, changed_at as "changedAt"
     from holdfast.sagas where id = $1::text`,
);

type StoredSaga = Omit<SagaRecord, 'attempts' | 'attemptCount' | 'interventions'> & {
  inlineAttempts: string | null;
  laterAttempts: number;
};

/** The saga with its latest attempts and interventions (at most `limit` of each), or null when there is none of that id. */
export async function readSaga(db: Database, id: string, limit = 200): Promise<SagaRecord | null> {
  const [sagas, attempts, interventions] = await Promise.all([
    db.query<StoredSaga>({ ...READ_SAGA, values: [id] }),
    db.query<NumberedAttempt>({ ...READ_ATTEMPTS, values: [id, limit] }),
    db.query<Intervention>({ ...READ_INTERVENTIONS, values: [id, limit] }),
  ]);
  if (sagas.rows[0] === undefined) return null;
  const { inlineAttempts, laterAttempts, ...saga } = sagas.rows[0];
  const first = attemptsOfRow(inlineAttempts, saga.startedAt);
  return {
    ...saga,
    attempts: inOrder([...first, ...attempts.rows]).slice(-limit),
    attemptCount: first.length + laterAttempts,
    interventions: interventions.rows.reverse(),
  };
}

/** Each owner numbers its own attempts. */
function inOrder(attempts: NumberedAttempt[]): AttemptRecord[] {
  const sorted = attempts.toSorted((a, b) => a.epoch - b.epoch || a.seq - b.seq);
  return sorted.map(({ seq, ...attempt }) => attempt);
}

/** What `subscribe` publishes, as it is stored now; null when there is no saga of that id. */
export async function readSnapshot(db: Database, id: string): Promise<SagaSnapshot | null> {
  const { rows } = await db.query<SagaSnapshot>({ ...READ_SNAPSHOT, values: [id] });
  return rows[0] ?? null;
}
