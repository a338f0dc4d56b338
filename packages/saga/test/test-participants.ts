import { createPool, type Pool } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import {
  type ActOutcome,
  defineSaga,
  type SagaDefinition,
  type StepContext,
  type UndoOutcome,
  type Waiting,
  type WaitLimits,
} from '../src/definition/definition.ts';
import { createEngine, type Engine } from '../src/engine/engine.ts';
import type { EngineOptions } from '../src/engine/engine-options.ts';
import type { Database } from '../src/engine/ports.ts';
import { type SagaRow, sagaMigrations, startSagaSql } from '../src/journal/saga-row.ts';

/** What the engine's tests share: a saga of four steps whose participants are tables, and engines that can be killed. */

export interface TestInput {
  note: string;
}
export interface TestOutputs {
  reserve: { done: string };
  charge: { done: string };
  ship: { done: string };
  notify: { done: string };
}
export type StepName = keyof TestOutputs;
type Context = StepContext<TestInput, TestOutputs>;
type Done = { done: string };

/** Replaces a participant's answer; `effect` runs the real one. */
export type ActHook = (
  context: Context,
  effect: () => Promise<ActOutcome<Done>>,
) => Promise<ActOutcome<Done> | Waiting>;
export type UndoHook = (context: Context, effect: () => Promise<UndoOutcome>) => Promise<UndoOutcome>;

/** One call that reached a participant, with what was durable of the saga at that moment. */
export interface Call {
  step: StepName;
  direction: 'act' | 'undo';
  key: string;
  epoch: number;
  saga_state: string;
  saga_position: number;
}

export interface Effect {
  step: StepName;
  state: 'done' | 'undone' | 'sealed';
}

const SCHEMA = `
  create table effects (
    key text primary key, saga_id text not null, step text not null, state text not null, epoch bigint not null);
  create table calls (
    n bigint generated always as identity, saga_id text not null, step text not null, direction text not null,
    key text not null, epoch bigint not null, saga_state text not null, saga_position integer not null,
    primary key (saga_id, n));`;
const RECORD_CALL = `
  insert into calls (saga_id, step, direction, key, epoch, saga_state, saga_position)
  select $1::text, $2::text, $3::text, $4::text, $5::bigint, state, position from holdfast.sagas where id = $1::text`;
const ACT = `
  with fence as (select coalesce(max(epoch), 0) as epoch from effects where saga_id = $2::text),
  fresh as (
    insert into effects (key, saga_id, step, state, epoch)
    select $1::text, $2::text, $3::text, 'done', $4::bigint from fence where fence.epoch <= $4::bigint
    on conflict (key) do nothing
    returning state)
  select fence.epoch > $4::bigint as fenced,
         coalesce((select state from fresh), (select state from effects where key = $1::text)) as state
    from fence`;
// Sealing what never ran and undoing what did is one statement, as it is in a real participant.
const UNDO = `
  insert into effects (key, saga_id, step, state, epoch) values ($1::text, $2::text, $3::text, 'sealed', $4::bigint)
  on conflict (key) do update set epoch = excluded.epoch,
    state = case when effects.state = 'done' then 'undone' else effects.state end`;

export class SagaTest {
  readonly database: TestDatabase;
  readonly definition: SagaDefinition<TestInput, TestOutputs>;
  readonly #acts = new Map<string, ActHook>();
  readonly #undos = new Map<string, UndoHook>();
  readonly #engines = new Map<Engine, Pool>();

  private constructor(database: TestDatabase) {
    this.database = database;
    this.definition = this.define({});
  }

  static async create(name: string): Promise<SagaTest> {
    const database = await testDatabase(name, [sagaMigrations]);
    await database.pool.query(SCHEMA);
    return new SagaTest(database);
  }

  async drop(): Promise<void> {
    await this.killAll();
    await this.database.drop();
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#engines.keys()].map((engine) => this.kill(engine)));
  }

