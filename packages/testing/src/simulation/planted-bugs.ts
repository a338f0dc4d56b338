// Bugs planted on purpose, to see that the simulation finds them. Those of the engine are one change each in its real
// source, made while it is loaded; those of tables and participants, which are modelled, are switches of the model.
// None of this is known to the code in production.

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What the models do otherwise when a bug is planted. */
export interface Switches {
  unfencedParticipants?: boolean;
  noSeal?: boolean;
  refusalsForgotten?: boolean;
  intentNotStored?: boolean;
  unfencedCheckpoints?: boolean;
  unnumberedCheckpoints?: boolean;
  leaseBySendersClock?: boolean;
  waitForgetsSignals?: boolean;
  signalsNotStored?: boolean;
  cancelDoesNotWake?: boolean;
  unguardedWake?: boolean;
  wakeKeepsEpoch?: boolean;
  signalEndsDelay?: boolean;
  unboundedFences?: boolean;
  resumeBelowFence?: boolean;
}

/** A change in one of the engine's files: `find` must be there exactly once. */
export interface SourceChange {
  file: string;
  find: string;
  replace: string;
}

export interface PlantedBug {
  name: string;
  /** What somebody might have thought. */
  mistake: string;
  switches?: Switches;
  change?: SourceChange;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'no-fence',
    mistake: 'participants need not look at epochs: keys are enough',
    switches: { unfencedParticipants: true },
  },
  {
    name: 'no-fence-on-checkpoints',
    mistake: 'a checkpoint may be written by any process that runs the saga',
    switches: { unfencedCheckpoints: true },
  },
  {
    name: 'no-number-on-checkpoints',
    mistake: 'a flush that timed out was not carried out, and will not be',
    switches: { unnumberedCheckpoints: true },
  },
  {
    name: 'no-seal',
    mistake: 'an undo that finds nothing has nothing to do',
    switches: { noSeal: true },
  },
  {
    name: 'refusal-runs-again',
    mistake: 'a refusal changed nothing, so it need not be stored',
    switches: { refusalsForgotten: true },
  },
  {
    name: 'intent-not-stored',
    mistake: 'the provider’s answer can be stored when all is done',
    switches: { intentNotStored: true },
  },
  {
    name: 'lease-on-local-clock',
    mistake: 'all machines have the same time',
    switches: { leaseBySendersClock: true },
  },
  {
    name: 'undo-only-what-is-known-to-be-done',
    mistake: 'a step without an answer has not run',
    change: {
      file: 'run/step-strand.ts',
      find: "const outcome = await this.#ask(step, 'undo', attempt);",
      replace:
        "const { outputs } = this.#saga.contextOf(step, 'undo', attempt);\n      if (outputs[step.name] === undefined) return { kind: 'completed' };\n      const outcome = await this.#ask(step, 'undo', attempt);",
    },
  },
  {
    name: 'turn-back-not-durable-first',
    mistake: 'the decision to turn back can be stored with the first undo',
    change: {
      file: 'run/saga-run.ts',
      find: 'await this.#checkpoint(decision.progress, decision.wait);',
      replace:
        "decision.progress.state === 'compensating' && this.#progress.state === 'running' ? ((this.#progress = decision.progress), null) : await this.#checkpoint(decision.progress, decision.wait);",
    },
  },
  {
    name: 'checkpoint-not-awaited',
    mistake: 'the next step can start while the checkpoint is being written',
    change: {
      file: 'run/saga-run.ts',
      find: 'await this.#checkpoint(decision.progress, decision.wait);',
      replace:
        "decision.progress.state === 'running' ? (void this.#checkpoint(decision.progress, null), (this.#progress = decision.progress), (this.#revision += 1), null) : await this.#checkpoint(decision.progress, decision.wait);",
    },
  },
  {
    name: 'time-out-means-failure',
    mistake: 'who does not answer in time has failed',
    change: {
      file: 'run/attempt.ts',
      find: 'resolve(unknown(`no answer within',
      replace:
        "resolve(((message: string): AttemptOutcome => ({ kind: 'refused', reason: 'TIMED_OUT', message }))(`no answer within",
    },
  },
  {
    name: 'undo-sent-once',
    mistake: 'an undo that was sent will arrive',
    change: {
      file: 'run/step-strand.ts',
      find: "case 'refused':\n        case 'waiting':\n        case 'unknown':\n",
      replace:
        "case 'refused':\n        case 'waiting':\n        case 'unknown':\n          if (attempt > 0) return { kind: 'completed' };\n",
    },
  },
  {
    name: 'answer-not-read-although-another-stands',
    mistake: 'what was sent with the checkpoint is what was stored',
    change: {
      file: 'run/saga-run.ts',
      find: 'const storedByHook = isHookStored ? checkpoint.payload : null;',
      replace: 'const storedByHook = checkpoint.payload;',
    },
  },
  {
    name: 'shown-instant-by-the-own-clock-alone',
    mistake: 'time only goes forward',
    change: {
      file: 'run/saga-run.ts',
      find: 'Math.max(this.#context.clock.wallNow(), this.#changedAt.getTime() + 1)',
      replace: 'this.#context.clock.wallNow()',
    },
  },
  {
    name: 'wait-forgets-signals',
    mistake: 'a signal that comes before the wait has been seen',
    switches: { waitForgetsSignals: true },
  },
  {
    name: 'signal-not-stored',
    mistake: 'a signal is only there to wake somebody up',
    switches: { signalsNotStored: true },
  },
  {
    name: 'cancel-does-not-wake',
    mistake: 'the owner of a saga sees a cancel in its next sweep',
    switches: { cancelDoesNotWake: true },
  },
  {
    name: 'wake-not-guarded',
    mistake: 'what is due is taken by one process only',
    switches: { unguardedWake: true },
  },
  {
    name: 'wake-keeps-the-epoch',
    mistake: 'a saga that waits has no owner, so nobody needs to be fenced off',
    switches: { wakeKeepsEpoch: true },
  },
  {
    name: 'signals-forgotten-on-adoption',
    mistake: 'the process that was told of a signal is the one that asks again',
    change: {
      file: 'run/saga-run.ts',
      find: 'flatMap(({ step, key, data }) => (step === name ? [{ key, data }] : []));',
      replace: 'flatMap(({ step, key, data }) => (step === name && this.epoch === 0 ? [{ key, data }] : []));',
    },
  },
  {
    name: 'every-wait-moves-the-deadline',
    mistake: 'a saga that is still waited for is not late',
    change: {
      file: 'run/wait-terms.ts',
      find: 'const extendMs = before === null ? maxMs : null;',
      replace: 'const extendMs = maxMs;',
    },
  },
  {
    name: 'wait-leaves-its-time-to-the-work',
    mistake: 'a deadline that has moved on stays where it is',
    change: {
      file: 'run/wait-terms.ts',
      find: 'return isDone && before.waiting !== null ? before.waiting.leftMs : null;',
      replace: 'return null;',
    },
  },
  {
    name: 'waiting-step-not-undone',
    mistake: 'a step that waits has done nothing yet',
    change: {
      file: 'definition/transitions.ts',
      find: "return { ...progress, state: 'compensating', failure, waiting: null };",
      replace:
        "return { ...progress, position: progress.position - (progress.waiting === null ? 0 : 1), state: 'compensating', failure, waiting: null };",
    },
  },
  {
    name: 'signal-ends-a-delay',
    mistake: 'whatever a step is told wakes it up',
    switches: { signalEndsDelay: true },
  },
  {
    name: 'delay-forgotten-by-the-process-that-wakes',
    mistake: 'a step that was not sent yet has its delay before it',
    change: {
      file: 'run/step-strand.ts',
      find: 'if (step.delayMs !== undefined && before === null)',
      replace: 'if (step.delayMs !== undefined)',
    },
  },
  {
    name: 'delay-not-stored',
    mistake: 'a process that dies during a delay can start the step at once',
    change: {
      file: 'run/step-strand.ts',
      find: 'if (step.delayMs !== undefined && before === null)',
      replace: "if (step.delayMs !== undefined && before === null && saga.contextOf(step, 'act', attempt).epoch === 1)",
    },
  },
  {
    name: 'fence-without-a-bound',
    mistake: 'whoever has a certificate tells the truth about its epoch',
    switches: { unboundedFences: true },
  },
  {
    name: 'fenced-for-ever',
    mistake: 'a saga that is fenced has a newer owner who ends it',
    change: {
      file: 'run/fenced-sagas.ts',
      find: 'if (count >= LEFT_TO_SWEEP || now - sinceAt >= LEFT_FOR_MS) return true;',
      replace: 'if (count >= LEFT_TO_SWEEP || now - sinceAt >= LEFT_FOR_MS) return false;',
    },
  },
  {
    name: 'resumed-below-the-fence',
    mistake: 'a resume is an adoption like any other: one epoch higher',
    switches: { resumeBelowFence: true },
  },
  {
    name: 'step-behind-a-group-started-with-it',
    mistake: 'a step that needs nothing of the group before it can start with it',
    change: {
      file: 'definition/transitions.ts',
      find: "return { kind: 'act', steps: members.filter(({ name }) => !Object.hasOwn(outputs, name)) };",
      replace:
        "const behind = definition.steps.slice(position + members.length, position + members.length + 1).map((step) => ({ ...step, delayMs: undefined }) as unknown as RunnableStep);\n  return { kind: 'act', steps: [...members.filter(({ name }) => !Object.hasOwn(outputs, name)), ...behind] };",
    },
  },
  {
    name: 'group-done-when-one-member-is',
    mistake: 'the first member that is done takes the others along',
    change: {
      file: 'run/step-strand.ts',
      find: 'return await Promise.all(steps.map((step, at) => work(this.#strands[at] as StepStrand, step)));',
      replace:
        "return await Promise.race(steps.map(async (step, at) => { const end = await work(this.#strands[at] as StepStrand, step); return steps.map((_, other) => (other === at ? end : ({ kind: 'completed', output: null } as End))); }));",
    },
  },
  {
    name: 'undo-of-a-member-skipped',
    mistake: 'undoing one member of a group undoes the group',
    change: {
      file: 'definition/transitions.ts',
      find: "if (state === 'compensating') return { kind: 'undo', steps: members };",
      replace: "if (state === 'compensating') return { kind: 'undo', steps: members.slice(1) };",
    },
  },
  {
    name: 'undo-only-members-that-are-stored',
    mistake: 'a member of a group whose output is not stored has not run',
    change: {
      file: 'definition/transitions.ts',
      find: "if (state === 'compensating') return { kind: 'undo', steps: members };",
      replace:
        "if (state === 'compensating') return { kind: 'undo', steps: members.filter(({ name }) => Object.hasOwn(outputs, name)) };",
    },
  },
  {
    name: 'lost-insert-never-run',
    mistake: 'the process that inserted a saga runs it',
    change: {
      file: 'recovery/recovery.ts',
      find: "const restarted = await faults.ofPart('own sagas', () => sweepOwn(context, faults));",
      replace: 'const restarted = 0;',
    },
  },
];

const ENGINE = new URL('../../../saga/src/', import.meta.url);

/** Plants a change: must come before the engine is imported. @throws Error when its place is not found exactly once */
export function plant(change: SourceChange): void {
  const url = new URL(change.file, ENGINE).href;
  const source = readFileSync(fileURLToPath(url), 'utf8');
  const parts = source.split(change.find);
  if (parts.length !== 2) {
    throw new Error(`${change.file} has ${parts.length - 1} of the place to change: ${change.find}`);
  }
  registerHooks({
    load(loaded, context, next) {
      if (loaded !== url) return next(loaded, context);
      return { format: 'module-typescript', source: parts.join(change.replace), shortCircuit: true };
    },
  });
}
