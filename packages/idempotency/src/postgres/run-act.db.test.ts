import { randomUUID } from 'node:crypto';
import type { Transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fingerprinter, loadFingerprinter } from '../core/fingerprint.ts';
import { createFlights } from '../core/single-flight.ts';
import { idempotencyMigrations } from '../index.ts';
import { ask, attach, seal } from './claim.ts';
import { type KeyedCall, type OutsideAct, runAct, runOutsideAct } from './run-act.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('run_act', [idempotencyMigrations]);
  fingerprinter = await loadFingerprinter(database.pool);
  await database.pool.query('create table effects (order_id text primary key, made_by text not null)');
});
afterAll(() => database.drop());

const TENANT = 'shop';
// Two processes of one service: they share the database and nothing else.
const [here, there] = [createFlights(), createFlights()];

type Call = KeyedCall & { fence: { orderId: string; epoch: number } };
function newCall(extra: Partial<KeyedCall> = {}): Call {
  const orderId = randomUUID();
  return {
    tenantId: TENANT,
    key: `${orderId}:charge`,
    operation: 'charge',
    fingerprint: fingerprinter.of('charge', { orderId }),
    waitMs: 5_000,
    fence: { orderId, epoch: 1 },
    ...extra,
  };
}

const answer = (text: string) => ({ kind: 'done' as const, answer: Buffer.from(text) });
const makeEffect = (tx: Transaction, call: Call, by: string) =>
  tx.query('insert into effects (order_id, made_by) values ($1, $2)', [call.fence.orderId, by]);

async function effectOf(call: Call): Promise<string | undefined> {
  const { rows } = await database.pool.query('select made_by from effects where order_id = $1', [call.fence.orderId]);
  return rows[0]?.made_by;
}

async function epochSeen(call: Call): Promise<number | undefined> {
  const { rows } = await database.pool.query('select epoch from fences where order_id = $1', [call.fence.orderId]);
  return rows[0]?.epoch;
}

const endLease = (call: Call) =>
  database.pool.query(`update claims set lease_until = clock_timestamp() where scope = $1 and state = 'in_flight'`, [
    call.fence.orderId,
  ]);

describe('an act in this database', () => {
  const run = (call: Call, by = 'here', flights = here) =>
    runAct(database.pool, flights, call, async (tx) => {
      await makeEffect(tx, call, by);
      return answer(by);
    });

  it('K1: that fails half-way leaves nothing, and runs when it is asked for again', async () => {
    const call = newCall();
    const failing = runAct(database.pool, here, call, async (tx) => {
      await makeEffect(tx, call, 'failed');
      throw new Error('half-way');
    });
    await expect(failing).rejects.toThrow('half-way');
    expect(await effectOf(call)).toBeUndefined();
    expect(await epochSeen(call)).toBeUndefined();
    expect(await run(call)).toEqual({ kind: 'executed', answer: Buffer.from('here'), replayed: false });
  });

  it('K2: runs once; every other call gets the same bytes', async () => {
    const call = newCall();
    await run(call);
    expect(await run(call, 'again')).toEqual({ kind: 'executed', answer: Buffer.from('here'), replayed: true });
    expect(await effectOf(call)).toBe('here');
  });

  it('G14: asked for 30 times at once by two processes runs once', async () => {
    const call = newCall();
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, at) => run(call, `call ${at}`, at % 2 === 0 ? here : there)),
    );
    const first = all.filter((outcome) => outcome.kind === 'executed' && !outcome.replayed);
    expect(first).toHaveLength(1);
    expect(all.filter((outcome) => outcome.kind === 'executed')).toHaveLength(30);
    expect(first[0]).toMatchObject({ answer: Buffer.from((await effectOf(call)) ?? '') });
  });

  it('K2, K4: refused as another request or as fenced runs nothing and does not raise the fence', async () => {
    const call = newCall();
    await run({ ...call, fence: { ...call.fence, epoch: 5 } });
    const other = { ...call, fingerprint: fingerprinter.of('charge', { other: true }) };
    expect(await run({ ...other, fence: { ...call.fence, epoch: 9 } })).toMatchObject({ kind: 'reused' });
    expect(await run({ ...call, key: `${call.key}-2`, fence: { ...call.fence, epoch: 4 } })).toEqual({
      kind: 'fenced',
    });
    expect(await epochSeen(call)).toBe(5);
    expect(await ask(database.pool, TENANT, `${call.key}-2`)).toEqual({ kind: 'unknown_key' });
  });

  it('S5: refused once is refused for ever', async () => {
    const call = newCall();
    const refusal = { kind: 'refused' as const, answer: Buffer.from('too little') };
    const refused = await runAct(database.pool, here, call, async () => refusal);
    expect(refused).toEqual({ ...refusal, replayed: false });
    expect(await run(call)).toEqual({ ...refusal, replayed: true });
    expect(await effectOf(call)).toBeUndefined();
  });
});

/** An effect outside: its `perform` is the test's, its record is a row. */
function outside(call: Call, by: string, perform: OutsideAct<string, string>['perform']): OutsideAct<string, string> {
  return {
    leaseMs: 60_000,
    prepare: async () => ({ kind: 'perform', plan: 'plan' }),
    perform,
    async record(tx, result) {
      await makeEffect(tx, call, by);
      return answer(result);
    },
  };
}

