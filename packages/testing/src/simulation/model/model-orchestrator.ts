// A process with the real engine in it: started, crashed, paused and stopped by the schedule, and asked by clients.

import {
  type ActOutcome,
  createEngine,
  type Database,
  defineSaga,
  type Engine,
  hasEnded,
  type RetriableOutcome,
  readSnapshot,
  type SagaDefinition,
  type StepContext,
  type UndoOutcome,
  type Waiting,
} from '@holdfast/saga';
import { answerOf, type Invariants, SHIP_DELAY_MS, type StepName } from '../invariants.ts';
import type { PlannedSaga } from '../plan.ts';
import type { Host, Timeline } from '../timeline.ts';
import { type ModelDatabase, nameOf, READ_ANSWER, STORE_ANSWER } from './model-database.ts';
import type { Participant, StepAnswer, StepCall } from './model-participant.ts';
import type { Link, Network } from './network.ts';

interface Input {
  id: string;
}
type Outputs = Record<StepName, { step: string }>;
type Context = StepContext<Input, Outputs>;

export interface OrchestratorParts {
  host: Host;
  timeline: Timeline;
  network: Network;
  database: ModelDatabase;
  databaseHost: Host;
  participants: Record<StepName, Participant>;
  invariants: Invariants;
  clock: { skewMs: number; speed: number };
  leaseMs: number;
  /** A supervisor starts it, and its orders are adopted as soon as it is there again. */
  isNameUnique: boolean;
  random: () => number;
  /** How long a saga that waits does so before it asks. */
  pauseMs: (sagaId: string) => number;
  /** Called after each call that goes out. */
  onSend: (host: Host) => void;
  trace: (what: string) => void;
}

const RETRY = { baseMs: 4, capMs: 40 };
const TIMEOUT_MS = 45;
const MAX_WAIT_MS = 900;
const START_RETRY_MS = 20;
const GRACE_MS = 100;
const CANCEL_WAIT_MS = 200;
const NAME = 'simulated';

export class ModelOrchestrator {
  readonly host: Host;
  readonly #parts: OrchestratorParts;
  readonly #link: Link;
  #engine: Engine | null = null;

  constructor(parts: OrchestratorParts) {
    this.#parts = parts;
    this.host = parts.host;
    this.#link = parts.network.link(parts.host.name, parts.databaseHost.name);
  }

  /** A new process: nothing of an earlier one is in its memory. */
  start(): void {
    const { timeline, clock, leaseMs, isNameUnique, random, trace } = this.#parts;
    this.host.life += 1;
    this.host.up = true;
    this.host.pausedUntil = 0;
    trace(`${this.host.name} starts`);
    const engine = createEngine({
      pool: this.#pool(),
      definitions: [this.#definition(1_000, false), this.#definition(1_000, true)],
      name: this.host.name,
      leaseMs,
      isNameUnique,
      random,
      commitHook: { name: 'store-answer', text: 'select', returnsStored: true },
      hookPayload: (saga) => (hasEnded(saga.state) ? answerOf(saga) : null),
      clock: timeline.clockOf(this.host, { origin: 1_000 * this.host.life, ...clock }),
      log: {
        info: (_, message) => trace(`${this.host.name}: ${message}`),
        warn: (_, message) => trace(`${this.host.name}: ${message}`),
        error: (fields, message) => trace(`${this.host.name}: ${message} ${JSON.stringify(fields)}`),
      },
    });
    this.#engine = engine;
    const { life } = this.host;
    const tryAgain = () => timeline.in(START_RETRY_MS, this.host, () => this.host.life === life && begin());
    const begin = () => void engine.start().catch(tryAgain);
    begin();
  }

  crash(): void {
    if (!this.host.up) return;
    this.#parts.trace(`${this.host.name} dies`);
    this.host.up = false;
    this.host.life += 1;
    this.#engine = null;
    this.#parts.network.died(this.host);
  }

  /** Ends as on SIGTERM; what it has not handed over by then is left to its lease. */
  stop(): void {
    const engine = this.#engine;
    if (engine === null) return;
    this.#parts.trace(`${this.host.name} is asked to stop`);
    void engine.stop({ graceMs: GRACE_MS }).then(() => this.crash());
  }

  isIdle(): boolean {
    return this.#engine === null || this.#engine.stats().running === 0;
  }

  /** A client's order, answered as accept-order.ts does it. Whoever hears nothing asks again. */
  place({ id, deadlineMs, isParallel }: PlannedSaga, waitMs: number): void {
    const engine = this.#engine;
    if (engine === null) return;
    const { invariants, trace } = this.#parts;
    const answer = async () => {
      const { kind } = await engine.begin(this.#definition(1_000, isParallel), id, { id }, { deadlineMs });
      if (kind === 'begun' || kind === 'exists') invariants.answered(id, await this.#answer(engine, id, waitMs));
    };
    answer().catch(() => trace(`a client hears nothing of ${id}`));
  }

  /** The end, when it comes in time; else what the saga is now. What stands already is the answer in any case (K1). */
  async #answer(engine: Engine, id: string, waitMs: number): Promise<string | undefined> {
    const end = await engine.waitForEnd(id, waitMs);
    if (end.kind === 'ended' && end.snapshot.storedByHook) return end.snapshot.storedByHook;
    const read = () => this.#query<{ answer: string }>(READ_ANSWER, [id]);
    const stands = (await read()).rows[0];
    if (stands !== undefined) return stands.answer;
    const snapshot = await readSnapshot(this.#pool(), id);
    if (snapshot !== null) await this.#query(STORE_ANSWER, [id, answerOf(snapshot)]);
    return (await read()).rows[0]?.answer;
  }

  /** @returns whether the sender may forget it: it is stored, or is of no use any more */
  async signal(sagaId: string, step: StepName, key: string): Promise<boolean> {
    const engine = this.#engine;
    if (engine === null) return false;
    try {
      const { kind } = await engine.signal(sagaId, step, { key });
      this.#parts.trace(`signal ${key} of ${sagaId} is ${kind}`);
      if (kind === 'signalled' || kind === 'repeated') this.#parts.invariants.signalled(sagaId, step, key);
      return kind !== 'not_found';
    } catch {
      return false;
    }
  }

  cancel(sagaId: string, onOutcome: (kind: string) => void): void {
    void this.#engine?.cancel(sagaId, CANCEL_WAIT_MS).then(
      ({ kind }) => onOutcome(kind),
      () => this.#parts.trace(`cancel of ${sagaId} could not be stored`),
    );
  }

  /** As an operator does it who has seen that the saga is parked. */
  resume(sagaId: string): void {
    void this.#engine?.operator.resume(sagaId).then(
      ({ kind }) => this.#parts.trace(`the operator hears that the resume of ${sagaId} is ${kind}`),
      () => this.#parts.trace(`resume of ${sagaId} could not be stored`),
    );
  }

  #pool(): Database {
    const query = (given: string | { name?: string; text: string; values?: unknown[] }, values?: unknown[]) =>
      this.#query(nameOf(given), (typeof given === 'string' ? values : given.values) ?? []);
    // The engine calls `query` with a text and values, or with a named statement; the model answers both.
    return { query } as unknown as Database;
  }

