// The statement of a flush, and what is sent with it. Upholds, with checkpoint-writer.ts:
// S2 `owner_id`, `epoch` and `revision` are compared in the update itself, which no other can come between.
// S1 A copy of a flush that was written states the same once more. What is added to a row (inline-attempts.ts) is added under
//    a revision that is new to it, and an attempt's key is in saga_attempts once.
// S7 A wait is due at once when its saga has a signal that its act has not seen, or a cancel: both are written to the row that
//    this update writes, so whichever comes second sees the first.

import { type Statement, statement } from '@holdfast/postgres';
import type { Attempt, Checkpoint, CommitHook, WaitTerms } from './checkpoint.ts';
import { APPENDED, attemptsForRow } from './inline-attempts.ts';
import { hasEnded } from './saga-row.ts';

// Whether an attempt's saga is ours is asked by a scalar select: `exists` may be answered from a hash of the whole table.
const JOURNALLED = `, journalled as (
  insert into holdfast.saga_attempts
    (saga_id, epoch, seq, step, direction, attempt, outcome, detail, started_at, ended_at)
  select a.saga_id, a.epoch, a.seq, a.step, a.direction, a.attempt, a.outcome, a.detail,
         clock_timestamp() - a.started_ago_ms * interval '1 millisecond',
         clock_timestamp() - a.ended_ago_ms * interval '1 millisecond'
    from unnest($13::text[], $14::bigint[], $15::integer[], $16::text[], $17::text[], $18::integer[], $19::text[],
                $20::text[], $21::float8[], $22::float8[], $23::boolean[])
      as a(saga_id, epoch, seq, step, direction, attempt, outcome, detail, started_ago_ms, ended_ago_ms, alone)
   where case when a.alone
              then (select true from holdfast.sagas s
                     where s.id = a.saga_id and s.owner_id = $1::bigint and s.epoch = a.epoch)
              else a.saga_id in (select id from written) end
  on conflict (saga_id, epoch, seq) do nothing
)`;

// On with a step's first wait, back when that step is done, each once: a copy of the flush meets its own revision.
const DEADLINE_AT = `case when s.revision < e.revision and e.setback -> 'wait' ? 'extendMs'
         then greatest(s.deadline_at, clock_timestamp())
              + (e.setback -> 'wait' ->> 'extendMs')::integer * interval '1 millisecond'
         when s.revision < e.revision and e.setback ? 'leftMs'
         then least(s.deadline_at, clock_timestamp() + (e.setback ->> 'leftMs')::float8 * interval '1 millisecond')
         else s.deadline_at end`;
const WAKE_AT = `case
         when e.state <> 'waiting' then null
         when s.revision = e.revision then s.wake_at
         when coalesce((s.signals ->> (e.setback -> 'waiting' ->> 'step'))::integer, 0)
              > (e.setback -> 'wait' ->> 'seen')::integer then clock_timestamp()
         when e.setback -> 'wait' ? 'seenOf' and coalesce(s.signals, '{}') <> e.setback -> 'wait' -> 'seenOf'
         then clock_timestamp()
         when s.cancel_requested_at is not null and (e.setback -> 'wait' ->> 'mayTurnBack')::boolean then clock_timestamp()
         else least(clock_timestamp() + (e.setback -> 'wait' ->> 'waitMs')::integer * interval '1 millisecond',
              ${DEADLINE_AT}) end`;

