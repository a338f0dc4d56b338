/*
 * The matrix for a saga of one's own: every crash point of the engine, once and twice, and every call of every step, lost,
 * doubled, late or overtaken by its undo, each on every path that the saga can take; and where a step waits, its signals early
 * and twice. The engine, the participants and
 * Postgres are the real ones; what dies is a `MortalEngine`. In the end the auditor looks at what all cases have left.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Pool, statement } from '@holdfast/postgres';
import {
  ENGINE_POINTS,
  type EndState,
  type Engine,
  type EnginePoint,
  type Inserted,
  type RunnableStep,
  type SagaDefinition,
  type SagaRow,
  type SignalOptions,
  startSagaSql,
} from '@holdfast/saga';
import { auditSagas, type EffectBook } from '../audit/audit-sagas.ts';
import { MortalEngine } from './mortal-engine.ts';
import { BadCalls, CALL_FAULTS, type CallFault } from './saga-calls.ts';

/** One way a saga goes if nothing goes wrong. */
export interface SagaPath<Input> {
  name: string;
  input: Input;
  /** Several where it is open who is first, as between a signal and a cancel. */
  ends: EndState | readonly EndState[];
  /** What steps are told from outside, each once its step waits, and again until it is stored. */
  signals?: readonly PathSignal[];
  /** A cancel is requested as soon as the saga waits. */
  cancelsWhileWaiting?: boolean;
}

export interface PathSignal extends SignalOptions {
  step: string;
}

/** When signals come: once their step waits, as soon as the saga has begun, or twice at once. */
export type SignalTiming = 'in-time' | 'early' | 'twice';

export interface SagaCase<Input> {
  title: string;
  path: SagaPath<Input>;
  /** Where the engine dies, and how often. */
  crash: { point: EnginePoint; times: number } | null;
  /** What goes wrong with a call. */
  call: { step: string; direction: 'act' | 'undo'; fault: CallFault } | null;
  signals: SignalTiming;
}

export interface SagaMatrixOptions<Input, Outputs> {
  /** Where the sagas are: a database with `sagaMigrations`, used by nobody else meanwhile. */
  databaseUrl: string;
  pool: Pool;
  definition: SagaDefinition<Input, Outputs>;
  effects: readonly EffectBook[];
  /** Cases at once; default 16. Most of a case is waiting for a lease. */
  atOnce?: number;
  /** Default 1,000. */
  leaseMs?: number;
  /** How long a case may take until its saga has ended; default 30 s. */
  endsWithinMs?: number;
}

export interface SagaCaseResult {
  /** `not-reached`: this path does not come by this point or call, so nothing was tried. */
  kind: 'passed' | 'not_reached' | 'violated';
  title: string;
  sagaId: string;
  /** How the saga ended, and what is wrong with it. */
  outcome: string;
}

/** For sagas whose step is cut off until its undo: they turn back when their time is over. */
const SHORT_DEADLINE_MS = 2_000;
/** For all others: more than any case takes, so that a slow machine turns none of them back. */
const PATIENT_DEADLINE_MS = 120_000;
const POLL_MS = 10;

const START = statement(
  'saga-matrix.start',
  startSagaSql({
    id: 'given.id',
    definition: '$2::text',
    input: '$3::jsonb',
    ownerId: '$4::bigint',
    deadlineMs: '$5::integer',
    changedAt: 'clock_timestamp()',
    source: '(select $1::text as id) given',
  }),
);
const WAITING = statement(
  'saga-matrix.waiting',
  `select case when state = 'waiting' then waiting ->> 'step' end as step, ended_at is not null as ended
     from holdfast.sagas where id = $1::text`,
);
const STATE = statement(
  'saga-matrix.state',
  'select state, ended_at is not null as ended from holdfast.sagas where id = $1::text',
);

/** Every case there is for this saga. */
export function sagaMatrix<Input, Outputs>(
  definition: SagaDefinition<Input, Outputs>,
  paths: readonly SagaPath<Input>[],
): SagaCase<Input>[] {
  return paths.flatMap((path) => {
    const crashes = ENGINE_POINTS.flatMap((point) =>
      [1, 2].map((times) => ({
        ...{ path, crash: { point, times }, call: null, signals: 'in-time' as const },
        title: `${path.name}: dies ${times === 1 ? 'once' : 'twice'} ${point}`,
      })),
    );
    const calls = definition.steps.flatMap(({ name: step, undo }) =>
      (['act', 'undo'] as const).flatMap((direction) =>
        CALL_FAULTS.filter((fault) => undo !== undefined && (fault !== 'overtaken' || direction === 'act')).map(
          (fault) => ({
            ...{ path, crash: null, call: { step, direction, fault }, signals: 'in-time' as const },
            title: `${path.name}: ${direction} of ${step} ${fault}`,
          }),
        ),
      ),
    );
    const timings = path.signals === undefined ? [] : (['in-time', 'early', 'twice'] as const);
    const signals = timings.map((timing) => ({
      ...{ path, crash: null, call: null, signals: timing },
      title: `${path.name}: signals ${timing}`,
    }));
    return [...crashes, ...calls, ...signals];
  });
}

