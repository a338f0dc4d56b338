// What is stored of a wait, and when it is due.

import { fullJitterMs } from '@holdfast/resilience';
import type { RunnableStep, SagaDefinition, StoredWait, Waiting } from '../definition/definition.ts';
import { DEADLINE_EXCEEDED, type Progress } from '../definition/transitions.ts';
import type { WaitTerms } from '../journal/checkpoint.ts';
import type { Failure } from '../journal/saga-row.ts';

/** How a saga stands when its step begins to wait. */
export interface Standing {
  /** The step's wait before this one; null when it is the first. */
  before: StoredWait | null;
  /** Until its deadline; 0 when that has passed. */
  leftMs: number;
  /** How many signals of the step its act has seen. */
  seen: number;
  mayTurnBack: boolean;
  /** By the clock that callers are shown. */
  wallNow: number;
}

export interface EnteredWait {
  waiting: StoredWait;
  terms: WaitTerms;
}

/** The act waits for something outside. The first wait of a step moves the deadline on, and no other. */
export function enterWait({ name: step, waits }: RunnableStep, outcome: Waiting, standing: Standing): EnteredWait {
  const { before, leftMs, seen, mayTurnBack, wallNow } = standing;
  const { reason, data = null, waitMs } = outcome;
  const { maxMs = 0 } = waits ?? {};
  const since = before?.since ?? instant(wallNow);
  const until = before?.until ?? instant(wallNow + leftMs + maxMs);
  const extendMs = before === null ? maxMs : null;
  const workMs = before?.leftMs ?? Math.ceil(leftMs);
  return {
    waiting: { step, reason, data, since, until, leftMs: workMs, mayTurnBack },
    terms: { waitMs, seen, extendMs, mayTurnBack },
  };
}

/** Attempts of one owner at a step that has waited, before it waits on. */
const QUICK_ATTEMPTS = 3;
/** Times the cap of the step's own backoff: how long it waits on at most. */
const MOST_CAPS = 32;

/**
 * A step that has waited is asked again, and nobody knows the answer: it waits on, so that in an outage sagas that have waited fill no
 * process. Null: try again here.
 */
export function waitOn(
  { retry: { capMs } }: RunnableStep,
  attempt: number,
  retryAfterMs: number,
  { before, leftMs, seen, mayTurnBack }: Standing,
  random: () => number,
): EnteredWait | null {
  // Without time left it would be due at once, and so for ever.
  if (before === null || leftMs === 0 || attempt < QUICK_ATTEMPTS) return null;
  const { unanswered = 0 } = before;
  const backOffMs = capMs + fullJitterMs({ baseMs: capMs, capMs: capMs * MOST_CAPS }, unanswered, random);
  const waitMs = Math.ceil(Math.max(retryAfterMs, backOffMs));
  return {
    waiting: { ...before, unanswered: unanswered + 1 },
    terms: { waitMs, seen, extendMs: null, mayTurnBack },
  };
}

const DELAY = 'DELAY';
/** More than a saga can have. */
const EVERY_SIGNAL = 2_147_483_647;

/** The step is sent later. It has not been started, so nothing that it is told ends that. */
export function enterDelay({ name: step }: RunnableStep, delayMs: number, standing: Standing): EnteredWait {
  const { wallNow, mayTurnBack, leftMs } = standing;
  const [since, until] = [instant(wallNow), instant(wallNow + delayMs)];
  return {
    waiting: { step, reason: DELAY, data: null, since, until, leftMs: Math.ceil(leftMs), mayTurnBack, isDelay: true },
    terms: { waitMs: delayMs, seen: EVERY_SIGNAL, extendMs: delayMs, mayTurnBack },
  };
}

/** What is left for the work once the step at `before` is done: what its wait has not used of its time is no time for that. */
export function leftAfter(before: Progress, after: Progress): number | null {
  const isDone = after.state === 'running' && after.position > before.position;
  return isDone && before.waiting !== null ? before.waiting.leftMs : null;
}

/** Why a saga whose deadline has passed turns back. @param waited what its step has waited for */
export function outOfTime(
  { deadlineMs }: SagaDefinition,
  { waits }: RunnableStep,
  waited: StoredWait | null,
): Omit<Failure, 'step'> {
  if (waited === null || waits === undefined)
    return { reason: DEADLINE_EXCEEDED, message: `not done within ${deadlineMs} ms` };
  const message = `${waited.reason}: still so after waiting for ${waits.maxMs} ms`;
  return { reason: waits.exceededReason ?? DEADLINE_EXCEEDED, message };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
