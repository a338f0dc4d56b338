import type { ActOutcome, RunnableStep, StepContext, UndoOutcome } from '../definition/definition.ts';
import type { Clock } from './ports.ts';

/** What one attempt came to, act or undo. */
export type AttemptOutcome = ActOutcome<unknown>;

export interface AttemptUnderWay {
  step: RunnableStep;
  direction: Direction;
  attempt: number;
  startedAt: number;
  /** Never rejects. */
  outcome: Promise<AttemptOutcome>;
  /** This process waits no longer. */
  giveUp(): void;
}

export type Direction = 'act' | 'undo';
type Context = StepContext<unknown, Record<string, unknown>>;

/**
 * One attempt at a step, bounded by `context.timeoutMs`. Whatever goes wrong means that the outcome is unknown (S4):
 * an exception may come before or after the effect, and a call that has not answered in time may still take effect.
 */
export function beginAttempt(
  step: RunnableStep,
  direction: Direction,
  context: Context,
  clock: Clock,
): AttemptUnderWay {
  const startedAt = clock.now();
  const { promise: outcome, resolve } = Promise.withResolvers<AttemptOutcome>();
  const late = () => resolve(unknown(`no answer within ${Math.ceil(context.timeoutMs)} ms`));
  const cancelTimer = clock.after(context.timeoutMs, late);
  const end = (ended: AttemptOutcome) => {
    cancelTimer();
    resolve(ended);
  };
  const answered = (answer: ActOutcome<unknown> | UndoOutcome) => end(known(step, direction, answer));
  call(step, direction, context).then(answered, (error: unknown) => end(thrown(error)));
  const giveUp = () => end(unknown('given up by this process'));
  return { step, direction, attempt: context.attempt, startedAt, outcome, giveUp };
}

/** What is thrown before anything is waited for is no other case. */
function call(step: RunnableStep, direction: Direction, context: Context): Promise<ActOutcome<unknown> | UndoOutcome> {
  try {
    if (direction === 'act') return Promise.resolve(step.act(context));
    if (step.undo === undefined) throw new Error(`step ${step.name} has no undo: it stands behind the pivot`);
    return Promise.resolve(step.undo(context));
  } catch (error) {
    return Promise.reject(error);
  }
}

function known(step: RunnableStep, direction: Direction, answer: ActOutcome<unknown> | UndoOutcome): AttemptOutcome {
  try {
    if (step.kind === 'retriable' && answer.kind === 'refused') {
      // Behind the pivot nothing can be turned back; the types forbid it, so a refusal here is a participant's fault.
      return unknown(`refused behind the pivot: ${answer.reason}`);
    }
    if (answer.kind !== 'completed') return answer;
    if (direction === 'undo' || !('output' in answer)) return { kind: 'completed', output: null };
    // What the next step sees must be what it would see after a crash: the value as it comes back from storage.
    const stored = JSON.stringify(answer.output) as string | undefined;
    return { kind: 'completed', output: stored === undefined ? null : JSON.parse(stored) };
  } catch (error) {
    return thrown(error);
  }
}

function unknown(detail: string): AttemptOutcome {
  return { kind: 'unknown', detail };
}

function thrown(error: unknown): AttemptOutcome {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return unknown(detail);
}

const DETAIL_MAX = 500;

/** An outcome's explanation for the journal: bounded, and without the character that Postgres cannot store. */
export function detailOf(outcome: AttemptOutcome): string | null {
  if (outcome.kind === 'completed') return null;
  const text = outcome.kind === 'refused' ? `${outcome.reason}: ${outcome.message}` : outcome.detail;
  return text.replaceAll('\u0000', '').slice(0, DETAIL_MAX);
}
