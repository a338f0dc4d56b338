/* The calls of a saga's steps, with one fault in the way of one of them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunnableStep, SagaDefinition, Unknown } from '@holdfast/saga';

/** What may happen to the first call of one direction of a step. */
export const CALL_FAULTS = [
  /** It never arrives. */
  'request-lost',
  /** It is done, and nobody hears of it. */
  'reply-lost',
  /** It arrives twice at once. */
  'duplicated',
  /** It arrives after its caller has stopped waiting. */
  'late',
  /** Nothing of this act arrives until its undo has been answered; then it does. */
  'overtaken',
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

type Step = SagaDefinition['steps'][number];
type Context = Parameters<RunnableStep['act']>[0];
type Call<Outcome> = (context: Context) => Promise<Outcome>;

const LATE_MS = 150;
const UNHEARD: Unknown = { kind: 'unknown', detail: 'no answer, as this case wants it' };

export class BadCalls {
  /** Whether the fault has struck. */
  struck = false;
  readonly #planned: { step: string; direction: 'act' | 'undo'; fault: CallFault } | null;
  /** Calls that their caller has given up, and that are still on their way. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #undone = Promise.withResolvers<void>();

  constructor(planned: { step: string; direction: 'act' | 'undo'; fault: CallFault } | null) {
    this.#planned = planned;
  }

  over(steps: readonly RunnableStep[]): Step[] {
    return steps.map((step) => {
      const { act, undo } = step;
      return {
        ...step,
        act: (context) => this.#call(step.name, 'act', act, context),
        ...(undo !== undefined && { undo: (context) => this.#call(step.name, 'undo', undo, context) }),
      };
    });
  }

  /** Resolves when every call has arrived after all. The saga must have ended. */
  async quiet(): Promise<void> {
    this.#undone.resolve();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #call<Outcome>(
    step: string,
    direction: 'act' | 'undo',
    call: Call<Outcome>,
    given: Context,
  ): Promise<Outcome | Unknown> {
    const planned = this.#planned;
    // A call that has left is not called back when its caller stops waiting.
    const context = { ...given, signal: new AbortController().signal };
    if (planned === null || planned.step !== step) return await call(given);
    if (planned.fault === 'overtaken') {
      if (direction === 'act') return this.#later(this.#undone.promise, () => call(context));
      const outcome = await call(given);
      this.#undone.resolve();
      return outcome;
    }
    if (planned.direction !== direction || this.struck) return await call(given);
    this.struck = true;
    switch (planned.fault) {
      case 'request-lost':
        return UNHEARD;
      case 'reply-lost':
        await call(context);
        return UNHEARD;
      case 'duplicated':
        return (await Promise.all([call(context), call(context)]))[0];
      case 'late':
        return this.#later(delay(LATE_MS), () => call(context));
    }
  }

  #later(when: Promise<void>, call: () => Promise<unknown>): Unknown {
    this.struck = true;
    // Nobody waits for it; what it did or did not do, the auditor sees.
    const arriving: Promise<unknown> = when
      .then(call)
      .catch(() => undefined)
      .finally(() => this.#underWay.delete(arriving));
    this.#underWay.add(arriving);
    return UNHEARD;
  }
}
