/** How long to wait between attempts: a random time up to `min(capMs, baseMs * 2^attempt)`. */
export interface Retry {
  baseMs: number;
  capMs: number;
  /**
   * Attempts after which an undo, or an act behind the pivot, is given up for now and the saga parked; without it they
   * go on for ever. Counted afresh when the saga changes hands. Acts up to the pivot end with the saga's deadline.
   */
  maxAttempts?: number;
}

export type StepKind = 'compensatable' | 'pivot' | 'retriable';

export interface StepContext<Input, Outputs> {
  sagaId: string;
  input: Input;
  /** What the steps known to be done have answered, by step name. */
  outputs: Partial<Outputs>;
  /** The same for every attempt: `<saga id>:<step>`, an undo's with `:undo` behind it. */
  key: string;
  /** The fence: a participant that has seen a higher one for this saga must change nothing. */
  epoch: number;
  /** From 1; counted afresh whenever the saga changes hands, and whenever it was woken. */
  attempt: number;
  /** What this step last waited for, when it is asked again; null when it has not waited. */
  waiting: StoredWait | null;
  /** The step's signals, oldest first: all that were stored when this process took the saga, and never fewer than before. */
  signals: readonly Signal[];
  /** How long this attempt may take; after that its outcome counts as unknown. */
  timeoutMs: number;
  /** Aborted when no caller waits for this attempt any more; not when it is done, which leaves nothing to be stopped. */
  signal: AbortSignal;
}

/** Transient, or not known: ask again with the same key (S4). `retryAfterMs` is the least time to wait. */
export type Unknown = { kind: 'unknown'; detail: string; retryAfterMs?: number };
/** The participant has seen a newer owner of this saga: drop it, it is in other hands. */
export type Fenced = {
  kind: 'fenced';
  detail: string;
  /** The highest epoch that the participant has seen for the saga, where it tells. */
  epoch?: number;
};
/** `output` is stored as JSON and must survive that. */
export type Done<Output> = { kind: 'completed'; output: Output };
/** A business refusal, final and sticky (S5). `reason` is a stable code, `message` is for people. */
export type Refused = {
  kind: 'refused';
  reason: string;
  message: string;
  /** For the saga's client, stored as JSON (16,384 characters at most) with its failure; never logged. */
  data?: unknown;
};

/**
 * The step goes on when something happens outside: it is asked again with the same key once it is signalled, or in `waitMs`.
 * Only for a step that declares `waits`.
 */
export type Waiting = {
  kind: 'waiting';
  /** A stable code, for people and for the journal; 200 characters at most. */
  reason: string;
  /** For the saga's client, stored as JSON (16,384 characters at most) and shown until the step goes on; never logged. */
  data?: unknown;
  /** Asked again after this long at the latest. A step that needs its signal alone gives its whole `maxMs`. */
  waitMs: number;
};

export type ActOutcome<Output> = Done<Output> | Refused | Unknown | Fenced;
/** The outcome of an act behind the pivot: there is no turning back, so it may not refuse. */
export type RetriableOutcome<Output> = Done<Output> | Unknown | Fenced;
export type UndoOutcome = { kind: 'completed' } | Unknown | Fenced;

/** How long a step may wait. */
export interface WaitLimits {
  /**
   * In all its waits together; steps of a group have the longest of theirs in common. The first one moves the saga's deadline on by as much, once, and what is left of that when the step
   * is done is taken off again, so that the deadline is for the work alone; when it has passed, the saga turns back (behind the
   * pivot: is parked).
   */
  maxMs: number;
  /** The failure's reason when it turns back for that; `DEADLINE_EXCEEDED` without it. */
  exceededReason?: string;
}

/** What was told to a waiting step from outside; see `Engine.signal`. */
export interface Signal {
  /** Whoever sends it twice sends this twice. */
  key: string;
  data: unknown;
}

/** What a saga waits for, as it is stored and shown. */
export interface StoredWait {
  step: string;
  reason: string;
  data: unknown;
  /** RFC 3339, by the clock of the process that wrote it: when the step's first wait began. */
  since: string;
  /** When the step has waited as long as it may, likewise. */
  until: string;
  /** What was left until the saga's deadline when the step's first wait began: so much is left for the work when it is over. */
  leftMs: number;
  /** Before the pivot is known to be done: a cancel ends the wait then, and no other. */
  mayTurnBack: boolean;
  /** How often it was asked again since then in vain; it is asked the more seldom. */
  unanswered?: number;
  /** The step's own delay: it has not been started. Its reason is `DELAY`. */
  isDelay?: true;
  /** The other steps of its group that wait, by name; they share its instants. */
  beside?: Record<string, WaitBeside>;
}