/**
 * Runs the cases, several at once, and audits what they have left.
 * @returns one result for each case, in order
 * @throws what the sagas' database throws
 */
export async function runSagaMatrix<Input, Outputs>(
  options: SagaMatrixOptions<Input, Outputs>,
  cases: readonly SagaCase<Input>[],
): Promise<SagaCaseResult[]> {
  const results = new Map<SagaCase<Input>, SagaCaseResult>();
  const left = cases.values();
  const lane = async () => {
    for (const entry of left) results.set(entry, await new CaseRun(options, entry).run());
  };
  await Promise.all(Array.from({ length: options.atOnce ?? 16 }, lane));
  const bySaga = new Map([...results.values()].map((result) => [result.sagaId, result]));
  await auditSagas(options, {
    onViolation: (sagaId, detail) => {
      const result = bySaga.get(sagaId);
      // Whatever belongs to no case was there before, and is the caller's to explain.
      if (result === undefined) throw new Error(`${sagaId} is none of the matrix's sagas: ${detail}`);
      result.kind = 'violated';
      result.outcome += `; ${detail}`;
    },
  });
  return cases.map((entry) => results.get(entry) as SagaCaseResult);
}

/** A wait moves the deadline on: a short one must stay short. */
function hasty(step: RunnableStep, deadlineMs: number): RunnableStep {
  if (step.waits === undefined) return step;
  return { ...step, waits: { ...step.waits, maxMs: Math.min(step.waits.maxMs, deadlineMs) } };
}

/** One case: a saga of its own, under a definition of its own, so that no other case's engine adopts it. */
class CaseRun<Input, Outputs> {
  readonly #options: SagaMatrixOptions<Input, Outputs>;
  readonly #entry: SagaCase<Input>;
  readonly #id = randomUUID();
  readonly #calls: BadCalls;
  readonly #definition: SagaDefinition;
  readonly #deaths = new Map<EnginePoint, number>();
  #current: MortalEngine | null = null;
  readonly #endAt: number;
  #isOver = false;
  #starting: Promise<void> = Promise.resolve();
  #told = 0;

  constructor(options: SagaMatrixOptions<Input, Outputs>, entry: SagaCase<Input>) {
    this.#options = options;
    this.#entry = entry;
    this.#calls = new BadCalls(entry.call);
    this.#endAt = performance.now() + (options.endsWithinMs ?? 30_000);
    const { definition } = options;
    const deadlineMs = entry.call?.fault === 'overtaken' ? SHORT_DEADLINE_MS : PATIENT_DEADLINE_MS;
    const name = `${definition.name}-${this.#id}`;
    const steps = this.#calls.over(definition.steps.map((step) => hasty(step, deadlineMs)));
    this.#definition = { ...definition, name, deadlineMs, steps };
  }

