import { randomUUID } from 'node:crypto';
import type { Pool, Transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask, claim } from './claim.ts';
import { type Fingerprinter, loadFingerprinter } from './fingerprint.ts';
import { createFlights } from './flights.ts';
import { idempotencyMigrations } from './index.ts';
import type { ActOutcome, KeyedCall, Settlement } from './run-act.ts';
import { type Begun, createStepRunner, type Prepared, type RunStep, type StepSpec } from './step-runner.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  // Patient: the tests hold rows on purpose, and this machine may be slow.
  database = await testDatabase('step_runner', [idempotencyMigrations], { onlyByKey: true, lockTimeoutMs: 15_000 });
  fingerprinter = await loadFingerprinter(database.pool);
  await database.pool.query('create table effects (order_id text primary key, made_by text not null, live boolean)');
});
afterAll(() => database.drop());

const TENANT = 'shop';

/** What a test's act does: settle here, be refused, throw, or call out. */
type Wish = 'here' | 'refuse' | 'throw' | 'outside';
type Call = KeyedCall & { fence: { orderId: string; epoch: number } };

function newCall(extra: Partial<Call> = {}): Call {
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

const undoOf = (call: Call): Call => ({
  ...call,
  key: `${call.key}:undo`,
  operation: 'undo',
  fingerprint: fingerprinter.of('undo', { orderId: call.fence.orderId }),
});

const newCalls = (count: number, extra: Partial<Call> = {}) => Array.from({ length: count }, () => newCall(extra));
const done = (text: string): Settlement => ({ kind: 'done', answer: Buffer.from(text) });
const executed = (text: string, replayed: boolean) => ({ kind: 'executed', answer: Buffer.from(text), replayed });

/** One process of a service: its memory is its own, the database is everybody's. */
interface Process {
  act: RunStep<Wish>;
  undo: RunStep<Wish>;
  /** How many calls each transaction prepared, and each recorded. */
  prepared: number[];
  recorded: number[];
  resumed: boolean[];
  /** Runs in the transaction, after the effects. */
  inside: (calls: Begun<Wish>[]) => Promise<void>;
  /** The call to the world outside. */
  perform: (orderId: string) => Promise<'known' | 'unknown'>;
}

const ordersOf = (calls: { call: KeyedCall }[]) => calls.map(({ call }) => call.fence?.orderId);

function newProcess(name: string, pool: Pool = database.pool): Process {
  const flights = createFlights();
  const process: Process = {
    act: () => Promise.reject(new Error('not made yet')),
    undo: () => Promise.reject(new Error('not made yet')),
    prepared: [],
    recorded: [],
    resumed: [],
    inside: async () => undefined,
    perform: async () => 'known',
  };
  const makeEffects = (tx: Transaction, calls: { call: KeyedCall }[]) =>
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
        return outcome === 'known' ? { kind: 'known', result: name } : { kind: 'unknown', detail: 'nobody answers' };
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
      return calls.map((call) => done(call.act));
    },
  };
  process.act = createStepRunner(pool, flights, act);
  process.undo = createStepRunner(pool, flights, undo);
  return process;
}

let here: Process;
let there: Process;
beforeEach(() => {
  here = newProcess('here');
  there = newProcess('there');
});

const actAll = (process: Process, calls: Call[], wish: Wish = 'here') =>
  Promise.all(calls.map((call) => process.act(call, wish)));

async function effectsOf(calls: Call[]): Promise<{ made_by: string; live: boolean }[]> {
  const { rows } = await database.pool.query(
    'select made_by, live from effects where order_id = any($1::text[]) order by array_position($1::text[], order_id)',
    [calls.map(({ fence }) => fence.orderId)],
  );
  return rows;
}

/** The transactions that last wrote these calls' claims. */
async function writersOf(calls: Call[]): Promise<string[]> {
  const { rows } = await database.pool.query('select distinct xmin::text from claims where scope = any($1::text[])', [
    calls.map(({ fence }) => fence.orderId),
  ]);
  return rows.map(({ xmin }) => xmin);
}

async function epochSeen(call: Call): Promise<number | undefined> {
  const { rows } = await database.pool.query('select epoch from fences where order_id = $1', [call.fence.orderId]);
  return rows[0]?.epoch;
}

const endLeases = (calls: Call[]) =>
  database.pool.query(
    `update claims set lease_until = clock_timestamp() where scope = any($1) and state = 'in_flight'`,
    [calls.map(({ fence }) => fence.orderId)],
  );

/** Resolves when somebody waits for a row that another transaction holds. */
const somebodyWaits = () =>
  vi.waitFor(
    async () => {
      const { rowCount } = await database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBeGreaterThan(0);
    },
    { timeout: 10_000, interval: 20 },
  );

