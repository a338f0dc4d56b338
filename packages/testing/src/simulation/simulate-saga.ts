/*
 * The simulation for a saga of one's own: the engine's real code drives its steps in virtual time, over a model of the
 * tables; its participants are models that the caller gives, one object each, whose acts and undos are transactions.
 * Messages are lost, doubled, late and overtaken, statements and commits lost, orchestrators and participants die and are
 * paused. Held for every schedule:
 *
 * S1 Every saga ends once nothing goes wrong any more.
 * A1 A completed saga has exactly one live effect of each step, one that was turned back has none.
 */
import {
  type ActOutcome,
  createEngine,
  type Database,
  type Engine,
  type SagaDefinition,
  type Signal,
  type StepContext,
  type UndoOutcome,
  type Waiting,
} from '@holdfast/saga';
import { Chance, seedOf } from './chance.ts';
import type { Breach } from './invariants.ts';
import { ModelDatabase, nameOf } from './model/model-database.ts';
import { Network, type Rates } from './model/network.ts';
import { Host, Timeline } from './timeline.ts';

/** One call that has reached a participant: what the engine gave the step, without the means to take it back. */
export type SimulatedCall = Omit<StepContext<unknown, Record<string, unknown>>, 'signal'>;

/** What the world tells a step: sent until it is stored, lost, late and twice like everything else. */
export interface SimulatedSignal extends Signal {
  step: string;
  /** After the saga was first asked for. It may come before the step, or its wait. */
  inMs: number;
}

export type SimulatedAct = ActOutcome<unknown> | Waiting;

/**
 * A participant, see step-model.ts: each call is one transaction, at one instant. It survives the death of its process. A promise
 * must settle by itself: in virtual time no timer fires, and nothing comes from a network.
 */
export interface SimulatedParticipant {
  act(call: SimulatedCall): SimulatedAct | Promise<SimulatedAct>;
  undo(call: SimulatedCall): UndoOutcome | Promise<UndoOutcome>;
  /** How many effects of this saga are there now. */
  live(sagaId: string): number;
}

export interface SimulatedSaga {
  /** Its steps' names, kinds and order; what they call is replaced by the participants. */
  definition: SagaDefinition;
  /** New ones for each schedule, by step name. */
  participants: () => Record<string, SimulatedParticipant>;
  /** What a saga is started with. @param random uniform in [0, 1), by the schedule's seed */
  input: (random: () => number) => unknown;
  /** What each saga is told from outside; default nothing. @param random likewise */
  signals?: (random: () => number) => SimulatedSignal[];
}

export interface SimulateSagaOptions {
  /** How many; stops at the first that breaks something. */
  schedules: number;
  /** The same gives the same schedules. */
  seed: number;
}

export interface SimulatedSchedule {
  seed: number;
  breach: Breach | null;
  /** The faults that struck. */
  struck: string[];
  /** By end state. */
  ended: Record<string, number>;
  events: number;
}

export interface SimulateSagaResult {
  /** That were run. */
  schedules: number;
  events: number;
  struck: number;
  /** By end state. */
  ended: Record<string, number>;
  /** The first that broke something: hand its seed to `replaySaga` to see what happened. */
  broken: { seed: number; breach: Breach } | null;
}

const LEASE_MS = 240;
const RETRY = { baseMs: 4, capMs: 40 };
const TIMEOUT_MS = 45;
const WAITS = { maxMs: 900 };
const RETRY_START_MS = 25;
const RETRY_SIGNAL_MS = 60;
const CALM_AT_MS = 1_400;
const END_BY_MS = 7_400;
const MAX_EVENTS = 200_000;
const ENGINES = 2;
/** Most of a schedule's time goes by in turns of the event loop, which they share. */
const SIDE_BY_SIDE = 16;
const ROUGH: Rates = { loseRequest: 0.06, loseReply: 0.08, duplicate: 0.08, delay: 0.08, database: 0.02 };
const STORM: Rates = { loseRequest: 0.15, loseReply: 0.2, duplicate: 0.2, delay: 0.2, database: 0.06 };

/**
 * Runs schedules, several side by side.
 * @param saga a function makes a new one for each schedule: for steps that keep something
 * @throws what a model throws, and Error for faults of the simulation itself
 */
