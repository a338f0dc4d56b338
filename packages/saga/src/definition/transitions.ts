import type { EndState, Failure, LiveState, Parked, SagaState } from '../journal/saga-row.ts';
import type { RunnableStep, SagaDefinition, StoredWait } from './definition.ts';

/** The part of a saga that its checkpoints change. */
export interface Progress {
  state: SagaState;
  position: number;
  outputs: Record<string, unknown>;
  failure: Failure | null;
  parked: Parked | null;
  resumeState: LiveState | null;
  /** Of the step at `position`: kept while it is asked again, until the saga moves on or turns back. */
  waiting: StoredWait | null;
}

/** What is to be done with a saga as it is stored: of a group, with several steps at once. */
export type Next = { kind: 'act' | 'undo'; steps: readonly RunnableStep[] } | { kind: 'ended' };

/** The failure reasons that the engine itself gives; all others come from refusals. */
export const CANCELLED = 'CANCELLED';
export const DEADLINE_EXCEEDED = 'DEADLINE_EXCEEDED';

/** @throws Error when the stored position fits no step of the definition */
export function whatNext(definition: SagaDefinition, { state, position, outputs }: Progress): Next {
  if (state !== 'running' && state !== 'compensating') return { kind: 'ended' };
  const step = definition.steps[position];
  if (step === undefined) {
    throw new Error(
      `a saga is ${state} at step ${position}, but definition ${definition.name} has ${definition.steps.length} steps: ` +
        'steps may be added to a definition only under a new definition name',
    );
  }
  if (step.group === undefined) return { kind: state === 'running' ? 'act' : 'undo', steps: [step] };
  const members = groupOf(definition, step.group);
  // S3: whichever of them was started, all are undone. One whose output is stored need not be asked again.
  if (state === 'compensating') return { kind: 'undo', steps: members };
  return { kind: 'act', steps: members.filter(({ name }) => !Object.hasOwn(outputs, name)) };
}

function groupOf({ steps }: SagaDefinition, position: number): RunnableStep[] {
  return steps.filter(({ group }) => group === position);
}

/** Until the pivot is known to be done, the saga may still turn back. */
export function mayTurnBack(
  definition: SagaDefinition,
  { state, position }: Pick<Progress, 'state' | 'position'>,
): boolean {
  const isForward = state === 'running' || state === 'waiting';
  return isForward && (definition.pivotIndex === -1 || position <= definition.pivotIndex);
}

/** The act at `position` is done, or all of a group. The last one's checkpoint ends the saga as well: one commit, not two. */
export function acted(definition: SagaDefinition, before: Progress, answered: Record<string, unknown>): Progress {
  const progress = knowing(before, answered);
  const isGroup = definition.steps[progress.position]?.group !== undefined;
  const position = progress.position + (isGroup ? groupOf(definition, progress.position).length : 1);
  const state = position === definition.steps.length ? 'completed' : 'running';
  return { ...progress, position, state, waiting: null };
}

/** Some steps are known to be done. */
export function knowing(progress: Progress, answered: Record<string, unknown>): Progress {
  return { ...progress, outputs: { ...progress.outputs, ...answered } };
}

/** The act at `position` waits for something outside; nobody owns the saga until it is woken. */
export function waited(progress: Progress, waiting: StoredWait): Progress {
  return { ...progress, state: 'waiting', waiting };
}

/** From now on the saga undoes; `position` stays, since what stands there may have been started, a waiting one was (S3). */
export function turnedBack(progress: Progress, failure: Failure): Progress {
  return { ...progress, state: 'compensating', failure, waiting: null };
}

/** The step at `position` is undone, or all of the group that begins there. */
export function undone(definition: SagaDefinition, progress: Progress): Progress {
  const before = progress.position - 1;
  const position = definition.steps[before]?.group ?? before;
  return { ...progress, position, state: position < 0 ? endOf(progress.failure) : 'compensating' };
}

/** `progress` is what is stored now; an operator's resume goes on from there. */
export function parkedAt(progress: Progress, parked: Parked): Progress {
  const resumeState = progress.state === 'compensating' ? 'compensating' : 'running';
  return { ...progress, state: 'parked', parked, resumeState };
}

function endOf(failure: Failure | null): EndState {
  return failure?.reason === CANCELLED ? 'cancelled' : 'failed';
}
