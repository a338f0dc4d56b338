import type { ActOutcome, RunnableStep, StepContext, UndoOutcome } from './definition.ts';
import type { Clock } from './ports.ts';

/** What one attempt came to, act or undo. */
export type AttemptOutcome = ActOutcome<unknown>;

// Made once: without a reason, every abort makes an exception with a stack of its own.
const ATTEMPT_ENDED = new Error('this attempt has ended');

type Context = StepContext<unknown, Record<string, unknown>>;

/**
 * One attempt at a step, bounded by `context.timeoutMs`. Whatever goes wrong means that the outcome is unknown (S4):
 * an exception may come before or after the effect, and a call that has not answered in time may still take effect.
 */
export async function attemptStep(
  step: RunnableStep,
  direction: 'act' | 'undo',
  context: Omit<Context, 'signal'>,
  abort: AbortController,
  clock: Clock,
): Promise<AttemptOutcome> {
  const signal = abort.signal;
  const call = direction === 'act' ? act(step, { ...context, signal }) : undo(step, { ...context, signal });
  let cancelTimer = () => {};
  const late = new Promise<AttemptOutcome>((resolve) => {
    cancelTimer = clock.after(context.timeoutMs, () =>
      resolve({ kind: 'unknown', detail: `no answer within ${Math.ceil(context.timeoutMs)} ms` }),
    );
    signal.addEventListener('abort', () => resolve({ kind: 'unknown', detail: 'given up by this process' }), {
      once: true,
    });
  });
  try {
    return await Promise.race([call.catch(thrown), late]);
  } finally {
    cancelTimer();
    // The participant may stop working for a caller that has stopped waiting.
    abort.abort(ATTEMPT_ENDED);
  }
}

async function act(step: RunnableStep, context: Context): Promise<AttemptOutcome> {
  const outcome = await step.act(context);
  if (step.kind === 'retriable' && outcome.kind === 'refused') {
    // Behind the pivot nothing can be turned back; the types forbid it, so a refusal here is a participant's fault.
    return { kind: 'unknown', detail: `refused behind the pivot: ${outcome.reason}` };
  }
  if (outcome.kind !== 'done') return outcome;
  // What the next step sees must be what it would see after a crash: the value as it comes back from storage.
  const stored = JSON.stringify(outcome.output) as string | undefined;
  return { kind: 'done', output: stored === undefined ? null : JSON.parse(stored) };
}

async function undo(step: RunnableStep, context: Context): Promise<AttemptOutcome> {
  if (step.undo === undefined) throw new Error(`step ${step.name} has no undo: it stands behind the pivot`);
  const outcome: UndoOutcome = await step.undo(context);
  return outcome.kind === 'done' ? { kind: 'done', output: null } : outcome;
}

function thrown(error: unknown): AttemptOutcome {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { kind: 'unknown', detail };
}

const DETAIL_MAX = 500;

/** An outcome's explanation for the journal: bounded, and without the character that Postgres cannot store. */
export function detailOf(outcome: AttemptOutcome): string | null {
  if (outcome.kind === 'done') return null;
  const text = outcome.kind === 'refused' ? `${outcome.reason}: ${outcome.message}` : outcome.detail;
  return text.replaceAll('\u0000', '').slice(0, DETAIL_MAX);
}