  /** For one saga, or for all of them (`'*'`). */
  onAct(id: string, step: StepName, hook: ActHook): void {
    this.#acts.set(`${id}:${step}`, hook);
  }

  onUndo(id: string, step: StepName, hook: UndoHook): void {
    this.#undos.set(`${id}:${step}`, hook);
  }

  /** `charge`, `ship` and `notify` may wait. */
  define(limits: {
    name?: string;
    deadlineMs?: number;
    timeoutMs?: number;
    maxAttempts?: number;
    waits?: WaitLimits /** Before `charge`. */;
    delayMs?: number;
    notifyDelayMs?: number;
  }) {
    const timeoutMs = limits.timeoutMs ?? 5_000;
    const retry = { baseMs: 5, capMs: 20, ...(limits.maxAttempts && { maxAttempts: limits.maxAttempts }) };
    const waits = limits.waits ?? { maxMs: 20_000 };
    const step = <Name extends StepName>(name: Name) => ({
      name,
      timeoutMs,
      retry,
      waits,
      act: (context: Context) => this.#act(name, context),
      undo: (context: Context) => this.#undo(name, context),
    });
    const { waits: _, ...reserve } = step('reserve');
    return defineSaga<TestInput, TestOutputs>()({
      name: limits.name ?? 'test',
      deadlineMs: limits.deadlineMs ?? 20_000,
      steps: [
        {
          ...reserve,
          kind: 'compensatable',
          act: async (context) => {
            const outcome = await this.#act('reserve', context);
            // Against its type, as an answer from outside may be.
            return outcome as ActOutcome<Done>;
          },
        },
        {
          ...step('charge'),
          ...(limits.delayMs !== undefined && { delayMs: limits.delayMs }),
          kind: 'compensatable',
        },
        { ...step('ship'), kind: 'pivot' },
        {
          name: 'notify',
          ...(limits.notifyDelayMs !== undefined && { delayMs: limits.notifyDelayMs }),
          timeoutMs,
          retry,
          waits,
          kind: 'retriable',
          act: async (context) => {
            const outcome = await this.#act('notify', context);
            return outcome.kind === 'refused' ? { kind: 'unknown', detail: outcome.reason } : outcome;
          },
        },
      ],
    });
  }

  /** A started engine with its own pool; `wrap` stands between the two. */
  async engine(options: Partial<EngineOptions> = {}, wrap = (pool: Pool): Database => pool): Promise<Engine> {
    const pool = createPool({ databaseUrl: this.database.databaseUrl, applicationName: 'engine', max: 4 });
    const log = { info() {}, warn() {}, error() {} };
    const engine = createEngine({
      pool: wrap(pool),
      definitions: [this.definition],
      name: 'test',
      leaseMs: 1_500,
      log,
      ...options,
    });
    this.#engines.set(engine, pool);
    await engine.start();
    return engine;
  }

  /** Ends an engine as a crash does: lease not released, nothing more written. */
  async kill(engine: Engine): Promise<void> {
    engine.abandon();
    await this.closePool(engine);
  }

  async closePool(engine: Engine): Promise<void> {
    const pool = this.#engines.get(engine);
    this.#engines.delete(engine);
    await pool?.end();
  }

  /** Inserts a saga and has the engine drive it. */
  async start(engine: Engine, id: string, definition: SagaDefinition = this.definition): Promise<void> {
    const outcome = await engine.begin(definition, id, { note: 'stored' });
    if (outcome.kind !== 'begun') throw new Error(`not begun: ${outcome.kind}`);
  }

  async insert(id: string, ownerId: number, definition: SagaDefinition = this.definition): Promise<SagaRow> {
    const { rows } = await this.database.pool.query<SagaRow>(
      startSagaSql({
        id: 'claimed.id',
        definition: '$2::text',
        input: '$3::jsonb',
        ownerId: '$4::bigint',
        deadlineMs: '$5::integer',
        changedAt: 'clock_timestamp()',
        source: '(select $1::text as id) claimed',
      }),
      [id, definition.name, { note: 'stored' }, ownerId, definition.deadlineMs],
    );
    if (rows[0] === undefined) throw new Error('the insert returned nothing');
    return rows[0];
  }

