// What is stored of a wait, and when it is due.

import { fullJitterMs } from '@holdfast/resilience';
import type { RunnableStep, SagaDefinition, StoredWait, Unknown, Waiting } from '../definition/definition.ts';
import { DEADLINE_EXCEEDED, type Progress } from '../definition/transitions.ts';
import type { WaitTerms } from '../journal/checkpoint.ts';
import type { Failure } from '../journal/saga-row.ts';

/** How a saga stands when its step begins to wait. */
export interface Standing {
  /** The wait before this one; null when it is the first at this place. */
  before: StoredWait | null;
  /** Until its deadline; 0 when that has passed. */
  leftMs: number;
  /** How many signals of the step its act has seen. */
  seen: number;
  /** Of a group: all that the saga had when it was taken, by step. */
  seenOf: Record<string, number> | null;
  /** How long a step at this place may wait: the longest of them. */
  maxMs: number;
  mayTurnBack: boolean;
  /** By the clock that callers are shown. */
  wallNow: number;
}

export interface EnteredWait {
  waiting: StoredWait;
  terms: WaitTerms;
}

/** A step that waits, or waits on: nobody knows what it would have answered. */
export interface Waiter {
  step: RunnableStep;
  outcome: Waiting | Unknown;
}

/** Times the cap of the step's own backoff: how long a step that has waited waits on at most. */
const MOST_CAPS = 32;
/** What a step waits for that has no wait of its own, beside one that has. */
const UNANSWERED = 'UNANSWERED';

/**
 * Acts wait for something outside: one, or several of a group. The first wait at a place moves the deadline on, and no other. A step
 * that has waited and is asked in vain waits on, so that in an outage sagas that have waited fill no process.
 */
export function enterWait(waiters: readonly Waiter[], standing: Standing, random: () => number): EnteredWait {
  const { before, leftMs, seen, seenOf, maxMs, mayTurnBack, wallNow } = standing;
  const since = before?.since ?? instant(wallNow);
  const until = before?.until ?? instant(wallNow + leftMs + maxMs);
  const extendMs = before === null ? maxMs : null;
  const workMs = before?.leftMs ?? Math.ceil(leftMs);
  const waits = waiters.map((waiter) => ({ step: waiter.step.name, ...waitOf(waiter, before, random) }));
  const [shown, ...others] = waits.map(({ waitMs: _, ...wait }) => wait).toSorted((a, b) => rankOf(a) - rankOf(b));
  if (shown === undefined) throw new Error('nothing waits');
  const beside = Object.fromEntries(others.map(({ step, ...wait }) => [step, wait]));
  return {
    waiting: {
      ...shown,
      ...{ since, until, leftMs: workMs, mayTurnBack },
      ...(others.length > 0 && { beside }),
    },
    terms: {
      waitMs: Math.min(...waits.map(({ waitMs }) => waitMs)),
      ...{ seen, extendMs, mayTurnBack },
      ...(seenOf !== null && { seenOf }),
    },
  };
}

/** What a client can do something about is shown first. */
const rankOf = ({ reason }: { reason: string }) => Number(reason === UNANSWERED);

function waitOf({ step, outcome }: Waiter, before: StoredWait | null, random: () => number) {
  if (outcome.kind === 'waiting') return { reason: outcome.reason, data: outcome.data ?? null, waitMs: outcome.waitMs };
  const own = waitOfStep(before, step.name);
  const { unanswered = 0 } = own ?? {};
  const { capMs } = step.retry;
  const backOffMs = capMs + fullJitterMs({ baseMs: capMs, capMs: capMs * MOST_CAPS }, unanswered, random);
  const waitMs = Math.ceil(Math.max(outcome.retryAfterMs ?? 0, backOffMs));
  return { reason: own?.reason ?? UNANSWERED, data: own?.data ?? null, unanswered: unanswered + 1, waitMs };
}

/** What one step waits for, of all that wait at the same place. */
export function waitOfStep(waiting: StoredWait | null, step: string): StoredWait | null {
  if (waiting === null) return null;
  const { beside = {}, ...shown } = waiting;
  if (shown.step === step) return shown;
  const { unanswered: _, ...shared } = shown;
  return beside[step] === undefined ? null : { ...shared, ...beside[step], step };
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
