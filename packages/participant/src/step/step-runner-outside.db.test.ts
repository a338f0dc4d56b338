import { ask, createSingleFlight } from '@holdfast/idempotency';
import type { TestDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  actAll,
  type Call,
  effectsOf,
  endLeases,
  executed,
  holdOutside,
  newCalls,
  newProcess,
  type Process,
  startTestSteps,
  TENANT,
  undoOf,
  type Wish,
  writersOf,
} from '../../test/test-steps.ts';
import { createStepRunner, type OutsideSpec, type RunStep } from './step-runner.ts';

let database: TestDatabase;
let here: Process;
let there: Process;
beforeAll(async () => {
  database = await startTestSteps('step_runner_outside');
});
afterAll(() => database.drop());
beforeEach(() => {
  here = newProcess('here');
  there = newProcess('there');
});

describe('effects outside the database, in batches', () => {
  it('K1, K7: are claimed together, performed without a transaction, and recorded together', async () => {
    const calls = newCalls(6);
    const { out, comeBack } = holdOutside(here);
    const all = actAll(here, calls, 'outside');
    await vi.waitFor(() => expect(out).toHaveLength(6));
    for (const call of calls) expect(await ask(database.pool, TENANT, call.key)).toMatchObject({ kind: 'in_progress' });
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
    expect(await there.undo(undoOf(undone), 'here')).toEqual(executed('in_progress', false));
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
    here.perform = async (orderId) => (orderId === calls[1]?.fence.orderId ? 'unknown' : 'completed');
    const outcomes = await actAll(here, calls, 'outside');
    expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'unknown', 'completed', 'completed']);
    expect(await there.act(calls[1] as Call, 'outside')).toEqual(executed('there', false));
    expect(there.resumed).toEqual([true]);
  });

  it('that throw stay in flight: nobody else tries before the lease has run out', async () => {
    const [call] = newCalls(1) as [Call];
    here.perform = () => Promise.reject(new Error('a fault'));
    await expect(here.act(call, 'outside')).rejects.toThrow('a fault');
    expect(await there.act(call, 'outside')).toEqual({ kind: 'in_progress' });
    await endLeases([call]);
    expect(await there.act(call, 'outside')).toEqual(executed('there', false));
    expect(there.resumed).toEqual([true]);
  });

  it.each(['the same process', 'another process'])(
    'G5: have duplicates in %s that wait for the answer, and no longer than they may',
    async (where) => {
      const [call] = newCalls(1) as [Call];
      const { out, comeBack } = holdOutside(here);
      const first = here.act(call, 'outside');
      await vi.waitFor(() => expect(out).toHaveLength(1));
      const other = where === 'the same process' ? here : there;
      expect(await other.act({ ...call, waitMs: 30 }, 'throw')).toEqual({ kind: 'in_progress' });
      const patient = other.act({ ...call, waitMs: 10_000 }, 'throw');
      comeBack();
      expect(await first).toEqual(executed('here', false));
      expect(await patient).toEqual(executed('here', true));
      expect(out).toHaveLength(1);
    },
  );

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
    expect(kinds.filter((kind) => kind === 'completed')).toHaveLength(12);
    expect(kinds.filter((kind) => kind === 'in_progress')).toHaveLength(12);
  });
});