describe('a batch of calls', () => {
  it('K1, K2, K4, G10: gives each its own outcome, in one transaction', async () => {
    const [fresh, refusedNow, inFlight, resumed] = [newCall(), newCall(), newCall(), newCall()];
    const [replayed, refusedBefore, reused] = [newCall(), newCall(), newCall()];
    const [fenced, sealed] = [newCall(), newCall()];
    await actAll(there, [replayed, reused]);
    await there.act(refusedBefore, 'refuse');
    await there.act({ ...fenced, key: `${fenced.key}-before`, fence: { ...fenced.fence, epoch: 9 } }, 'here');
    await there.undo(undoOf(sealed), 'here');
    there.perform = async () => 'unknown';
    await actAll(there, [inFlight, resumed], 'outside');
    await database.pool.query(
      `update claims set lease_until = clock_timestamp() + interval '1 hour' where scope = $1`,
      [inFlight.fence.orderId],
    );
    await endLeases([resumed]);
    const other = {
      ...reused,
      fingerprint: fingerprinter.of('act', { other: true }),
      fence: { ...reused.fence, epoch: 7 },
    };

    const batch: [Call, Wish][] = [
      [fresh, 'here'],
      [replayed, 'here'],
      [refusedNow, 'refuse'],
      [refusedBefore, 'here'],
      [other, 'here'],
      [fenced, 'here'],
      [sealed, 'here'],
      [inFlight, 'here'],
      [resumed, 'here'],
    ];
    const outcomes = await Promise.all(batch.map(([call, wish]) => here.act(call, wish)));
    expect(outcomes).toEqual([
      executed('here', false),
      executed('there', true),
      { kind: 'refused', answer: Buffer.from('too little'), replayed: false },
      { kind: 'refused', answer: Buffer.from('too little'), replayed: true },
      { kind: 'reused', differing: [] },
      { kind: 'fenced' },
      { kind: 'sealed' },
      { kind: 'in_flight' },
      executed('here', false),
    ]);
    // Only the three that have the right to run were prepared, together.
    expect(here.prepared).toEqual([3]);
    expect(here.resumed).toEqual([false, false, true]);
    expect(await writersOf([fresh, refusedNow, resumed])).toHaveLength(1);
    expect(await effectsOf([fresh, refusedNow, sealed, inFlight])).toEqual([{ made_by: 'here', live: true }]);
    expect(await epochSeen(reused)).toBe(1);
    expect(await epochSeen(fenced)).toBe(9);
    expect(await ask(database.pool, TENANT, fenced.key)).toEqual({ kind: 'unknown_key' });
  });

  it('one call that throws fails alone: its neighbours run, and it left nothing', async () => {
    const calls = newCalls(9);
    const wishes = calls.map((_, at): Wish => (at === 4 ? 'throw' : 'here'));
    const outcomes = await Promise.allSettled(calls.map((call, at) => here.act(call, wishes[at] as Wish)));
    expect(outcomes[4]).toMatchObject({ status: 'rejected', reason: new Error('this one is impossible') });
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    const bad = calls[4] as Call;
    expect(await epochSeen(bad)).toBeUndefined();
    expect(await ask(database.pool, TENANT, bad.key)).toEqual({ kind: 'unknown_key' });
    expect(await here.act(bad, 'here')).toEqual(executed('here', false));
    expect(await effectsOf(calls)).toEqual(Array(9).fill({ made_by: 'here', live: true }));
  });

  it('K2: a key that another process claims under our eyes is met, not run again, and its neighbours run', async () => {
    const [contested, neighbour] = newCalls(2) as [Call, Call];
    const goOn = Promise.withResolvers<void>();
    here.inside = () => goOn.promise;
    const first = here.act(contested, 'here');
    await vi.waitFor(() => expect(here.prepared).toEqual([1]));
    // Looked up while the other's row is not there to be seen, then waits for the order's fence.
    const second = actAll(there, [contested, neighbour]);
    await somebodyWaits();
    goOn.resolve();
    expect(await first).toEqual(executed('here', false));
    expect(await second).toEqual([executed('here', true), executed('there', false)]);
    expect(there.prepared).toEqual([2, 1]);
    expect(await effectsOf([contested, neighbour])).toEqual([
      { made_by: 'here', live: true },
      { made_by: 'there', live: true },
    ]);
  });

  it('G14: the same keys from two processes at once, in any order, run once each', async () => {
    const calls = newCalls(60, { waitMs: 10_000 });
    const [left, right] = await Promise.all([actAll(here, calls), actAll(there, [...calls].reverse())]);
    const pairs = calls.map((_, at) => [left[at], right[59 - at]] as [ActOutcome, ActOutcome]);
    for (const pair of pairs) {
      expect(pair.map(({ kind }) => kind)).toEqual(['executed', 'executed']);
      expect(pair.filter((outcome) => outcome.kind === 'executed' && !outcome.replayed)).toHaveLength(1);
    }
    const makers = pairs.map(([mine]) => (mine.kind === 'executed' ? mine.answer.toString() : ''));
    expect((await effectsOf(calls)).map(({ made_by }) => made_by)).toEqual(makers);
  });

  it('G3: asked for twice in one turn runs once; the second gets the bytes of the first', async () => {
    const call = newCall({ waitMs: 10_000 });
    expect(await actAll(here, [call, call])).toEqual([executed('here', false), executed('here', true)]);
    expect(here.prepared).toEqual([1]);
  });

  it('K4: two calls for one order with different keys are judged one after the other', async () => {
    const call = newCall();
    const zombie = { ...call, key: `${call.key}-zombie`, fence: { ...call.fence, epoch: 1 } };
    const owner = { ...call, fence: { ...call.fence, epoch: 2 } };
    expect(await actAll(here, [owner, zombie])).toEqual([executed('here', false), { kind: 'fenced' }]);
    expect(await ask(database.pool, TENANT, zombie.key)).toEqual({ kind: 'unknown_key' });
  });

  it('G4: two orders under one key, in one turn: the first has it, the second changes nothing', async () => {
    const [first, second] = newCalls(2) as [Call, Call];
    const stolen = { ...second, key: first.key };
    expect(await actAll(here, [first, stolen])).toEqual([executed('here', false), { kind: 'in_flight' }]);
    expect(await here.act(stolen, 'here')).toEqual({ kind: 'reused', differing: [] });
    expect(await actAll(there, [stolen, first])).toEqual([{ kind: 'reused', differing: [] }, { kind: 'in_flight' }]);
    expect(await epochSeen(second)).toBeUndefined();
    expect(await effectsOf([first, second])).toHaveLength(1);
  });

  it('H17: tenants that use the same order and key in one batch have nothing of each other', async () => {
    const call = newCall();
    const neighbour = { ...call, tenantId: 'other', fence: { ...call.fence, epoch: 4 } };
    const outcomes = await Promise.all([here.act(call, 'here'), here.act(neighbour, 'refuse')]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['executed', 'refused']);
    expect(here.prepared).toEqual([2]);
    expect(await here.act(call, 'here')).toEqual(executed('here', true));
    expect(await here.act({ ...neighbour, fence: { ...call.fence, epoch: 3 } }, 'here')).toEqual({ kind: 'fenced' });
  });

  it('S4: whose connection is lost at the commit has an unknown outcome; the same keys find one effect each', async () => {
    const lossy = newProcess('lossy', losingCommits(database.pool));
    const calls = newCalls(5);
    const lost = await Promise.allSettled(calls.map((call) => lossy.act(call, 'here')));
    expect(lost.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    // Not split: asking the same again one by one would only have hidden that it was done.
    expect(lossy.prepared).toEqual([5]);
    expect(await actAll(here, calls)).toEqual(Array(5).fill(executed('lossy', true)));
    expect(await effectsOf(calls)).toEqual(Array(5).fill({ made_by: 'lossy', live: true }));
  });

  it('K3, K4: a row that somebody holds delays its own call; the others of the batch are not refused', async () => {
    const impatient = await testDatabase('step_runner_held', [idempotencyMigrations], { lockTimeoutMs: 200 });
    await impatient.pool.query('create table effects (order_id text primary key, made_by text not null, live boolean)');
    const process = newProcess('here', impatient.pool);
    const calls = newCalls(8);
    const held = calls[0] as Call;
    const holder = await impatient.pool.connect();
    try {
      await holder.query('begin');
      await claim(holder, { ...held, key: `${held.key}-holder` });
      const outcomes = await Promise.allSettled(calls.map((call) => process.act(call, 'here')));
      expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: '55P03' } });
      expect(outcomes.slice(1).map(({ status }) => status)).toEqual(Array(7).fill('fulfilled'));
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    expect(await process.act(held, 'here')).toEqual(executed('here', false));
    await impatient.drop();
  });
});

