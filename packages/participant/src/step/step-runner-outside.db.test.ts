import { ask } from '@holdfast/idempotency';
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
  writersOf,
} from '../../test/test-steps.ts';

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
