// What the strands of one place have come to, together: the gravest end decides.

import type { RunnableStep, StoredWait } from '../definition/definition.ts';
import type { ActEnd, UndoEnd } from './step-strand.ts';
import { type Waiter, waitOfStep } from './wait-terms.ts';

type Grave = 'dropped' | 'fenced' | 'refused' | 'turning_back' | 'exhausted';
/** A saga that is in other hands decides nothing any more; a refusal is final, so it comes before a reason to turn back. */
const GRAVITY: Record<Grave, number> = { dropped: 0, fenced: 1, refused: 2, turning_back: 3, exhausted: 4 };

export type GraveEnd<End extends ActEnd | UndoEnd> = { step: RunnableStep; end: Extract<End, { kind: Grave }> };

/** Of two of one kind, the step that has waited: what it waited for is why its time is over. Null: none is grave. */
export function gravest<End extends ActEnd | UndoEnd>(
  steps: readonly RunnableStep[],
  ends: readonly End[],
  waiting: StoredWait | null,
): GraveEnd<End> | null {
  let [found, rank]: [GraveEnd<End> | null, number] = [null, Number.POSITIVE_INFINITY];
  for (const [at, step] of steps.entries()) {
    const end = ends[at];
    if (end === undefined || !isGrave(end)) continue;
    const own = GRAVITY[end.kind as Grave] + (waitOfStep(waiting, step.name) === null ? 0.5 : 0);
    if (own >= rank) continue;
    [found, rank] = [{ step, end }, own];
  }
  return found;
}

function isGrave<End extends ActEnd | UndoEnd>(end: End): end is Extract<End, { kind: Grave }> {
  return end.kind in GRAVITY;
}

/** By step name: what those that are done have answered. */
export function answersOf(steps: readonly RunnableStep[], ends: readonly ActEnd[]): Record<string, unknown> {
  const answers: Record<string, unknown> = {};
  for (const [at, { name }] of steps.entries()) {
    const end = ends[at];
    if (end?.kind === 'completed') answers[name] = end.output;
  }
  return answers;
}

export function waitersOf(steps: readonly RunnableStep[], ends: readonly ActEnd[]): Waiter[] {
  return steps.flatMap((step, at) => {
    const end = ends[at];
    return end?.kind === 'waiting' || end?.kind === 'waits_on' ? [{ step, outcome: end.outcome }] : [];
  });
}