/** What another step of the same group waits for. */
export interface WaitBeside {
  reason: string;
  data: unknown;
  unanswered?: number;
}

interface StepBase<Name> {
  /** Stored data: a step is never renamed. `[a-z0-9-]+`. */
  name: Name;
  /** How long one attempt may take; default 5,000. */
  timeoutMs?: number;
  /** Default: from 100 ms up to 10 s between attempts, and parked after some half an hour of them. */
  retry?: Retry;
  /**
   * How long the saga waits before the act is sent first, without an owner, like a step that waits. The deadline moves on by as
   * much. No signal shortens it; a cancel ends it, and so does an operator's retry.
   */
  delayMs?: number;
}

/** Whether the act may wait: it may if and only if the step says for how long. */
type Acts<Context, Outcome> =
  | { waits: WaitLimits; act(context: Context): Promise<Outcome | Waiting> }
  | { waits?: never; act(context: Context): Promise<Outcome> };

/** May refuse; is undone when the saga turns back. */
export type CompensatableStep<Input, Outputs, Name extends keyof Outputs> = StepBase<Name> & {
  kind: 'compensatable';
  undo(context: StepContext<Input, Outputs>): Promise<UndoOutcome>;
} & Acts<StepContext<Input, Outputs>, ActOutcome<Outputs[Name]>>;

/** Once known to be done there is no turning back; undone only while its outcome is unknown or when it was refused. */
export type PivotStep<Input, Outputs, Name extends keyof Outputs> = StepBase<Name> & {
  kind: 'pivot';
  undo(context: StepContext<Input, Outputs>): Promise<UndoOutcome>;
} & Acts<StepContext<Input, Outputs>, ActOutcome<Outputs[Name]>>;

/** Behind the pivot: is asked again until it is done. */
export type RetriableStep<Input, Outputs, Name extends keyof Outputs> = StepBase<Name> & {
  kind: 'retriable';
  undo?: never;
} & Acts<StepContext<Input, Outputs>, RetriableOutcome<Outputs[Name]>>;

export type Step<Input, Outputs> = {
  [Name in keyof Outputs & string]:
    | CompensatableStep<Input, Outputs, Name>
    | PivotStep<Input, Outputs, Name>
    | RetriableStep<Input, Outputs, Name>;
}[keyof Outputs & string];

/** A step of a parallel group: no pivot, and without a delay of its own. */
export type MemberStep<Input, Outputs> = {
  [Name in keyof Outputs & string]:
    | (CompensatableStep<Input, Outputs, Name> & { delayMs?: never })
    | (RetriableStep<Input, Outputs, Name> & { delayMs?: never });
}[keyof Outputs & string];

/**
 * A parallel group: its acts run side by side, and the saga goes on when all are done. When it turns back, all of them are undone
 * side by side, whichever were started. Members see each other's outputs only when they are asked again after one has waited.
 */
export interface ParallelSteps<Input, Outputs> {
  parallel: readonly MemberStep<Input, Outputs>[];
  // As steps have it: without it here, the compiler takes every act for one that may wait.
  waits?: never;
}

/** A step as the engine sees it, its own input and outputs forgotten. */
export interface RunnableStep {
  name: string;
  timeoutMs: number;
  retry: Retry;
  delayMs?: number;
  kind: StepKind;
  waits?: WaitLimits;
  /** Of a step in a parallel group: where the group's first step stands. */
  group?: number;
  act(context: StepContext<unknown, Record<string, unknown>>): Promise<ActOutcome<unknown> | Waiting>;
  undo?(context: StepContext<unknown, Record<string, unknown>>): Promise<UndoOutcome>;
}

export interface SagaDefinition<Input = unknown, Outputs = unknown> {
  /** As it is stored with its sagas: never renamed, and from the second version on with that behind it (`book-trip@2`). */
  name: string;
  /** The name without the version. */
  family: string;
  version: number;
  /** From the start of the saga; when it passes before the pivot is known to be done, the saga turns back. */
  deadlineMs: number;
  /** In order, those of a group one behind the other. */
  steps: readonly RunnableStep[];
  /** Where the pivot stands; -1 without one. */
  pivotIndex: number;
  /** Never set: carries the types, for those who start this saga and read its outputs. */
  readonly types?: { input: Input; outputs: Outputs };
}

