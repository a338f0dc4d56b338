/*
 * Three common ways to write a saga, as their own documentation shows them (docs/why.md names it). Each is its logic
 * alone: durable activities, keys, participants and their seals are those of Holdfast, which is more than most have.
 */
import type { RunnableStep } from '@holdfast/saga';
import type { Activities, Patience } from './activities.ts';

export type End = 'completed' | 'failed';
export type Pattern = (steps: readonly RunnableStep[], activities: Activities) => Promise<End>;

/** An activity has three seconds, within which it is tried again after one, then two, ... */
const THREE_SECONDS: Patience = { attempts: Number.POSITIVE_INFINITY, withinMs: 3_000, waitMs: 1_000 };
const FOUR_ATTEMPTS: Patience = { attempts: 4, withinMs: Number.POSITIVE_INFINITY, waitMs: 250 };
const ONE_ATTEMPT: Patience = { attempts: 1, withinMs: Number.POSITIVE_INFINITY, waitMs: 0 };

/** An undo is put on the list once its act has succeeded; on an error the list is run, and its errors are swallowed. */
const undoRegisteredAfterTheAct: Pattern = async (steps, activities) => {
  const undos: (() => Promise<unknown>)[] = [];
  for (const step of steps) {
    const outcome = await activities.act(step, THREE_SECONDS);
    if (outcome.kind !== 'completed') {
      for (const undo of undos) await undo();
      return 'failed';
    }
    undos.unshift(() => activities.undo(step, THREE_SECONDS));
  }
  return 'completed';
};

/** Tasks have states; when one fails, those that are completed are undone in reverse, until an undo fails for good. */
const undoOfCompletedTasks: Pattern = async (steps, activities) => {
  const states = new Map<string, 'completed' | 'failed'>();
  for (const step of steps) {
    const { kind } = await activities.act(step, FOUR_ATTEMPTS);
    states.set(step.name, kind === 'completed' ? 'completed' : 'failed');
    if (kind !== 'completed') break;
  }
  if ([...states.values()].every((state) => state === 'completed')) return 'completed';
  for (const step of steps.filter(({ name }) => states.get(name) === 'completed').reverse()) {
    const { kind } = await activities.undo(step, FOUR_ATTEMPTS);
    if (kind !== 'completed') break;
  }
  return 'failed';
};

/** Every error of a task, its time-out among them, leads to the undo of the task before it, and so on down. */
const timeOutMeansFailure: Pattern = async (steps, activities) => {
  for (const [at, step] of steps.entries()) {
    const outcome = await activities.act(step, ONE_ATTEMPT);
    if (outcome.kind === 'completed') continue;
    for (const before of steps.slice(0, at).reverse()) {
      const { kind } = await activities.undo(before, FOUR_ATTEMPTS);
      if (kind !== 'completed') break;
    }
    return 'failed';
  }
  return 'completed';
};

export const PATTERNS = {
  'undo-registered-after-the-act': undoRegisteredAfterTheAct,
  'undo-of-completed-tasks': undoOfCompletedTasks,
  'time-out-means-failure': timeOutMeansFailure,
} as const satisfies Record<string, Pattern>;
export type PatternName = keyof typeof PATTERNS;

export const WAYS = ['holdfast', ...(Object.keys(PATTERNS) as PatternName[])] as const;
export type Way = (typeof WAYS)[number];
