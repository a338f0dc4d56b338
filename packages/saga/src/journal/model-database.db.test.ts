import { createPool, type Pool } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { ModelDatabase, nameOf, READ_ANSWER, STORE_ANSWER } from '@holdfast/testing/simulation';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEGIN } from '../engine/begin.ts';
import { type Database, systemClock } from '../engine/ports.ts';
import { ProcessLease } from '../engine/process-lease.ts';
import { requestCancel } from '../operator/cancel.ts';
import { resumeParked } from '../operator/operate.ts';
import { storeSignal } from '../operator/signal.ts';
import { sweep } from '../recovery/recovery.ts';
import type { Checkpoint } from './checkpoint.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';
import { readSnapshot } from './read.ts';
import { type SagaState, sagaMigrations } from './saga-row.ts';

const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 20_261_124);
const OPERATIONS = 1_500;
const DEFINITION = 'twins';
const log = { info() {}, warn() {}, error() {} };

const STORE = `/* ${STORE_ANSWER} */ insert into answers values ($1::text, $2::text) on conflict do nothing`;
const READ = `/* ${READ_ANSWER} */ select answer from answers where id = $1::text`;
const commitHook = {
  name: 'store-answer',
  text: `insert into answers select id, payload from written where payload is not null
         on conflict do nothing returning id`,
  returnsStored: true,
};

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await testDatabase('model', [sagaMigrations]);
  pool = createPool({ databaseUrl: database.databaseUrl, applicationName: 'twins', max: 1 });
  await pool.query('create table answers (id text primary key, answer text not null)');
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

/** Hands every statement to Postgres and to the model, and compares what they say. */
function twins(model: ModelDatabase, seen: Set<string>): Database {
  const query = async (given: string | { name?: string; text: string; values?: unknown[] }, values?: unknown[]) => {
    const name = nameOf(given);
    const [text, sent] = typeof given === 'string' ? [given, values ?? []] : [given.text, given.values ?? []];
    const real = await pool.query(text, sent);
    const modelled = model.execute({ name, values: sent, senderNow: 0 });
    expect(comparable(modelled.rows), `${name} ${JSON.stringify(sent)}`).toEqual(comparable(real.rows));
    if (/heartbeat|release|request|end-leases/.test(name)) expect(modelled.rowCount, name).toBe(real.rowCount);
    seen.add(name);
    return real;
  };
  return { query } as unknown as Database;
}

/** The row's attempts as the model has them. */
function withNumbers(row: { inlineAttempts: [number, unknown[][]][] | null }) {
  const attempts = (row.inlineAttempts ?? []).flatMap(([, ofCheckpoint]) => ofCheckpoint);
  return { ...row, inlineAttempts: attempts.map(([epoch, seq]) => `${epoch} ${seq}`) };
}

const TIMES = new Set(['remaining_ms', 'age_ms', 'deadlineMs']);

/** Without instants, and in one order. */
function comparable(rows: readonly unknown[]): string[] {
  return rows
    .map((row) => JSON.stringify(row, (key, value) => (TIMES.has(key) ? undefined : sortedKeys(value))))
    .sort();
}