// Some conditions are always true: they only make the planner expect fewer rows, see fewRowsHint() of @holdfast/postgres.
// Sent unprepared unless the pool is made for it. A prepared statement may settle on a generic plan, and one made while the table was
// still empty scans it whole, for every flush until the next analyze: 1,480 ms for 50 checkpoints among 100,000 sagas,
// where a plan made for the flush takes 0.5 ms and 0.4 ms to make.
/** @param journals with rows for saga_attempts: few flushes have any, and an insert of none costs as much as ten checkpoints */
function flushSql(hook: CommitHook | undefined, journals: boolean): string {
  return `/* saga.flush-checkpoints${hook ? `+${hook.name}` : ''} */
with entries as (
  select * from unnest($2::text[], $3::bigint[], $4::integer[], $5::text[], $6::integer[], $7::text[], $8::jsonb[],
                       $9::boolean[], $10::text[], $11::text[], $12::timestamptz[])
    as e(id, epoch, revision, state, "position", outputs, setback, ended, payload, attempts, changed_at)
   where e.epoch >= 0 and e.revision >= 0
), written as (
  update holdfast.sagas s
     set state = e.state, "position" = e."position", outputs = e.outputs::jsonb, failure = e.setback -> 'failure',
         parked = case when e.setback ? 'parked'
                       then e.setback -> 'parked' || jsonb_build_object('at', clock_timestamp()) end,
         resume_state = e.setback ->> 'resumeState', revision = e.revision, changed_at = e.changed_at,
         driven_at = clock_timestamp(),
         ended_at = case when e.ended then coalesce(s.ended_at, clock_timestamp()) end,
         inline_attempts = ${APPENDED},
         waiting = e.setback -> 'waiting', deadline_at = ${DEADLINE_AT},
         wake_at = ${WAKE_AT}
    from entries e
   where s.id = e.id and s.owner_id = $1::bigint and s.epoch = e.epoch and s.revision <= e.revision
  returning s.id, s.state, e.ended, e.payload, s.cancel_requested_at is not null as cancel_requested,
            s.wake_at <= clock_timestamp() as due
)${journals ? JOURNALLED : ''}${hook ? `, hook as (${hook.text})` : ''}${hook?.beside ? `, beside as (${hook.beside})` : ''}
select id, cancel_requested, false as stored_by_hook, due from written${hook?.returnsStored ? ' union all select id, null, true, null from hook' : ''}`;
}

/** As they are sent: without and with rows for saga_attempts. A commit hook is part of the text, so of the name as well. */
export function flushStatements(hook: CommitHook | undefined): [checkpoints: Statement, andJournal: Statement] {
  const ending = hook === undefined ? '' : `+${hook.name}`;
  return [
    statement(`saga.flush-checkpoints${ending}`, flushSql(hook, false)),
    statement(`saga.flush-and-journal${ending}`, flushSql(hook, true)),
  ];
}

export interface FlushValues {
  /** `$2` to `$12` */
  entries: unknown[][];
  /** `$13` to `$23`; null when nothing goes to saga_attempts. */
  journal: unknown[][] | null;
}

/** @param alone attempts that come without a checkpoint */
export function flushValues(checkpoints: Checkpoint[], alone: Attempt[], now: number, withHook: boolean): FlushValues {
  const forRow = checkpoints.map((checkpoint) => attemptsForRow(checkpoint, now));
  const others = checkpoints.flatMap(({ attempts }, index) => (forRow[index] === null ? attempts : []));
  const entries = [
    checkpoints.map(({ id }) => id),
    checkpoints.map(({ epoch }) => epoch),
    checkpoints.map(({ revision }) => revision),
    checkpoints.map(({ state }) => state),
    checkpoints.map(({ position }) => position),
    checkpoints.map(({ outputs }) => JSON.stringify(outputs)),
    checkpoints.map(setback),
    checkpoints.map(({ state }) => hasEnded(state)),
    checkpoints.map(({ payload }) => (withHook ? payload : null)),
    forRow,
    checkpoints.map(({ changedAt }) => changedAt.toISOString()),
  ];
  const isEmpty = others.length + alone.length === 0;
  return { entries, journal: isEmpty ? null : journalValues(others, alone, now) };
}

/** What a saga that only goes forward has nothing of, in one column: each costs every entry its part in the list. */
function setback({ failure, parked, resumeState, waiting, wait, leftMs }: Checkpoint): string | null {
  if (failure === null && parked === null && resumeState === null && waiting === null && leftMs === null) return null;
  return JSON.stringify({
    ...(failure && { failure }),
    ...(parked && { parked }),
    ...(resumeState && { resumeState }),
    ...(waiting && { waiting }),
    ...(wait && { wait: termsOf(wait) }),
    ...(leftMs !== null && { leftMs }),
  });
}

function termsOf({ extendMs, ...terms }: WaitTerms): object {
  return extendMs === null ? terms : { ...terms, extendMs };
}

function journalValues(withCheckpoint: Attempt[], alone: Attempt[], now: number): unknown[][] {
  const attempts = [...withCheckpoint, ...alone];
  return [
    attempts.map(({ sagaId }) => sagaId),
    attempts.map(({ epoch }) => epoch),
    attempts.map(({ seq }) => seq),
    attempts.map(({ step }) => step),
    attempts.map(({ direction }) => direction),
    attempts.map(({ attempt }) => attempt),
    attempts.map(({ outcome }) => outcome),
    attempts.map(({ detail }) => detail),
    // As ages, so that the journal's instants are by the database's clock alone.
    attempts.map(({ startedAt }) => now - startedAt),
    attempts.map(({ endedAt }) => now - endedAt),
    attempts.map((_, index) => index >= withCheckpoint.length),
  ];
}