  #query<Row>(name: string, values: readonly unknown[]): Promise<{ rows: Row[]; rowCount: number }> {
    const { network, database, databaseHost, timeline, clock } = this.#parts;
    const senderNow = timeline.now + clock.skewMs;
    const execute = () => database.execute({ name, values, senderNow }) as { rows: Row[]; rowCount: number };
    return network.statement(this.host, databaseHost, this.#link, name, execute);
  }

  #definition(deadlineMs: number, isParallel: boolean): SagaDefinition<Input, Outputs> {
    const step = <Name extends StepName>(name: Name) => ({
      name,
      timeoutMs: TIMEOUT_MS,
      retry: RETRY,
      act: async (context: Context) => actOutcome(name, await this.#send(name, 'act', context)),
    });
    const undoable = <Name extends StepName>(name: Name) => ({
      ...step(name),
      undo: async (context: Context) => undoOutcome(await this.#send(name, 'undo', context)),
    });
    const reserve = { ...undoable('reserve'), kind: 'compensatable' as const };
    const charge = {
      ...undoable('charge'),
      kind: 'compensatable' as const,
      waits: { maxMs: MAX_WAIT_MS },
      act: async (context: Context) => {
        const answer = await this.#send('charge', 'act', context);
        return answer.kind === 'waiting' ? this.#waiting(context) : actOutcome('charge', answer);
      },
    };
    const ship = { ...undoable('ship'), kind: 'pivot' as const, delayMs: SHIP_DELAY_MS };
    const told = step('notify');
    const notify = {
      ...told,
      kind: 'retriable' as const,
      act: async (context: Context): Promise<RetriableOutcome<Outputs['notify']>> => {
        const outcome = await told.act(context);
        return outcome.kind === 'refused' ? { kind: 'unknown', detail: outcome.reason } : outcome;
      },
    };
    const define = defineSaga<Input, Outputs>();
    return isParallel
      ? define({ name: NAME, version: 2, deadlineMs, steps: [{ parallel: [reserve, charge] }, ship, notify] })
      : define({ name: NAME, deadlineMs, steps: [reserve, charge, ship, notify] });
  }

  #waiting({ sagaId }: Context): Waiting {
    return { kind: 'waiting', reason: 'AUTHENTICATION', data: { of: sagaId }, waitMs: this.#parts.pauseMs(sagaId) };
  }

  #send(step: StepName, direction: 'act' | 'undo', context: Context): Promise<StepAnswer> {
    const { network, participants, invariants, onSend } = this.#parts;
    const { sagaId, epoch } = context;
    invariants.sent(sagaId, epoch, step, direction);
    if (direction === 'act') invariants.shows(sagaId, epoch, step, context.signals.length);
    const to = participants[step];
    const call: StepCall = { step, sagaId, epoch, direction };
    const link = network.link(this.host.name, to.host.name);
    const refused: StepAnswer = { kind: 'unknown', detail: 'UNAVAILABLE' };
    const what = `${direction} ${step} ${sagaId} epoch ${epoch}`;
    const answer = network.call(this.host, to.host, link, what, () => to.handle(call), refused);
    onSend(this.host);
    return answer;
  }
}

/** As the orchestrator translates an answer; see participants.ts there. */
function actOutcome(step: string, answer: StepAnswer): ActOutcome<{ step: string }> {
  switch (answer.kind) {
    case 'completed':
      return { kind: 'completed', output: { step } };
    case 'refused':
      return { kind: 'refused', reason: answer.reason, message: '' };
    case 'sealed':
      return { kind: 'refused', reason: 'CANCELLED', message: 'undone from outside' };
    case 'fenced':
      return { kind: 'fenced', detail: '', epoch: answer.epoch };
    case 'waiting':
      return { kind: 'unknown', detail: `${step} does not wait` };
    case 'unknown':
      return answer;
  }
}

function undoOutcome(answer: StepAnswer): UndoOutcome {
  if (answer.kind === 'completed') return { kind: 'completed' };
  if (answer.kind === 'fenced') return { kind: 'fenced', detail: '', epoch: answer.epoch };
  return { kind: 'unknown', detail: answer.kind };
}