function sortedKeys(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('the modelled tables', () => {
  it(`S1, S2: answer ${OPERATIONS} random statements of the engine as Postgres does (seed ${SEED})`, async () => {
    let last = 0;
    // No two instants are the same, as with the database's microseconds.
    const now = () => (last = Math.max(last + 0.001, performance.now()));
    const reached = new Set<string>();
    let woken = 0;
    const onChange = (before: { state: string } | null, after: { state: string }) => {
      reached.add(after.state);
      if (before?.state === 'waiting' && after.state === 'running') woken += 1;
    };
    const model = new ModelDatabase(now, onChange, {});
    const seen = new Set<string>();
    await operate(twins(model, seen), model);
    const { rows } = await pool.query(
      `select id, state, position, outputs, failure, parked is not null as parked, resume_state as "resumeState",
              cancel_requested_at is not null as cancelled, waiting, signals,
              (date_part('epoch', deadline_at - started_at) * 1000)::integer as "deadlineMs",
              wake_at is not null and wake_at <= clock_timestamp() as due, owner_id as "ownerId", epoch, revision, changed_at as "changedAt",
              ended_at is not null as ended, ('[' || inline_attempts || ']')::jsonb as "inlineAttempts" from holdfast.sagas`,
    );
    const modelled = [...model.sagas.values()].map((saga) => ({
      id: saga.id,
      state: saga.state,
      position: saga.position,
      outputs: JSON.parse(saga.outputs),
      failure: JSON.parse(saga.failure ?? 'null'),
      parked: saga.parked !== null,
      resumeState: saga.resumeState,
      cancelled: saga.cancelRequestedAt !== null,
      waiting: JSON.parse(saga.waiting ?? 'null'),
      signals: saga.signals,
      deadlineMs: saga.deadlineAt - saga.startedAt,
      due: saga.wakeAt !== null && saga.wakeAt <= now(),
      ownerId: saga.ownerId,
      epoch: saga.epoch,
      revision: saga.revision,
      changedAt: new Date(saga.changedAt),
      ended: saga.endedAt !== null,
      inlineAttempts: saga.inlineAttempts,
    }));
    expect(comparable(modelled)).toEqual(comparable(rows.map(withNumbers)));
    const deadlines = new Map<string, number>(rows.map(({ id, deadlineMs }) => [id, deadlineMs]));
    // Each by its own clock, so within seconds.
    for (const { id, deadlineMs } of modelled) expect(deadlineMs, id).toBeCloseTo(deadlines.get(id) ?? 0, -4);
    expect(new Set([...deadlines.values()].map((ms) => Math.round(ms / 60_000))).size).toBeGreaterThan(3);
    const answers = await pool.query('select id, answer from answers');
    expect(comparable([...model.answers].map(([id, answer]) => ({ id, answer })))).toEqual(comparable(answers.rows));
    const journal = await pool.query(
      `select saga_id || ' ' || epoch || ' ' || seq as attempt from holdfast.saga_attempts`,
    );
    expect([...model.attempts].sort()).toEqual(journal.rows.map(({ attempt }) => attempt).sort());
    expect(reached.size, 'every state was reached').toBe(7);
    expect(woken).toBeGreaterThan(10);
    const told = await pool.query('select saga_id, step, key, data from holdfast.saga_signals');
    const modelledSignals = [...model.signals].flatMap(([saga_id, signals]) =>
      signals.map((one) => ({ saga_id, ...one })),
    );
    expect(comparable(modelledSignals)).toEqual(comparable(told.rows));
    expect([...seen].sort()).toEqual(STATEMENTS.toSorted());
  }, 120_000);
});

const STATEMENTS = [
  STORE_ANSWER,
  READ_ANSWER,
  'saga.begin',
  'saga.register-owner',
  'saga.release-owner',
  'saga.end-leases-of',
  'saga.forget-owners',
  'saga.dead-owners',
  'saga.sagas-of-owner',
  'saga.own-neglected',
  'saga.adopt',
  'saga.request-cancel',
  'saga.due',
  'saga.wake',
  'saga.signal',
  'saga.resume',
  'saga.read-snapshot',
  'saga.flush-checkpoints',
];

async function operate(db: Database, model: ModelDatabase): Promise<void> {
  const random = xoroshiro128plus(SEED);
  const integer = (from: number, to: number) => uniformInt(random, from, to);
  const leases: ProcessLease[] = [];
  const register = async () => {
    const options = {
      pool: db,
      name: `twin ${leases.length % 3}`,
      log,
      clock: systemClock,
      // Longer than this test takes on any machine: it is not about heartbeats.
      leaseMs: 540_000,
      onLost() {},
    };
    leases.push(await ProcessLease.register(options));
  };
  const lease = () => leases[integer(0, leases.length - 1)] as ProcessLease;
  const saga = () => `s${integer(1, 30)}`;
  for (let n = 0; n < 3; n++) await register();
  for (let n = 0; n < OPERATIONS; n++) {
    const { ownerId } = lease();
    switch (integer(0, 9)) {
      case 0:
        await begin(db, `s${n}`, ownerId);
        await begin(db, `s${(n % 30) + 1}`, ownerId);
        break;
      case 1:
        if (integer(0, 4) === 0) {
          const [gone] = leases.splice(integer(0, leases.length - 1), 1);
          if (integer(0, 1) === 0) await gone?.release();
          else await ProcessLease.endLeasesOf(`twin ${integer(0, 2)}`, db);
          await register();
        }
        break;
      case 2:
        await adopt(db, ownerId);
        break;
      case 3:
        await requestCancel(db, saga());
        await storeSignal(db, saga(), integer(0, 1) === 0 ? 'reserve' : 'charge', {
          key: `k${integer(1, 4)}`,
          data: n,
        });
        break;
      case 4:
        await resumeParked(db, saga(), ownerId, [DEFINITION], new Date(instant()));
        break;
      case 5:
        await readSnapshot(db, saga());
        await db.query(STORE, [`s${(n % 30) + 1}`, `at ${n}`]);
        await db.query(READ, [`s${(n % 29) + 1}`]);
        break;
      default:
        await flush(db, model, integer, saga());
    }
  }
  for (const held of leases) held.abandon();
}

async function begin(db: Database, id: string, ownerId: number): Promise<void> {
  await db.query({ ...BEGIN, values: [id, DEFINITION, JSON.stringify({ id }), ownerId, 60_000, instant()] });
}

/** Any, as by clocks that are wrong. */
function instant(): string {
  return new Date(1_767_000_000_000 + ((performance.now() * 7_919) % 1e9)).toISOString();
}

async function adopt(db: Database, ownerId: number): Promise<void> {
  await sweep({
    db,
    ownerId,
    log,
    definitions: [DEFINITION],
    neglectedAfterMs: 0,
    active: () => true,
    takeSlot: () => ({ run() {}, release() {} }),
    room: () => 100,
    wallNow: () => Date.parse(instant()),
    woken: () => {},
    cancelRequested: () => {},
    crashPoint: () => {},
  });
}

const STATES = [
  ...['running', 'running', 'waiting', 'waiting', 'compensating', 'completed', 'failed', 'cancelled', 'parked'],
] as SagaState[];

/** A checkpoint that may be right, another's, or long out of date. */
async function flush(
  db: Database,
  model: ModelDatabase,
  integer: (from: number, to: number) => number,
  id: string,
): Promise<void> {
  const stored = model.sagas.get(id);
  const state = STATES[integer(0, STATES.length - 1)];
  const isParked = state === 'parked';
  const waiting = {
    step: integer(0, 1) === 0 ? 'reserve' : 'charge',
    reason: 'R',
    data: { n: 1 },
    since: 's',
    until: 'u',
    leftMs: 300_000,
    mayTurnBack: integer(0, 1) === 0,
    ...(integer(0, 2) === 0 && { beside: { charge: { reason: 'R', data: null } } }),
  };
  const epoch = (stored?.epoch ?? 1) + (integer(0, 5) === 0 ? -1 : 0);
  const checkpoint: Checkpoint = {
    id,
    epoch,
    revision: Math.max(0, (stored?.revision ?? 0) + integer(-1, 2)),
    state: state ?? 'running',
    position: integer(0, 3),
    outputs: { reserve: { n: integer(0, 9) } },
    failure: integer(0, 1) === 0 ? null : { step: 'reserve', reason: 'R', message: 'm' },
    parked: isParked
      ? {
          ...{ step: 'reserve', direction: 'act', detail: '', attempts: 1 },
          ...(integer(0, 1) === 0
            ? { reason: 'ATTEMPTS_EXHAUSTED' }
            : { reason: 'FENCED', fenceEpoch: integer(1, 2_000) }),
        }
      : null,
    resumeState: isParked ? 'compensating' : null,
    waiting: state === 'waiting' || integer(0, 3) === 0 ? waiting : null,
    wait:
      state === 'waiting'
        ? {
            // Longer than this test takes: what is due is so for another reason.
            waitMs: 1_200_000,
            seen: integer(0, 2),
            ...(integer(0, 2) === 0 && { seenOf: integer(0, 1) === 0 ? { charge: 1 } : { ...stored?.signals } }),
            extendMs: integer(0, 1) === 0 ? 600_000 : null,
            mayTurnBack: integer(0, 1) === 0,
          }
        : null,
    // Less than what a wait adds, and longer than this test takes.
    leftMs: state === 'running' && integer(0, 1) === 0 ? 300_000 : null,
    changedAt: new Date(instant()),
    payload: epoch % 2 === 0 ? `payload ${id}` : null,
    attempts: [attemptOf(id, epoch, integer(1, 5))],
  };
  const ownerId = integer(0, 5) === 0 ? 1 : (stored?.ownerId ?? 1);
  const writer = new CheckpointWriter({ pool: db, ownerId, log, commitHook });
  await writer.journal([attemptOf(id, epoch, integer(6, 9))]);
  await writer.write(checkpoint);
  await writer.drain();
  writer.close();
}

function attemptOf(sagaId: string, epoch: number, seq: number): Checkpoint['attempts'][number] {
  const at = performance.now();
  return {
    ...{ sagaId, epoch, seq, step: 'reserve', direction: 'act', attempt: 1, outcome: 'completed', detail: null },
    startedAt: at,
    endedAt: at,
  };
}