type Ordered = readonly { kind: StepKind }[];
type OrderMistake<Steps extends Ordered, PivotSeen extends boolean = false> = Steps extends readonly [
  infer First extends { kind: StepKind },
  ...infer Rest extends Ordered,
]
  ? First['kind'] extends 'compensatable'
    ? PivotSeen extends true
      ? 'a compensatable step must stand before the pivot'
      : OrderMistake<Rest, false>
    : First['kind'] extends 'pivot'
      ? PivotSeen extends true
        ? 'a saga has one pivot at most'
        : OrderMistake<Rest, true>
      : PivotSeen extends true
        ? OrderMistake<Rest, true>
        : 'a retriable step must stand behind the pivot'
  : never;
type MissingStep<Name, Steps extends readonly { name: unknown }[]> =
  Exclude<Name, Steps[number]['name']> extends infer Missing extends string ? `there is no step ${Missing}` : never;
type MemberOf<Entry> = Entry extends { parallel: readonly (infer Member)[] } ? Member : Entry;
/** The steps in order, those of a group one behind the other. */
type Flat<Steps extends readonly unknown[]> = Steps extends readonly []
  ? []
  : Steps extends readonly [infer First, ...infer Rest]
    ? First extends { parallel: infer Members extends readonly unknown[] }
      ? [...Members, ...Flat<Rest>]
      : [First, ...Flat<Rest>]
    : MemberOf<Steps[number]>[];
type AsOrdered<Steps> = Steps extends Ordered ? Steps : never;
type AsNamed<Steps> = Steps extends readonly { name: unknown }[] ? Steps : never;
// Intersected with the steps: changes nothing when there is no mistake, else names the mistake in the compiler's error.
type Checked<Mistake> = [Mistake] extends [never] ? unknown : Mistake;

/**
 * Defines a saga as a table: `defineSaga<Input, Outputs>()({ name, deadlineMs, steps })`, where `Outputs` maps each
 * step's name to what its act answers, and an entry `{ parallel: [ … ] }` holds steps that run side by side. A table whose steps, kinds or order change gets the next `version` (1 without one): sagas
 * finish under the version that they began with, so an engine is given the old one too until the last of them has ended. The order (compensatable steps, then one pivot, then retriable ones) and the
 * completeness of the steps are checked by the compiler; names and durations when it runs.
 *
 * @throws TypeError naming what is wrong with the table
 */
export function defineSaga<Input, Outputs extends object>() {
  return <const Steps extends readonly (Step<Input, Outputs> | ParallelSteps<Input, Outputs>)[]>(table: {
    name: string;
    version?: number;
    deadlineMs: number;
    steps: Steps &
      Checked<OrderMistake<AsOrdered<Flat<Steps>>> | MissingStep<keyof Outputs & string, AsNamed<Flat<Steps>>>>;
  }): SagaDefinition<Input, Outputs> => {
    // A saga is only ever driven by the definition that it was stored under, so what its steps are handed is what
    // their own types say. This is the one spot where those types are forgotten.
    const entries = table.steps as readonly unknown[] as readonly TableEntry[];
    const { name: family, version = 1 } = table;
    const steps: RunnableStep[] = [];
    for (const entry of entries) steps.push(...stepsOf(entry, steps.length));
    validate(family, version, table.deadlineMs, steps, groupMistakes(entries));
    return {
      name: version === 1 ? family : `${family}@${version}`,
      family,
      version,
      deadlineMs: table.deadlineMs,
      steps,
      pivotIndex: steps.findIndex((step) => step.kind === 'pivot'),
    };
  };
}

type GivenStep = Omit<RunnableStep, 'timeoutMs' | 'retry' | 'group'> &
  Partial<Pick<RunnableStep, 'timeoutMs' | 'retry'>>;
type TableEntry = GivenStep | { parallel: readonly GivenStep[] };

const DEFAULT_TIMEOUT_MS = 5_000;
/** With full jitter, 360 attempts take some half an hour. */
const DEFAULT_RETRY: Retry = { baseMs: 100, capMs: 10_000, maxAttempts: 360 };