describe('undos in batches', () => {
  it('K3, G11: seal acts that never came, that ran and that were refused, each with its own answer', async () => {
    const [never, ran, refused] = newCalls(3) as [Call, Call, Call];
    await here.act(ran, 'here');
    await here.act(refused, 'refuse');
    const undos = [never, ran, refused].map(undoOf);
    const first = await Promise.all(undos.map((undo) => there.undo(undo, 'here')));
    expect(first).toEqual(['not_found', 'completed', 'refused'].map((text) => executed(text, false)));
    expect(await Promise.all(undos.map((undo) => here.undo(undo, 'here')))).toEqual(
      ['not_found', 'completed', 'refused'].map((text) => executed(text, true)),
    );
    const late = await actAll(here, [never, ran, refused]);
    expect(late.map(({ kind }) => kind)).toEqual(['sealed', 'sealed', 'refused']);
    expect(await effectsOf([never, ran, refused])).toEqual([{ made_by: 'here', live: false }]);
  });

  it('K1: that fail half-way have sealed nothing and taken nothing back', async () => {
    const [ran] = newCalls(1) as [Call];
    await here.act(ran, 'here');
    here.insideUndo = () => Promise.reject(new Error('half-way'));
    await expect(here.undo(undoOf(ran), 'here')).rejects.toThrow('half-way');
    expect(await effectsOf([ran])).toEqual([{ made_by: 'here', live: true }]);
    expect(await here.act(ran, 'here')).toEqual(executed('here', true));
  });

  it('K4: with a lower epoch seal nothing', async () => {
    const [ran] = newCalls(1) as [Call];
    await here.act(ran, 'here');
    const zombie = { ...undoOf(ran), fence: { ...ran.fence, epoch: 0 } };
    expect(await there.undo(zombie, 'here')).toMatchObject({ kind: 'fenced' });
    expect(await effectsOf([ran])).toEqual([{ made_by: 'here', live: true }]);
    expect(await here.act(ran, 'here')).toEqual(executed('here', true));
  });

  it('G12: at the same instant as their acts, from two processes, leave no effect alive', async () => {
    const calls = newCalls(80, { waitMs: 10_000 });
    const outcomes = await Promise.all([
      ...calls.map((call, at) => (at % 2 === 0 ? here : there).act(call, 'here')),
      ...calls.map((call, at) => (at % 3 === 0 ? here : there).undo(undoOf(call), 'here')),
    ]);
    expect(outcomes.slice(80).map(({ kind }) => kind)).toEqual(Array(80).fill('completed'));
    for (const { live } of await effectsOf(calls)) expect(live).toBe(false);
    expect((await actAll(here, calls)).map(({ kind }) => kind)).toEqual(Array(80).fill('sealed'));
  });
});

describe('undos outside the database', () => {
  it('K3, K7, S4: seal their acts before they call out, and go on with the same key until they know', async () => {
    const [call] = newCalls(1) as [Call];
    const attempts: number[] = [];
    let outcome: 'completed' | 'unknown' = 'unknown';
    const undo = newOutsideUndo(async (_plan, held) => {
      attempts.push(held.attempt);
      expect(await there.act(call, 'here')).toEqual({ kind: 'sealed' });
      expect(database.pool.idleCount).toBe(database.pool.totalCount);
      return outcome === 'completed' ? { kind: outcome, result: 'cancelled' } : { kind: outcome, detail: 'no answer' };
    });
    expect(await undo(undoOf(call), 'outside')).toEqual({ kind: 'unknown', detail: 'no answer' });
    outcome = 'completed';
    expect(await undo(undoOf(call), 'outside')).toEqual(executed('cancelled', false));
    expect(await undo(undoOf(call), 'outside')).toEqual(executed('cancelled', true));
    expect(attempts).toEqual([1, 2]);
  });

  it('H12: that outlive their lease are taken over, and store nothing when they wake up', async () => {
    const [call] = newCalls(1) as [Call];
    const [begun, slow] = [Promise.withResolvers<void>(), Promise.withResolvers<Completed>()];
    const first = newOutsideUndo(() => {
      begun.resolve();
      return slow.promise;
    })(undoOf(call), 'outside');
    await begun.promise;
    await endLeases([call]);
    const second = newOutsideUndo(async () => ({ kind: 'completed', result: 'mine' }));
    expect(await second(undoOf(call), 'outside')).toEqual(executed('mine', false));
    slow.resolve({ kind: 'completed', result: 'too late' });
    expect(await first).toMatchObject({ kind: 'unknown' });
    expect(await second(undoOf(call), 'outside')).toEqual(executed('mine', true));
  });
});

type Completed = { kind: 'completed'; result: string };

/** An undo whose effect is outside: all of it is the test's. */
function newOutsideUndo(perform: OutsideSpec<Wish, string, string>['perform']): RunStep<Wish> {
  return createStepRunner<Wish, string, string>(database.pool, createSingleFlight(), {
    operation: 'undo',
    undoes: 'act',
    prepare: async (_tx, calls) => calls.map(() => ({ kind: 'perform', plan: 'cancel' })),
    outside: {
      leaseMs: 60_000,
      perform,
      record: async (_tx, performed) =>
        performed.map(({ result }) => ({ kind: 'completed', answer: Buffer.from(result) })),
    },
  });
}