  async run(): Promise<SagaCaseResult> {
    const { title, path, call, crash } = this.#entry;
    const state = await this.#drive();
    // Its time is short, whether it comes by that call or not.
    const mayEnd = [path.ends].flat();
    if (call?.fault === 'overtaken') mayEnd.push('failed');
    const struck =
      crash !== null ? (this.#deaths.get(crash.point) ?? 0) > 0 : call !== null ? this.#calls.struck : this.#told > 0;
    const kind = !mayEnd.includes(state as EndState) ? 'violated' : struck ? 'passed' : 'not_reached';
    return { kind, title, sagaId: this.#id, outcome: state };
  }

  /** @returns how the saga has ended, when nothing of it is under way any more */
  async #drive(): Promise<string> {
    try {
      await this.#startEngine();
      await this.#startSaga();
      const [state] = await Promise.all([this.#end(), this.#world()]);
      return state;
    } finally {
      this.#isOver = true;
      await this.#starting;
      await this.#calls.quiet();
      await this.#current?.engine.stop({ graceMs: 1_000 });
    }
  }

  async #startEngine(): Promise<void> {
    const { pool, leaseMs = 1_000 } = this.#options;
    const mortal = new MortalEngine({ pool, definition: this.#definition, leaseMs, diesAt: (at) => this.#diesAt(at) });
    void mortal.died.then(() => {
      if (!this.#isOver) this.#starting = this.#restart();
    });
    await mortal.engine.start();
    this.#current = mortal;
  }

  /** Like a supervisor: until it stands, whatever keeps it from starting. */
  async #restart(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#startEngine();
        return;
      } catch {
        // The database is busy: a saga that nobody drives any more is told of by its case, which does not end.
        await delay(POLL_MS);
      }
    }
  }

  #diesAt(point: EnginePoint): boolean {
    const { crash } = this.#entry;
    const deaths = this.#deaths.get(point) ?? 0;
    // There is nothing to adopt unless somebody has died before.
    const before = crash?.point.endsWith('-adoption') && point === 'after-act' && deaths === 0;
    const dies = before || (crash?.point === point && deaths < crash.times);
    if (dies) this.#deaths.set(point, deaths + 1);
    return dies === true;
  }

  /** On a busy machine an engine may lose its lease before it has begun; it takes sagas again when it has another. */
  async #startSaga(): Promise<void> {
    for (;;) {
      const outcome = await this.#current?.engine.beginWith(this.#id, (ownerId) => this.#insert(ownerId));
      if (outcome?.kind === 'begun' || outcome?.kind === 'exists') return;
      if (performance.now() > this.#endAt) throw new Error(`no engine takes the saga: ${outcome?.kind}`);
      await delay(POLL_MS);
    }
  }

  async #insert(ownerId: number): Promise<Inserted<undefined>> {
    const { name, deadlineMs } = this.#definition;
    const values = [this.#id, name, JSON.stringify(this.#entry.path.input), ownerId, deadlineMs];
    const { rows } = await this.#options.pool.query<SagaRow>({ ...START, values });
    return rows[0] === undefined ? { kind: 'exists', existing: undefined } : { kind: 'begun', row: rows[0] };
  }

  /** What happens outside, until it is heard or the saga has ended. */
  async #world(): Promise<void> {
    const { path, signals: timing } = this.#entry;
    const told = (path.signals ?? []).flatMap((signal) => {
      const tell = async () => {
        if (timing !== 'early' && !(await this.#waitsFor(signal.step))) return;
        const { step, ...told } = signal;
        await this.#ask(async (engine) => (await engine.signal(this.#id, step, told)).kind !== 'not_found');
        this.#told += 1;
      };
      return timing === 'twice' ? [tell(), tell()] : [tell()];
    });
    const cancelled = async () => {
      if (path.cancelsWhileWaiting !== true || !(await this.#waitsFor(null))) return;
      await this.#ask(async (engine) => (await engine.cancel(this.#id, 0)).kind !== 'not_found');
    };
    await Promise.all([...told, cancelled()]);
  }

  /** @returns false when the saga has ended first, or its time is over */
  async #waitsFor(step: string | null): Promise<boolean> {
    for (;;) {
      const { rows } = await this.#options.pool.query<{ step: string | null; ended: boolean }>({
        ...WAITING,
        values: [this.#id],
      });
      const { step: waited = null, ended = true } = rows[0] ?? {};
      if (ended || performance.now() > this.#endAt) return false;
      if (waited !== null && (step === null || waited === step)) return true;
      await delay(POLL_MS);
    }
  }

  /** Like a client: the same again, until an engine has answered. */
  async #ask(question: (engine: Engine) => Promise<boolean>): Promise<void> {
    while (performance.now() < this.#endAt) {
      const mortal = this.#current;
      // A dead engine answers nothing; what it was asked may be stored all the same.
      const unheard = () => false;
      const answered =
        mortal !== null && (await Promise.race([question(mortal.engine).catch(unheard), mortal.died.then(unheard)]));
      if (answered) return;
      await delay(POLL_MS);
    }
  }

  /** @returns the state that it ended in, or where it stands when its time is over */
  async #end(): Promise<string> {
    for (;;) {
      const { rows } = await this.#options.pool.query<{ state: string; ended: boolean }>({
        ...STATE,
        values: [this.#id],
      });
      const { state, ended } = rows[0] ?? { state: 'lost', ended: false };
      if (ended) return state;
      if (performance.now() > this.#endAt) return `still ${state} (S1)`;
      await delay(POLL_MS);
    }
  }
}