function stepsOf(entry: TableEntry, position: number): RunnableStep[] {
  const withDefaults = (step: GivenStep) => ({ timeoutMs: DEFAULT_TIMEOUT_MS, retry: DEFAULT_RETRY, ...step });
  if (!('parallel' in entry)) return [withDefaults(entry)];
  return entry.parallel.map((step) => ({ ...withDefaults(step), group: position }));
}

function groupMistakes(entries: readonly TableEntry[]): string[] {
  return entries.flatMap((entry) => {
    if (!('parallel' in entry)) return [];
    const { parallel } = entry;
    const mistakes = parallel.length < 2 ? ['a parallel group needs two steps at least'] : [];
    for (const { name, kind, delayMs } of parallel) {
      if (kind === 'pivot')
        mistakes.push(`pivot ${name} may not stand in a parallel group: there is one way on from it`);
      if (delayMs !== undefined)
        mistakes.push(`${name} may have no delayMs in a parallel group: delay the step before it`);
    }
    return mistakes;
  });
}

const NAME = /^[a-z0-9-]+$/;
const RANK = { compensatable: 0, pivot: 1, retriable: 2 } as const satisfies Record<StepKind, number>;

function validate(
  name: string,
  version: number,
  deadlineMs: number,
  steps: readonly RunnableStep[],
  ofGroups: readonly string[],
): void {
  const mistakes = [...ofGroups];
  if (!NAME.test(name)) mistakes.push(`its name must match ${NAME}`);
  if (!(Number.isSafeInteger(version) && version > 0)) mistakes.push('its version must be a whole number from 1');
  if (!isDuration(deadlineMs)) mistakes.push('deadlineMs must be a positive number of milliseconds');
  if (steps.length === 0) mistakes.push('it needs at least one step');
  for (const [index, step] of steps.entries()) {
    const before = steps.slice(0, index);
    if (!NAME.test(step.name)) mistakes.push(`the name of step "${step.name}" must match ${NAME}`);
    if (before.some(({ name }) => name === step.name)) mistakes.push(`two steps are named ${step.name}`);
    mistakes.push(...orderMistakes(step, before), ...durationMistakes(step));
  }
  if (mistakes.length > 0) throw new TypeError(`saga "${name}" is wrong: ${mistakes.join('; ')}`);
}

function orderMistakes(step: RunnableStep, before: readonly RunnableStep[]): string[] {
  const mistakes: string[] = [];
  const previous = before.at(-1);
  if (previous !== undefined && RANK[previous.kind] > RANK[step.kind]) {
    mistakes.push(`${step.kind} step ${step.name} may not stand behind ${previous.kind} step ${previous.name}`);
  }
  const pivotSeen = before.some(({ kind }) => kind === 'pivot');
  if (step.kind === 'pivot' && pivotSeen) mistakes.push(`${step.name} is a second pivot`);
  if (step.kind === 'retriable' && !pivotSeen) mistakes.push(`retriable step ${step.name} needs a pivot before it`);
  if (step.kind === 'retriable' && step.undo !== undefined) mistakes.push(`retriable step ${step.name} has an undo`);
  if (step.kind !== 'retriable' && step.undo === undefined) mistakes.push(`step ${step.name} needs an undo`);
  return mistakes;
}

function durationMistakes(step: RunnableStep): string[] {
  const { baseMs, capMs, maxAttempts } = step.retry;
  const mistakes: string[] = [];
  if (!isDuration(step.timeoutMs)) mistakes.push(`timeoutMs of ${step.name} must be positive`);
  if (!isDuration(baseMs) || !isDuration(capMs)) mistakes.push(`baseMs and capMs of ${step.name} must be positive`);
  if (maxAttempts !== undefined && !(Number.isInteger(maxAttempts) && maxAttempts > 0)) {
    mistakes.push(`maxAttempts of ${step.name} must be a positive whole number`);
  }
  if (step.delayMs !== undefined && !(isDuration(step.delayMs) && Number.isInteger(step.delayMs))) {
    mistakes.push(`delayMs of ${step.name} must be a positive whole number of milliseconds`);
  }
  if (step.waits !== undefined && !(isDuration(step.waits.maxMs) && Number.isInteger(step.waits.maxMs))) {
    mistakes.push(`waits.maxMs of ${step.name} must be a positive whole number of milliseconds`);
  }
  return mistakes;
}

// Beyond 2^31 - 1 a timer fires at once instead of late.
export const isDuration = (ms: number): boolean => Number.isFinite(ms) && ms > 0 && ms <= 2_147_483_647;
