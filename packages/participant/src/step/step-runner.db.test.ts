import type { ActOutcome } from '@holdfast/idempotency';
import { ask, claimKeys } from '@holdfast/idempotency';
import type { TestDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  actAll,
  type Call,
  effectsOf,
  endLeases,
  epochSeen,
  executed,
  losingCommits,
  newCall,
  newCalls,
  newProcess,
  otherRequest,
  type Process,
  somebodyWaits,
  startTestSteps,
  stepDatabase,
  TENANT,
  undoOf,
  type Wish,
  writersOf,
} from '../../test/test-steps.ts';

let database: TestDatabase;
let here: Process;
let there: Process;
beforeAll(async () => {
  database = await startTestSteps('step_runner');
});
afterAll(() => database.drop());
beforeEach(() => {
  here = newProcess('here');
  there = newProcess('there');
});

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
      `update holdfast.claims set lease_until = clock_timestamp() + interval '1 hour' where scope = $1`,
      [inFlight.fence.orderId],
    );
    await endLeases([resumed]);
    const other = {
      ...reused,
      fingerprint: otherRequest(),
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
      { kind: 'fenced', epoch: expect.any(Number) },
      { kind: 'sealed' },
      { kind: 'in_progress' },
      executed('here', false),
    ]);
    // Only the three that have the right to run were prepared, together.
    expect(here.prepared).toEqual([3]);
    expect(here.resumed).toEqual([false, false, true]);
    expect(await writersOf([fresh, refusedNow, resumed])).toHaveLength(1);
    expect(await effectsOf([fresh, refusedNow, sealed, inFlight])).toEqual([{ made_by: 'here', live: true }]);
    expect(await epochSeen(reused)).toBe(1);
    expect(await epochSeen(fenced)).toBe(9);
    expect(await ask(database.pool, TENANT, fenced.key)).toEqual({ kind: 'not_found' });
  });

  it('one call that throws fails alone: its neighbours run, and it left nothing', async () => {
    const calls = newCalls(9);
    const wishes = calls.map((_, at): Wish => (at === 4 ? 'throw' : 'here'));
    const outcomes = await Promise.allSettled(calls.map((call, at) => here.act(call, wishes[at] as Wish)));
    expect(outcomes[4]).toMatchObject({ status: 'rejected', reason: new Error('this one is impossible') });
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    const bad = calls[4] as Call;
    expect(await epochSeen(bad)).toBeUndefined();
    expect(await ask(database.pool, TENANT, bad.key)).toEqual({ kind: 'not_found' });
    expect(await here.act(bad, 'here')).toEqual(executed('here', false));
    expect(await effectsOf(calls)).toEqual(Array(9).fill({ made_by: 'here', live: true }));
  });

  it('K1: one that fails half-way leaves nothing, neither effect nor fence, and runs when it is asked for again', async () => {
    const call = newCall();
    here.inside = () => Promise.reject(new Error('half-way'));
    await expect(here.act(call, 'here')).rejects.toThrow('half-way');
    expect(here.prepared).toEqual([1]);
    expect(await effectsOf([call])).toEqual([]);
    expect(await epochSeen(call)).toBeUndefined();
    here.inside = async () => undefined;
    expect(await here.act(call, 'here')).toEqual(executed('here', false));
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

  it('K2: so is one that came alone, where no batch is split until it stands alone', async () => {
    const contested = newCall();
    const goOn = Promise.withResolvers<void>();
    here.inside = () => goOn.promise;
    const first = here.act(contested, 'here');
    await vi.waitFor(() => expect(here.prepared).toEqual([1]));
    const second = there.act(contested, 'here');
    await somebodyWaits();
    goOn.resolve();
    expect(await Promise.all([first, second])).toEqual([executed('here', false), executed('here', true)]);
  });

  it('G14: the same keys from two processes at once, in any order, run once each', async () => {
    const calls = newCalls(60, { waitMs: 10_000 });
    const [left, right] = await Promise.all([actAll(here, calls), actAll(there, [...calls].reverse())]);
    const pairs = calls.map((_, at) => [left[at], right[59 - at]] as [ActOutcome, ActOutcome]);
    for (const pair of pairs) {
      expect(pair.map(({ kind }) => kind)).toEqual(['completed', 'completed']);
      expect(pair.filter((outcome) => outcome.kind === 'completed' && !outcome.replayed)).toHaveLength(1);
    }
    const makers = pairs.map(([mine]) => (mine.kind === 'completed' ? mine.answer.toString() : ''));
    expect((await effectsOf(calls)).map(({ made_by }) => made_by)).toEqual(makers);
  });

  it('G14: one key, asked for 30 times at once by two processes, runs once', async () => {
    const call = newCall({ waitMs: 10_000 });
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, at) => (at % 2 === 0 ? here : there).act(call, 'here')),
    );
    const [effect] = await effectsOf([call]);
    const answer = Buffer.from(effect?.made_by ?? '');
    expect(outcomes).toEqual(Array(30).fill({ kind: 'completed', answer, replayed: expect.any(Boolean) }));
    expect(outcomes.filter((outcome) => outcome.kind === 'completed' && !outcome.replayed)).toHaveLength(1);
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
    expect(await actAll(here, [owner, zombie])).toEqual([
      executed('here', false),
      { kind: 'fenced', epoch: expect.any(Number) },
    ]);
    expect(await ask(database.pool, TENANT, zombie.key)).toEqual({ kind: 'not_found' });
  });

  it('G4: two orders under one key, in one turn: the first has it, the second changes nothing', async () => {
    const [first, second] = newCalls(2, { waitMs: 10_000 }) as [Call, Call];
    const stolen = { ...second, key: first.key };
    const reused = { kind: 'reused', differing: [] };
    expect(await actAll(here, [first, stolen])).toEqual([executed('here', false), reused]);
    expect(await actAll(there, [stolen, first])).toEqual([reused, executed('here', true)]);
    expect(await epochSeen(second)).toBeUndefined();
    expect(await effectsOf([first, second])).toHaveLength(1);
  });

  it('H17: tenants that use the same order and key in one batch have nothing of each other', async () => {
    const call = newCall();
    const neighbour = { ...call, tenantId: 'other', fence: { ...call.fence, epoch: 4 } };
    const outcomes = await Promise.all([here.act(call, 'here'), here.act(neighbour, 'refuse')]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'refused']);
    expect(here.prepared).toEqual([2]);
    expect(await here.act(call, 'here')).toEqual(executed('here', true));
    expect(await here.act({ ...neighbour, fence: { ...call.fence, epoch: 3 } }, 'here')).toEqual({
      kind: 'fenced',
      epoch: expect.any(Number),
    });
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
    const impatient = await stepDatabase('step_runner_held', 200);
    const process = newProcess('here', impatient.pool);
    const calls = newCalls(8);
    const held = calls[0] as Call;
    const holder = await impatient.pool.connect();
    try {
      await holder.query('begin');
      await claimKeys(holder, [{ ...held, key: `${held.key}-holder` }]);
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