export async function simulateSaga(
  saga: SimulatedSaga | (() => SimulatedSaga),
  options: SimulateSagaOptions,
): Promise<SimulateSagaResult> {
  const sum: SimulateSagaResult = { schedules: 0, events: 0, struck: 0, ended: {}, broken: null };
  let [next, brokenAt] = [0, Number.POSITIVE_INFINITY];
  const lane = async () => {
    while (next < options.schedules && brokenAt === Number.POSITIVE_INFINITY) {
      const n = next++;
      const { seed, breach, struck, ended, events } = await replaySaga(saga, seedOf(options.seed, n));
      sum.schedules += 1;
      sum.events += events;
      sum.struck += struck.length;
      for (const [state, count] of Object.entries(ended)) sum.ended[state] = (sum.ended[state] ?? 0) + count;
      // The lowest counts, so that the same seed tells of the same one.
      if (breach === null || n > brokenAt) continue;
      brokenAt = n;
      sum.broken = { seed, breach };
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  return sum;
}

/** Runs one schedule. @param trace gets its trace, line by line */
export function replaySaga(
  saga: SimulatedSaga | (() => SimulatedSaga),
  seed: number,
  trace?: (line: string) => void,
): Promise<SimulatedSchedule> {
  const schedule = new SagaSchedule(typeof saga === 'function' ? saga() : saga, seed, trace);
  return new Promise((resolve, reject) => {
    // One event for each turn of the event loop's check phase: all promises settle in between.
    const turn = () => {
      try {
        if (schedule.step()) setImmediate(turn);
        else resolve(schedule.result());
      } catch (error) {
        reject(error);
      }
    };
    schedule.begin();
    setImmediate(turn);
  });
}

class SagaSchedule {
  readonly #saga: SimulatedSaga;
  readonly #participants: Record<string, SimulatedParticipant>;
  readonly #timeline = new Timeline();
  readonly #chance: Chance;
  readonly #network: Network;
  readonly #database: ModelDatabase;
  readonly #books = new Host('sagas');
  readonly #world = new Host('world');
  readonly #desks = new Map<string, Host>();
  readonly #engines: { host: Host; engine: Engine | null }[];
  readonly #sagaIds: string[];
  readonly #trace: (what: string) => void;
  #breach: Breach | null = null;
  #events = 0;
  #dice = 0;

  constructor(saga: SimulatedSaga, seed: number, trace: ((line: string) => void) | undefined) {
    this.#saga = saga;
    this.#participants = saga.participants();
    this.#trace = (what) => trace?.(`${this.#timeline.now.toFixed(1).padStart(8)}  ${what}`);
    this.#chance = new Chance(seed, null);
    const rates = this.#random() < 0.6 ? ROUGH : STORM;
    const parts = { timeline: this.#timeline, chance: this.#chance, rates, calmAt: CALM_AT_MS, trace: this.#trace };
    this.#network = new Network(parts);
    const stored = ({ id, state, position }: { id: string; state: string; position: number }) =>
      this.#trace(`   stored: ${id} ${state} at ${position}`);
    this.#database = new ModelDatabase(
      () => 1_000_000 + this.#timeline.now,
      (_, after) => stored(after),
      {},
    );
    this.#engines = Array.from({ length: ENGINES }, (_, at) => ({ host: new Host(`o${at}`), engine: null }));
    this.#sagaIds = Array.from({ length: 1 + Math.floor(this.#random() * 3) }, (_, at) => `s${at + 1}`);
    for (const { name } of saga.definition.steps) this.#desks.set(name, new Host(name));
  }

  begin(): void {
    for (const host of [this.#books, this.#world, ...this.#desks.values()]) host.up = true;
    for (const process of this.#engines) {
      this.#start(process);
      for (const n of [0, 1]) this.#planFault('crash', process.host, n, 0.3, () => this.#crash(process));
      this.#planFault('pause', process.host, 0, 0.3, () => {});
    }
    for (const host of this.#desks.values()) {
      this.#planFault('crash', host, 0, 0.15, () => this.#network.died(host));
      this.#planFault('pause', host, 0, 0.1, () => {});
    }
    for (const id of this.#sagaIds) this.#client(id);
  }

  /** @returns false when the schedule is over */
  step(): boolean {
    this.#events += 1;
    if (this.#events > MAX_EVENTS) throw new Error(`seed ${this.#chance.seed}: no end after ${MAX_EVENTS} events`);
    if (!this.#timeline.step()) throw new Error(`seed ${this.#chance.seed}: nothing is left to happen`);
    if (this.#breach !== null) return false;
    const unended = this.#sagaIds.filter((id) => (this.#database.sagas.get(id)?.endedAt ?? null) === null);
    const isBusy = this.#network.pending > 0 || this.#engines.some(({ engine }) => engine?.stats().running);
    if (unended.length === 0 && !isBusy) {
      this.#account();
      return false;
    }
    if (this.#timeline.now < END_BY_MS) return true;
    this.#broken('S1', `${unended.join(', ')} not ended ${END_BY_MS - CALM_AT_MS} ms after the last fault`);
    return false;
  }

  result(): SimulatedSchedule {
    const ended: Record<string, number> = {};
    for (const { state } of this.#database.sagas.values()) ended[state] = (ended[state] ?? 0) + 1;
    const { seed, struck } = this.#chance;
    return { seed, breach: this.#breach, struck, ended, events: this.#events };
  }

  /** A1, now that nothing is under way any more that might still change something. */
  #account(): void {
    for (const { id, state } of this.#database.sagas.values()) {
      const wanted = state === 'completed' ? 1 : 0;
      for (const [step, participant] of Object.entries(this.#participants)) {
        const live = participant.live(id);
        if (live !== wanted) this.#broken('A1', `${id} ended ${state} with ${live} live of ${step}`);
      }
    }
  }

  #broken(invariant: string, what: string): void {
    this.#breach ??= { invariant, what };
  }

  // ---- clients and faults

  /** Asks one orchestrator after the other until its saga is stored. */
  #client(id: string): void {
    const input = this.#saga.input(() => this.#random());
    const deadlineMs = 120 + Math.floor(this.#random() * 780);
    const place = (at: number) => {
      if (this.#database.sagas.has(id)) return;
      const process = this.#engines[at % ENGINES] as { host: Host; engine: Engine | null };
      if (process.host.up && process.host.pausedUntil <= this.#timeline.now)
        this.#place(process.engine, id, input, deadlineMs);
      this.#timeline.in(RETRY_START_MS, null, () => place(at + 1));
    };
    const startAt = 5 + this.#random() * 115;
    this.#timeline.in(startAt, null, () => place(Math.floor(this.#random() * ENGINES)));
    for (const signal of this.#saga.signals?.(() => this.#random()) ?? []) {
      this.#timeline.in(startAt + signal.inMs, null, () => this.#tell(id, signal, 0));
    }
  }

  #place(engine: Engine | null, id: string, input: unknown, deadlineMs: number): void {
    // Whether it was stored is not known then: its owner's sweep, or whoever adopts it, finds it.
    const unknown = () => this.#trace(`whether ${id} was stored is not known`);
    void engine?.begin(this.#saga.definition, id, input, { deadlineMs }).catch(unknown);
  }

  /** Until it is stored, or of no use any more. */
  #tell(id: string, { step, key, data, inMs }: SimulatedSignal, at: number): void {
    const process = this.#engines[at % ENGINES] as { host: Host; engine: Engine | null };
    let isHeard = false;
    const serve = async () => {
      const told = process.engine?.signal(id, step, { key, data }).then(({ kind }) => kind !== 'not_found');
      return (await told?.catch(() => false)) ?? false;
    };
    const link = this.#network.link(this.#world.name, process.host.name);
    void this.#network.call(this.#world, process.host, link, `signal ${key} ${id}`, serve, false).then((heard) => {
      isHeard ||= heard;
    });
    this.#timeline.in(RETRY_SIGNAL_MS, null, () => {
      if (!isHeard) this.#tell(id, { step, key, data, inMs }, at + 1);
    });
  }

  #planFault(kind: 'crash' | 'pause', host: Host, n: number, rate: number, fall: () => void): void {
    const place = { name: host.name, number: 1_000 + [...host.name].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) };
    const [at, forMs] = [5 + this.#random() * 600, 5 + this.#random() * 800];
    if (!this.#chance.strikes(kind, place, n, rate)) return;
    this.#timeline.in(at, null, () => {
      this.#trace(`!! ${kind} ${host.name} for ${Math.round(forMs)} ms`);
      if (kind === 'pause') {
        host.pausedUntil = this.#timeline.now + forMs;
        return;
      }
      fall();
      host.up = false;
      host.life += 1;
      this.#timeline.in(forMs, null, () => this.#bringUp(host));
    });
  }

  #bringUp(host: Host): void {
    const process = this.#engines.find((one) => one.host === host);
    if (process !== undefined) this.#start(process);
    host.up = true;
    host.pausedUntil = 0;
  }

  // ---- orchestrators

  #start(process: { host: Host; engine: Engine | null }): void {
    const { host } = process;
    host.life += 1;
    host.up = true;
    const { life } = host;
    const engine = createEngine({
      pool: this.#poolOf(host),
      definitions: [this.#definition(host)],
      name: host.name,
      leaseMs: LEASE_MS,
      random: () => this.#random(),
      clock: this.#timeline.clockOf(host, { origin: 1_000 * life, speed: 1, skewMs: 0 }),
      log: {
        info: (_, message) => this.#trace(`${host.name}: ${message}`),
        warn: (_, message) => this.#trace(`${host.name}: ${message}`),
        error: (_, message) => this.#trace(`${host.name}: ${message}`),
      },
    });
    process.engine = engine;
    const begin = () => void engine.start().catch(again);
    const again = () => this.#timeline.in(RETRY_START_MS, host, () => host.life === life && begin());
    begin();
  }

  #crash(process: { host: Host; engine: Engine | null }): void {
    process.engine = null;
    this.#network.died(process.host);
  }

  #definition(host: Host): SagaDefinition {
    const steps = this.#saga.definition.steps.map((step) => {
      const act = (context: StepContext<unknown, Record<string, unknown>>) =>
        this.#call<ActOutcome<unknown> | Waiting>(host, step.name, 'act', context);
      const undo = (context: StepContext<unknown, Record<string, unknown>>) =>
        this.#call<UndoOutcome>(host, step.name, 'undo', context);
      const own = { timeoutMs: TIMEOUT_MS, retry: RETRY, ...(step.waits !== undefined && { waits: WAITS }) };
      return { ...step, ...own, act, ...(step.undo !== undefined && { undo }) };
    });
    return { ...this.#saga.definition, steps };
  }

  #call<Outcome>(
    from: Host,
    step: string,
    direction: 'act' | 'undo',
    { signal: _, ...call }: StepContext<unknown, Record<string, unknown>>,
  ): Promise<Outcome> {
    const participant = this.#participants[step];
    const to = this.#desks.get(step);
    if (participant === undefined || to === undefined) throw new Error(`${step} has no participant: give it a model`);
    const link = this.#network.link(from.name, to.name);
    const refused = { kind: 'unknown', detail: 'nobody listens' } as Outcome;
    const serve = async () => (await participant[direction](call)) as Outcome;
    return this.#network.call(from, to, link, `${direction} ${call.sagaId} epoch ${call.epoch}`, serve, refused);
  }

  #poolOf(host: Host): Database {
    const query = (given: string | { name?: string; text: string; values?: unknown[] }, values?: unknown[]) =>
      this.#query(host, nameOf(given), (typeof given === 'string' ? values : given.values) ?? []);
    // The engine calls `query` with a text and values, or with a named statement; the model answers both.
    return { query } as unknown as Database;
  }

  #query<Row>(host: Host, name: string, values: readonly unknown[]): Promise<{ rows: Row[]; rowCount: number }> {
    const execute = () =>
      this.#database.execute({ name, values, senderNow: this.#timeline.now }) as { rows: Row[]; rowCount: number };
    const link = this.#network.link(host.name, this.#books.name);
    return this.#network.statement(host, this.#books, link, name, execute);
  }

  #random(): number {
    return this.#chance.fraction(7, { name: 'schedule', number: 77 }, this.#dice++);
  }
}