/** A `perform` that has begun and ends when the test says so. */
function performing() {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<{ kind: 'known'; result: string } | { kind: 'unknown'; detail: string }>();
  const perform = () => {
    begun.resolve();
    return ended.promise;
  };
  return { perform, begun: begun.promise, end: ended.resolve };
}

const known = (result: string) => ({ kind: 'known' as const, result });

describe('an act outside this database', () => {
  const run = (call: Call, by: string, perform: OutsideAct<string, string>['perform'], flights = here) =>
    runOutsideAct(database.pool, flights, call, outside(call, by, perform));

  it('K1, K7: is claimed durably before it calls out, and holds no connection while it does', async () => {
    const call = newCall();
    const { perform, begun, end } = performing();
    const running = run(call, 'here', perform);
    await begun;
    expect(database.pool.totalCount - database.pool.idleCount).toBe(0);
    expect(await ask(database.pool, TENANT, call.key)).toEqual({ kind: 'in_flight', operation: 'charge' });
    end(known('done'));
    expect(await running).toEqual({ kind: 'executed', answer: Buffer.from('done'), replayed: false });
    expect(await effectOf(call)).toBe('here');
  });

  it('may be settled without calling out', async () => {
    const call = newCall();
    const act = {
      ...outside(call, 'here', () => Promise.reject(new Error('called out'))),
      prepare: async () => answer('at once'),
    };
    expect(await runOutsideAct(database.pool, here, call, act)).toMatchObject({ answer: Buffer.from('at once') });
  });

  it('S4: whose outcome is unknown can be tried again at once, as a later attempt', async () => {
    const call = newCall();
    const attempts: number[] = [];
    const unclear = await run(call, 'first', async (_plan, held) => {
      attempts.push(held.attempt);
      return { kind: 'unknown', detail: 'no answer' };
    });
    expect(unclear).toEqual({ kind: 'unknown', detail: 'no answer' });
    const made = await run(call, 'second', async (_plan, held) => {
      attempts.push(held.attempt);
      return known('found');
    });
    expect(made).toMatchObject({ kind: 'executed', replayed: false });
    expect(attempts).toEqual([1, 2]);
  });

  it('that throws stays in flight: nobody else tries before its lease has run out', async () => {
    const call = newCall({ waitMs: 20 });
    await expect(run(call, 'first', () => Promise.reject(new Error('a fault')))).rejects.toThrow('a fault');
    const second = () => run(call, 'second', async () => known('done'));
    expect(await second()).toEqual({ kind: 'in_flight' });
    await endLease(call);
    expect(await second()).toMatchObject({ kind: 'executed' });
  });

  it('H12: that outlives its lease is taken over, and what it brings back too late changes nothing', async () => {
    const call = newCall();
    const slow = performing();
    const first = run(call, 'first', slow.perform);
    await slow.begun;
    await endLease(call);
    const second = await run(call, 'second', async () => known('second’s'), there);
    expect(second).toMatchObject({ kind: 'executed', replayed: false });
    await database.pool.query('delete from effects where order_id = $1', [call.fence.orderId]);
    slow.end(known('first’s'));
    expect(await first).toMatchObject({ kind: 'unknown' });
    expect(await effectOf(call)).toBeUndefined();
    expect(await run(call, 'third', async () => known('x'))).toMatchObject({
      answer: Buffer.from('second’s'),
      replayed: true,
    });
  });

  it('K3: that is sealed while it calls out may not record what it brings back', async () => {
    const call = newCall();
    const slow = performing();
    const stillOurs: boolean[] = [];
    const act = outside(call, 'zombie', slow.perform);
    const running = runOutsideAct(database.pool, here, call, {
      ...act,
      async record(tx, result, held) {
        stillOurs.push(await attach(tx, held));
        return await act.record(tx, result, held);
      },
    });
    await slow.begun;
    expect(await seal(database.pool, TENANT, call.key, 'charge')).toBe('in_flight');
    slow.end(known('too late'));
    expect(await running).toMatchObject({ kind: 'unknown' });
    expect(stillOurs).toEqual([false]);
    expect(await effectOf(call)).toBeUndefined();
    expect(await run(call, 'again', async () => known('x'))).toEqual({ kind: 'sealed' });
  });

  it.each([
    ['the same process', here],
    ['another process', there],
  ])('G5: a duplicate in %s waits for the answer and no longer than it may', async (_name, flights) => {
    const call = newCall();
    const slow = performing();
    const first = run(call, 'first', slow.perform);
    await slow.begun;
    const never = () => Promise.reject(new Error('a duplicate ran'));
    expect(await run({ ...call, waitMs: 30 }, 'impatient', never, flights)).toEqual({ kind: 'in_flight' });
    const patient = run(call, 'patient', never, flights);
    slow.end(known('done'));
    expect(await first).toMatchObject({ replayed: false });
    expect(await patient).toEqual({ kind: 'executed', answer: Buffer.from('done'), replayed: true });
  });
});
