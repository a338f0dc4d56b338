import {
  type ActOutcome,
  isDuration,
  type Refused,
  type RunnableStep,
  type StepContext,
  type UndoOutcome,
  type Waiting,
} from '../definition/definition.ts';
import type { Clock } from '../engine/ports.ts';

/** What one attempt came to, act or undo. */
export type AttemptOutcome = ActOutcome<unknown> | Waiting;

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
type Answer = ActOutcome<unknown> | Waiting | UndoOutcome;
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
  const answered = (answer: Answer) => end(known(step, direction, answer));
  call(step, direction, context).then(answered, (error: unknown) => end(thrown(error)));
  const giveUp = () => end(unknown('given up by this process'));
  return { step, direction, attempt: context.attempt, startedAt, outcome, giveUp };
}

/** What is thrown before anything is waited for is no other case. */
function call(step: RunnableStep, direction: Direction, context: Context): Promise<Answer> {
  try {
    if (direction === 'act') return Promise.resolve(step.act(context));
    if (step.undo === undefined) throw new Error(`step ${step.name} has no undo: it stands behind the pivot`);
    return Promise.resolve(step.undo(context));
  } catch (error) {
    return Promise.reject(error);
  }
}

function known(step: RunnableStep, direction: Direction, answer: Answer): AttemptOutcome {
  try {
    if (step.kind === 'retriable' && answer.kind === 'refused') {
      // Behind the pivot nothing can be turned back; the types forbid it, so a refusal here is a participant's fault.
      return unknown(`refused behind the pivot: ${answer.reason}`);
    }
    if (answer.kind === 'waiting') return wait(step, direction, answer);
    if (answer.kind === 'refused') return refusal(answer);
    if (answer.kind !== 'completed') return answer;
    if (direction === 'undo' || !('output' in answer)) return { kind: 'completed', output: null };
    // What the next step sees must be what it would see after a crash: the value as it comes back from storage.
    return { kind: 'completed', output: asStored(answer.output) };
  } catch (error) {
    return thrown(error);
  }
}

const REASON_MAX = 200;
const DATA_MAX = 16_384;

/** The types forbid most of what is refused here; it comes from outside all the same. */
function wait(step: RunnableStep, direction: Direction, { reason, data, waitMs }: Waiting): AttemptOutcome {
  if (direction === 'undo') return unknown('an undo can’t wait');
  if (step.waits === undefined) return unknown(`${step.name} can’t wait: its step does not declare \`waits\``);
  if (typeof reason !== 'string' || reason === '' || reason.length > REASON_MAX)
    return unknown(`a wait needs a reason of 1 to ${REASON_MAX} characters`);
  if (!isDuration(waitMs)) return unknown('waitMs of a wait must be a positive number of milliseconds');
  const stored = asStored(data);
  if (isTooLong(stored)) return unknown(`data of a wait is over ${DATA_MAX} characters of JSON`);
  return { kind: 'waiting', reason, data: stored, waitMs: Math.ceil(waitMs) };
}

/** Final whatever comes with it (S5): data that can't be stored is left out, and the message says so. */
function refusal(answer: Refused): AttemptOutcome {
  const { reason, message, data } = answer;
  if (data === undefined) return answer;
  const stored = storableData(data);
  if (stored === undefined) return { kind: 'refused', reason, message: `${message} (${UNSTORABLE})` };
  return { kind: 'refused', reason, message, data: stored };
}

const UNSTORABLE = `its data is left out: it is no JSON of at most ${DATA_MAX} characters`;

function storableData(data: unknown): unknown {
  try {
    const stored = asStored(data);
    return isTooLong(stored) ? undefined : stored;
  } catch {
    // A circle, a bigint: the message says that there was something.
    return undefined;
  }
}

function isTooLong(stored: unknown): boolean {
  return JSON.stringify(stored).length > DATA_MAX;
}

/** The value as it comes back from storage. */
function asStored(value: unknown): unknown {
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? null : JSON.parse(json);
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
  return explanation(outcome).replaceAll('\u0000', '').slice(0, DETAIL_MAX);
}

function explanation(outcome: Exclude<AttemptOutcome, { kind: 'completed' }>): string {
  if (outcome.kind === 'refused') return `${outcome.reason}: ${outcome.message}`;
  // Its data is for the client alone: it may hold a secret of theirs.
  return outcome.kind === 'waiting' ? outcome.reason : outcome.detail;
}
