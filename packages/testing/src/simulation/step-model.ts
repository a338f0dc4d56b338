/*
 * Participants for the simulation. Either a model that keeps what a step owes, so that a schedule tries the saga; or the
 * functions of one's own definition, so that it tries those too.
 */
import type { ActOutcome, SagaDefinition, UndoOutcome } from '@holdfast/saga';
import type { SimulatedAct, SimulatedCall, SimulatedParticipant } from './simulate-saga.ts';

/** One answer for ever to each key (`answers`); no act after its undo (`seal`). */
export type Owed = 'answers' | 'seal';

export interface StepModelOptions {
  /** What a new act comes to. Default: `completed`, with an empty output. */
  act?: (call: SimulatedCall) => SimulatedAct;
  /** Planted: what this participant does not keep, to see that the schedules find it. */
  without?: Owed;
}

/** A participant that keeps what a step owes, its fence too, in memory: each call is one transaction. */
export function stepModel(options: StepModelOptions = {}): SimulatedParticipant {
  return new StepModel(options);
}

class StepModel implements SimulatedParticipant {
  readonly #act: (call: SimulatedCall) => SimulatedAct;
  readonly #without: Owed | undefined;
  readonly #answers = new Map<string, ActOutcome<unknown>>();
  readonly #sealed = new Set<string>();
  readonly #fences = new Map<string, number>();
  readonly #live = new Map<string, number>();

  constructor({ act = () => ({ kind: 'completed', output: {} }), without }: StepModelOptions) {
    this.#act = act;
    this.#without = without;
  }

  act(call: SimulatedCall): SimulatedAct {
    const { sagaId, key, epoch } = call;
    if (this.#isFenced(sagaId, epoch)) return { kind: 'fenced', detail: 'a newer owner has called' };
    if (this.#sealed.has(sagaId)) return { kind: 'refused', reason: 'SEALED', message: 'the undo came first' };
    const known = this.#answers.get(key);
    if (known !== undefined && this.#without !== 'answers') return known;
    const outcome = this.#act(call);
    if (outcome.kind === 'completed') this.#live.set(sagaId, this.live(sagaId) + 1);
    if (outcome.kind === 'completed' || outcome.kind === 'refused') this.#answers.set(key, outcome);
    return outcome;
  }

  undo({ sagaId, epoch }: SimulatedCall): UndoOutcome {
    if (this.#isFenced(sagaId, epoch)) return { kind: 'fenced', detail: 'a newer owner has called' };
    if (this.#without !== 'seal' || this.live(sagaId) > 0) this.#sealed.add(sagaId);
    this.#live.delete(sagaId);
    return { kind: 'completed' };
  }

  live(sagaId: string): number {
    return this.#live.get(sagaId) ?? 0;
  }

  #isFenced(sagaId: string, epoch: number): boolean {
    const fence = this.#fences.get(sagaId) ?? 0;
    this.#fences.set(sagaId, Math.max(fence, epoch));
    return epoch < fence;
  }
}

/**
 * The acts and undos of the definition itself, called where a message arrives: what they keep must be kept in memory, and they may
 * wait for nothing but promises that settle by themselves.
 * @param live of each step, how many effects of a saga are there now
 * @throws TypeError naming a step of which `live` says nothing
 */
export function ownSteps(
  definition: SagaDefinition,
  live: Readonly<Record<string, (sagaId: string) => number>>,
): Record<string, SimulatedParticipant> {
  const participants: Record<string, SimulatedParticipant> = {};
  for (const { name, act, undo } of definition.steps) {
    const count = live[name];
    if (count === undefined) throw new TypeError(`live says nothing of step ${name}: give it a function that counts`);
    participants[name] = {
      act: (call) => orUnknown(() => act(inProcess(call))),
      undo: (call) => orUnknown(async () => (await undo?.(inProcess(call))) ?? noUndo(name)),
      live: count,
    };
  }
  return participants;
}

/** What has left its sender is not called back. */
const inProcess = (call: SimulatedCall) => ({ ...call, signal: new AbortController().signal });

const noUndo = (step: string) => ({ kind: 'unknown' as const, detail: `${step} has no undo` });

/** What a step throws says nothing of its effect (S4), as in production. */
async function orUnknown<Outcome>(run: () => Promise<Outcome>): Promise<Outcome | { kind: 'unknown'; detail: string }> {
  try {
    return await run();
  } catch (error) {
    return { kind: 'unknown', detail: String(error) };
  }
}
