import { randomUUID } from 'node:crypto';
import type { IdempotentCall, Settlement } from '@holdfast/idempotency';
import {
  createSingleFlight,
  type Fingerprinter,
  idempotencyMigrations,
  loadFingerprinter,
} from '@holdfast/idempotency';
import type { Pool, Transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { expect, vi } from 'vitest';
import { type Begun, createStepRunner, type Prepared, type RunStep, type StepSpec } from '../src/step/step-runner.ts';

// For tests only: processes of one service whose effects are rows, on one database, with doors that a test can hold.

let database: TestDatabase;
let fingerprinter: Fingerprinter;

/** Patient: tests hold rows on purpose, and a machine may be slow. */
export async function startTestSteps(name: string): Promise<TestDatabase> {
  database = await stepDatabase(name, 15_000);
  fingerprinter = await loadFingerprinter(database.pool);
  return database;
}

export async function stepDatabase(name: string, lockTimeoutMs: number): Promise<TestDatabase> {
  const made = await testDatabase(name, [idempotencyMigrations], { keyLookupsOnly: true, lockTimeoutMs });
  await made.pool.query('create table effects (order_id text primary key, made_by text not null, live boolean)');
  return made;
}

/** Another request for the same order. */
export const otherRequest = () => fingerprinter.of('act', { other: true });

export const TENANT = 'shop';

/** What a test's act does: settle here, be refused, throw, or call out. */
export type Wish = 'here' | 'refuse' | 'throw' | 'outside';
export type Call = IdempotentCall & { fence: { orderId: string; epoch: number } };

export function newCall(extra: Partial<Call> = {}): Call {
  const orderId = randomUUID();
  return {
    tenantId: TENANT,
    key: `${orderId}:act`,
    operation: 'act',
    fingerprint: fingerprinter.of('act', { orderId }),
    waitMs: 0,
    fence: { orderId, epoch: 1 },
    ...extra,
  };
}

export const undoOf = (call: Call): Call => ({
  ...call,
  key: `${call.key}:undo`,
  operation: 'undo',
  fingerprint: fingerprinter.of('undo', { orderId: call.fence.orderId }),
});

export const newCalls = (count: number, extra: Partial<Call> = {}) =>
  Array.from({ length: count }, () => newCall(extra));
const done = (text: string): Settlement => ({ kind: 'completed', answer: Buffer.from(text) });
export const executed = (text: string, replayed: boolean) => ({
  kind: 'completed',
  answer: Buffer.from(text),
  replayed,
});

/** One process of a service: its memory is its own, the database is everybody's. */
export interface Process {
  act: RunStep<Wish>;
  undo: RunStep<Wish>;
  /** How many calls each transaction prepared, and each recorded. */
  prepared: number[];
  recorded: number[];
  resumed: boolean[];
  /** Runs in the transaction, after the effects. */
  inside: (calls: Begun<Wish>[]) => Promise<void>;
  insideUndo: () => Promise<void>;
  /** The call to the world outside. */
  perform: (orderId: string) => Promise<'completed' | 'unknown'>;
}

const ordersOf = (calls: { call: IdempotentCall }[]) => calls.map(({ call }) => call.fence?.orderId);

export function newProcess(name: string, pool: Pool = database.pool): Process {
  const singleFlight = createSingleFlight();
  const process: Process = {
    act: () => Promise.reject(new Error('not made yet')),
    undo: () => Promise.reject(new Error('not made yet')),
    prepared: [],
    recorded: [],
    resumed: [],
    inside: async () => undefined,
    insideUndo: async () => undefined,
    perform: async () => 'completed',
  };
  const makeEffects = (tx: Transaction, calls: { call: IdempotentCall }[]) =>
    tx.query(
      `insert into effects (order_id, made_by, live) select id, $2::text, true from unnest($1::text[]) as id
       on conflict (order_id) do nothing`,
      [ordersOf(calls), name],
    );
  const act: StepSpec<Wish, string, string> = {
    operation: 'act',
    async prepare(tx, calls) {
      process.prepared.push(calls.length);
      process.resumed.push(...calls.map(({ resumed }) => resumed));
      const here = calls.filter(({ request }) => request === 'here');
      if (here.length > 0) await makeEffects(tx, here);
      await process.inside(calls);
      if (calls.some(({ request }) => request === 'throw')) throw new Error('this one is impossible');
      return calls.map(({ request, call }): Prepared<string> => {
        if (request === 'outside') return { kind: 'perform', plan: call.fence?.orderId ?? '' };
        return request === 'refuse' ? { kind: 'refused', answer: Buffer.from('too little') } : done(name);
      });
    },
    outside: {
      leaseMs: 60_000,
      async perform(plan) {
        const outcome = await process.perform(plan);
        return outcome === 'completed'
          ? { kind: 'completed', result: name }
          : { kind: 'unknown', detail: 'nobody answers' };
      },
      async record(tx, performed) {
        process.recorded.push(performed.length);
        await makeEffects(tx, performed);
        return performed.map(({ result }) => done(result));
      },
    },
  };
  const undo: StepSpec<Wish, never, never> = {
    operation: 'undo',
    undoes: 'act',
    async prepare(tx, calls) {
      await tx.query('update effects set live = false where order_id = any($1::text[])', [ordersOf(calls)]);
      await process.insideUndo();
      return calls.map((call) => done(call.act));
    },
  };
  process.act = createStepRunner(pool, singleFlight, act);
  process.undo = createStepRunner(pool, singleFlight, undo);
  return process;
}

export const actAll = (process: Process, calls: Call[], wish: Wish = 'here') =>
  Promise.all(calls.map((call) => process.act(call, wish)));

export async function effectsOf(calls: Call[]): Promise<{ made_by: string; live: boolean }[]> {
  const { rows } = await database.pool.query(
    'select made_by, live from effects where order_id = any($1::text[]) order by array_position($1::text[], order_id)',
    [calls.map(({ fence }) => fence.orderId)],
  );
  return rows;
}

/** The transactions that last wrote these calls' claims. */
export async function writersOf(calls: Call[]): Promise<string[]> {
  const { rows } = await database.pool.query(
    'select distinct xmin::text from holdfast.claims where scope = any($1::text[])',
    [calls.map(({ fence }) => fence.orderId)],
  );
  return rows.map(({ xmin }) => xmin);
}

export async function epochSeen(call: Call): Promise<number | undefined> {
  const { rows } = await database.pool.query('select epoch from holdfast.fences where order_id = $1', [
    call.fence.orderId,
  ]);
  return rows[0]?.epoch;
}

export const endLeases = (calls: Call[]) =>
  database.pool.query(
    `update holdfast.claims set lease_until = clock_timestamp() where scope = any($1) and state = 'in_progress'`,
    [calls.map(({ fence }) => fence.orderId)],
  );

/** Resolves when somebody waits for a row that another transaction holds. */
export const somebodyWaits = () =>
  vi.waitFor(
    async () => {
      const { rowCount } = await database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBeGreaterThan(0);
    },
    { timeout: 10_000, interval: 20 },
  );

/** Commits, and then loses the connection before anybody hears of it. */
export function losingCommits(pool: Pool): Pool {
  const connect = async () => {
    const client = await pool.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    const losing = async (...args: unknown[]) => {
      const result = await query(...args);
      if (args[0] === 'commit') throw new Error('Connection terminated unexpectedly');
      return result;
    };
    return new Proxy(client, {
      get: (target, name) => (name === 'query' ? losing : Reflect.get(target, name, target)),
    });
  };
  return { connect, query: pool.query.bind(pool) } as unknown as Pool;
}

/** Calls that are outside until the test lets them come back. */
export function holdOutside(process: Process) {
  const back = Promise.withResolvers<void>();
  const out: string[] = [];
  process.perform = async (orderId) => {
    out.push(orderId);
    await back.promise;
    return 'completed';
  };
  return { out, comeBack: back.resolve };
}