/** Commits, and then loses the connection before anybody hears of it. */
function losingCommits(pool: Pool): Pool {
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
function holdOutside(process: Process) {
  const back = Promise.withResolvers<void>();
  const out: string[] = [];
  process.perform = async (orderId) => {
    out.push(orderId);
    await back.promise;
    return 'known';
  };
  return { out, comeBack: back.resolve };
}

describe('effects outside the database, in batches', () => {
  it('K1, K7: are claimed together, performed without a transaction, and recorded together', async () => {
    const calls = newCalls(6);
    const { out, comeBack } = holdOutside(here);
    const all = actAll(here, calls, 'outside');
    await vi.waitFor(() => expect(out).toHaveLength(6));
    for (const call of calls) expect(await ask(database.pool, TENANT, call.key)).toMatchObject({ kind: 'in_flight' });
    expect(database.pool.idleCount).toBe(database.pool.totalCount);
    comeBack();
    expect(await all).toEqual(Array(6).fill(executed('here', false)));
    expect(here.prepared).toEqual([6]);
    expect(here.recorded).toEqual([6]);
    expect(await writersOf(calls)).toHaveLength(1);
  });

  it('K3, H12: that were undone or taken over meanwhile store nothing; their neighbours do', async () => {
    const calls = newCalls(4);
    const [undone, takenOver, third, fourth] = calls as [Call, Call, Call, Call];
    const { out, comeBack } = holdOutside(here);
    const all = actAll(here, calls, 'outside');
    await vi.waitFor(() => expect(out).toHaveLength(4));
    expect(await there.undo(undoOf(undone), 'here')).toEqual(executed('in_flight', false));
    await endLeases([takenOver]);
    expect(await there.act(takenOver, 'outside')).toEqual(executed('there', false));
    expect(there.resumed).toEqual([true]);
    comeBack();
    const unknown = { kind: 'unknown', detail: 'this step was undone or taken over while it was running' };
    expect(await all).toEqual([unknown, unknown, executed('here', false), executed('here', false)]);
    expect(here.recorded).toEqual([2]);
    expect(await effectsOf([undone])).toEqual([]);
    expect(await effectsOf([takenOver, third, fourth])).toMatchObject(
      ['there', 'here', 'here'].map((made_by) => ({ made_by })),
    );
    expect(await actAll(here, [undone, takenOver], 'outside')).toEqual([{ kind: 'sealed' }, executed('there', true)]);
  });

  it('S4: that could not find out are asked about by the next attempt at once, each for itself', async () => {
    const calls = newCalls(4);
    here.perform = async (orderId) => (orderId === calls[1]?.fence.orderId ? 'unknown' : 'known');
    const outcomes = await actAll(here, calls, 'outside');
    expect(outcomes.map(({ kind }) => kind)).toEqual(['executed', 'unknown', 'executed', 'executed']);
    expect(await there.act(calls[1] as Call, 'outside')).toEqual(executed('there', false));
    expect(there.resumed).toEqual([true]);
  });

  it('H12: two attempts that find a lease ended at once: one takes over, the other is told that it is in flight', async () => {
    const calls = newCalls(12);
    here.perform = async () => 'unknown';
    await actAll(here, calls, 'outside');
    const [left, right] = [newProcess('left'), newProcess('right')];
    const held = [holdOutside(left), holdOutside(right)];
    const all = [actAll(left, calls, 'outside'), actAll(right, [...calls].reverse(), 'outside')];
    await vi.waitFor(() => expect(held.flatMap(({ out }) => out)).toHaveLength(12));
    expect(new Set(held.flatMap(({ out }) => out)).size).toBe(12);
    for (const { comeBack } of held) comeBack();
    const kinds = (await Promise.all(all)).flat().map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'executed')).toHaveLength(12);
    expect(kinds.filter((kind) => kind === 'in_flight')).toHaveLength(12);
  });
});