  async calls(id: string): Promise<Call[]> {
    const { rows } = await this.database.pool.query<Call>(
      'select step, direction, key, epoch, saga_state, saga_position from calls where saga_id = $1 order by n',
      [id],
    );
    return rows;
  }

  /** `act reserve`, `undo reserve`, … in the order of the calls. */
  async callNames(id: string): Promise<string[]> {
    return (await this.calls(id)).map(({ direction, step }) => `${direction} ${step}`);
  }

  async effects(id: string): Promise<Effect[]> {
    const { rows } = await this.database.pool.query<Effect>(
      `select step, state from effects where saga_id = $1
        order by array_position(array['reserve', 'charge', 'ship', 'notify'], step)`,
      [id],
    );
    return rows;
  }

  async #act(step: StepName, context: Context): Promise<ActOutcome<Done> | Waiting> {
    await this.#record(step, 'act', context);
    const effect = async (): Promise<ActOutcome<Done>> => {
      const { rows } = await this.database.pool.query<{ fenced: boolean; state: string | null }>(ACT, [
        context.key,
        context.sagaId,
        step,
        context.epoch,
      ]);
      if (rows[0]?.fenced) return { kind: 'fenced', detail: 'a newer owner was here' };
      if (rows[0]?.state === 'done') return { kind: 'completed', output: { done: step } };
      // A copy of this call has written it since this statement began, which can't see it: the next one does.
      if (rows[0]?.state == null) return { kind: 'unknown', detail: 'a copy of this call is under way' };
      return { kind: 'refused', reason: 'SEALED', message: 'undone before' };
    };
    const hook = this.#acts.get(`${context.sagaId}:${step}`) ?? this.#acts.get(`*:${step}`);
    return hook === undefined ? await effect() : await hook(context, effect);
  }

  async #undo(step: StepName, context: Context): Promise<UndoOutcome> {
    await this.#record(step, 'undo', context);
    const effect = async (): Promise<UndoOutcome> => {
      const actKey = context.key.replace(/:undo$/, '');
      await this.database.pool.query(UNDO, [actKey, context.sagaId, step, context.epoch]);
      return { kind: 'completed' };
    };
    const hook = this.#undos.get(`${context.sagaId}:${step}`) ?? this.#undos.get(`*:${step}`);
    return hook === undefined ? await effect() : await hook(context, effect);
  }

  async #record(step: StepName, direction: 'act' | 'undo', context: Context): Promise<void> {
    await this.database.pool.query(RECORD_CALL, [context.sagaId, step, direction, context.key, context.epoch]);
  }
}

/** A pool whose statements pass through `around`, which may hold them up, lose them or lose their reply. */
export function intercept(
  pool: Pool,
  around: (sql: string, values: unknown[], run: () => Promise<unknown>) => Promise<unknown>,
): Database {
  const query = (query: string | { name?: string; text: string; values?: unknown[] }, values?: unknown[]) => {
    const [sql, given] = typeof query === 'string' ? [query, values] : [query.name ?? query.text, query.values];
    return around(sql, given ?? [], () => pool.query(typeof query === 'string' ? query : query.text, given));
  };
  return { query } as unknown as Database;
}

/** Does this statement carry checkpoints, as opposed to nothing but attempts? */
export function isCheckpointFlush(sql: string, values: unknown[]): boolean {
  return sql.includes('saga.flush-checkpoints') && Array.isArray(values[1]) && values[1].length > 0;
}

/** Resolves when `condition` holds; polls, bounded. @throws Error after `ms` */
export async function eventually(condition: () => Promise<boolean>, ms = 10_000): Promise<void> {
  const until = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > until) throw new Error(`the condition did not come true within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
