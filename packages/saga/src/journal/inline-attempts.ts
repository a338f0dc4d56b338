// The attempts that stand in a saga's own row. A row of saga_attempts costs the database as much as the checkpoint that it
// comes with, and nearly every attempt comes with one of the first few.
//
// Which ones: those of the first checkpoints that are short. It depends on the checkpoint alone, so that every copy of a flush
// says the same, and bounds the row without a look at it. Order and number of attempts are the reader's to put together.

import type { Attempt, AttemptRecord, Checkpoint } from './checkpoint.ts';

/** There and back again, for a saga of four steps. Any more are of a saga that has been operated on. */
const CHECKPOINTS = 8;
/** Of one checkpoint. */
const ATTEMPTS = 2;
/** Characters of their details together. */
const DETAILS = 200;

/** An attempt as it is stored: the last two are milliseconds before its checkpoint. */
type Stored = [
  epoch: number,
  seq: number,
  step: string,
  direction: AttemptRecord['direction'],
  attempt: number,
  outcome: AttemptRecord['outcome'],
  detail: string | null,
  startedAgoMs: number,
  endedAgoMs: number,
];
/** `atMs`: from the saga's start to the checkpoint. */
type Element = [atMs: number, attempts: Stored[]];

/** What the checkpoint adds to the row (see APPENDED); null when it has no attempts, or they belong in saga_attempts. */
export function attemptsForRow({ revision, attempts }: Checkpoint, now: number): string | null {
  if (attempts.length === 0 || attempts.length > ATTEMPTS || revision > CHECKPOINTS) return null;
  // Not the length of what is stored, which grows with the attempts' age.
  const details = attempts.reduce((sum, { detail }) => sum + (detail?.length ?? 0), 0);
  return details > DETAILS ? null : JSON.stringify(attempts.map((attempt) => stored(attempt, now)));
}

function stored(attempt: Attempt, now: number): Stored {
  const { epoch, seq, step, direction, outcome, detail } = attempt;
  const ago = (at: number) => Math.round((now - at) * 10) / 10;
  return [epoch, seq, step, direction, attempt.attempt, outcome, detail, ago(attempt.startedAt), ago(attempt.endedAt)];
}

/**
 * The column's new value for a row `s` and an entry `e`. A copy of a flush that was written already meets the entry's own
 * revision, and adds nothing.
 */
export const APPENDED = `case when e.attempts is null or s.revision = e.revision then s.inline_attempts
         else coalesce(s.inline_attempts || ',', '')
              || '[' || round(date_part('epoch', clock_timestamp() - s.started_at) * 1000)::bigint || ','
              || e.attempts || ']' end`;

export type NumberedAttempt = AttemptRecord & { seq: number };

/** What stands in a row, in the order of its checkpoints. */
export function attemptsOfRow(inlineAttempts: string | null, startedAt: Date): NumberedAttempt[] {
  const elements: Element[] = JSON.parse(`[${inlineAttempts ?? ''}]`);
  return elements.flatMap(([atMs, attempts]) => {
    const instant = (agoMs: number) => new Date(startedAt.getTime() + atMs - agoMs);
    return attempts.map(([epoch, seq, step, direction, attempt, outcome, detail, startedAgoMs, endedAgoMs]) => ({
      ...{ epoch, seq, step, direction, attempt, outcome, detail },
      startedAt: instant(startedAgoMs),
      endedAt: instant(endedAgoMs),
    }));
  });
}