describe('undos in batches', () => {
  it('K3, G11: seal acts that never came, that ran and that were refused, each with its own answer', async () => {
    const [never, ran, refused] = newCalls(3) as [Call, Call, Call];
    await here.act(ran, 'here');
    await here.act(refused, 'refuse');
    const undos = [never, ran, refused].map(undoOf);
    const first = await Promise.all(undos.map((undo) => there.undo(undo, 'here')));
    expect(first).toEqual(['absent', 'executed', 'refused'].map((text) => executed(text, false)));
    expect(await Promise.all(undos.map((undo) => here.undo(undo, 'here')))).toEqual(
      ['absent', 'executed', 'refused'].map((text) => executed(text, true)),
    );
    const late = await actAll(here, [never, ran, refused]);
    expect(late.map(({ kind }) => kind)).toEqual(['sealed', 'sealed', 'refused']);
    expect(await effectsOf([never, ran, refused])).toEqual([{ made_by: 'here', live: false }]);
  });

  it('G12: at the same instant as their acts, from two processes, leave no effect alive', async () => {
    const calls = newCalls(80, { waitMs: 10_000 });
    const outcomes = await Promise.all([
      ...calls.map((call, at) => (at % 2 === 0 ? here : there).act(call, 'here')),
      ...calls.map((call, at) => (at % 3 === 0 ? here : there).undo(undoOf(call), 'here')),
    ]);
    expect(outcomes.slice(80).map(({ kind }) => kind)).toEqual(Array(80).fill('executed'));
    for (const { live } of await effectsOf(calls)) expect(live).toBe(false);
    expect((await actAll(here, calls)).map(({ kind }) => kind)).toEqual(Array(80).fill('sealed'));
  });
});
