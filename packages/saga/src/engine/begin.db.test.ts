import { transaction } from '@holdfast/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, intercept, SagaTest } from '../../test/test-participants.ts';
import { startSagaSql } from '../journal/saga-row.ts';
import type { Inserted } from './begin.ts';
import type { Engine } from './engine.ts';

const WAIT_MS = 15_000;
const INPUT = { note: 'begun' };
let test: SagaTest;
let engine: Engine;

beforeAll(async () => {
  test = await SagaTest.create('begin');
  engine = await test.engine();
});
afterAll(() => test.drop());

async function stateOf(id: string, at = engine) {
  const end = await at.waitForEnd(id, WAIT_MS);
  return end.kind === 'ended' ? end.snapshot.state : end.kind;
}
const rowsOf = async (id: string) =>
  (await test.database.pool.query('select owner_id, epoch, input from holdfast.sagas where id = $1', [id])).rows;

describe('begin', () => {
  it('S1: inserts the saga and runs it to its end', async () => {
    expect(await engine.begin(test.definition, 'begun', INPUT)).toEqual({ kind: 'begun' });
    expect(await stateOf('begun')).toBe('completed');
    expect(await engine.begin('test', 'by-name', INPUT)).toEqual({ kind: 'begun' });
    expect(await stateOf('by-name')).toBe('completed');
  });

  it('S1: a saga whose process dies between insert and run is finished by another one', async () => {
    let dying: Engine | undefined;
    dying = await test.engine({}, (pool) =>
      intercept(pool, async (sql, _values, run) => {
        const result = await run();
        if (sql === 'saga.begin') dying?.abandon();
        return result;
      }),
    );
    await dying.begin(test.definition, 'orphan', INPUT);
    expect(await stateOf('orphan')).toBe('completed');
    expect(await rowsOf('orphan')).toMatchObject([{ owner_id: engine.ownerId, epoch: 2 }]);
    await test.closePool(dying);
  });

  it('twice with one id is one saga, at once and later, whatever the input', async () => {
    const both = await Promise.all([
      engine.begin(test.definition, 'twice', INPUT),
      engine.begin(test.definition, 'twice', { note: 'other' }),
    ]);
    expect(both.map(({ kind }) => kind).toSorted()).toEqual(['begun', 'exists']);
    expect(await stateOf('twice')).toBe('completed');
    expect(await engine.begin(test.definition, 'twice', INPUT)).toEqual({ kind: 'exists' });
    expect(await test.callNames('twice')).toEqual(['act reserve', 'act charge', 'act ship', 'act notify']);
  });

  it('full, unavailable and unknown definitions leave no row and no slot behind', async () => {
    const small = await test.engine({ maxRunning: 1 });
    const insert = Promise.withResolvers<Inserted<null>>();
    const holdsTheOnlySlot = small.beginWith('holds the only slot', () => insert.promise);
    expect(await small.begin(test.definition, 'full', INPUT)).toEqual({
      kind: 'unavailable',
      detail: 'this process runs as many sagas as it may',
    });
    insert.resolve({ kind: 'exists', existing: null });
    await holdsTheOnlySlot;
    await expect(small.begin('no such', 'unknown', INPUT)).rejects.toThrow(TypeError);
    await small.begin(test.definition, 'twice', INPUT);
    await small.begin(test.definition, 'fits', INPUT);
    expect(await stateOf('fits', small)).toBe('completed');
    await small.stop();
    expect((await small.begin(test.definition, 'stopped', INPUT)).kind).toBe('unavailable');
    await test.closePool(small);
    for (const id of ['full', 'unknown', 'stopped']) expect(await rowsOf(id)).toEqual([]);
  });
});

describe("begin in the caller's transaction", () => {
  it('S2: commits with it, and no step starts before committed() is called', async () => {
    const begun = await transaction(test.database.pool, async (tx) => {
      const outcome = await engine.begin(test.definition, 'in-tx', INPUT, { tx });
      expect(await rowsOf('in-tx')).toEqual([]);
      return outcome;
    });
    if (begun.kind !== 'begun') return expect.unreachable();
    expect(await test.callNames('in-tx')).toEqual([]);
    await begun.committed();
    expect(await stateOf('in-tx')).toBe('completed');
    expect(await rowsOf('in-tx')).toMatchObject([{ epoch: 1 }]);
  });

  it('S1: runs by a sweep when committed() is never called', async () => {
    await transaction(test.database.pool, (tx) => engine.begin(test.definition, 'forgotten', INPUT, { tx }));
    expect(await stateOf('forgotten')).toBe('completed');
    expect(await rowsOf('forgotten')).toMatchObject([{ owner_id: engine.ownerId, epoch: 2 }]);
  });

  it('S2: rolled back, it runs nothing, even when committed() is called by mistake', async () => {
    let committed = async () => {};
    await transaction(test.database.pool, async (tx) => {
      const outcome = await engine.begin(test.definition, 'rolled-back', INPUT, { tx });
      if (outcome.kind === 'begun') committed = outcome.committed;
      throw new Error('the caller changed its mind');
    }).catch(() => {});
    await committed();
    await engine.released('rolled-back');
    expect(await rowsOf('rolled-back')).toEqual([]);
    expect(await test.effects('rolled-back')).toEqual([]);
  });
});

describe('a starter', () => {
  const INSERT = startSagaSql({
    id: 'r.id',
    definition: `'test'`,
    input: `'{}'::jsonb`,
    ownerId: 'r.owner_id',
    deadlineMs: '20000',
    changedAt: 'clock_timestamp()',
    source: 'unnest($1::text[], $2::bigint[]) as r (id, owner_id)',
    ifAbsent: true,
  });
  type Entry = { id: string } & { ownerId: number };
  const groups: string[][] = [];
  const insert = async (entries: Entry[]) => {
    groups.push(entries.map(({ id }) => id));
    const values = [entries.map(({ id }) => id), entries.map(({ ownerId }) => ownerId)];
    const { rows } = await test.database.pool.query(INSERT, values);
    return entries.map(({ id }) => {
      const row = rows.find((one) => one.id === id);
      return row === undefined
        ? { kind: 'exists' as const, existing: `what ${id} is` }
        : { kind: 'begun' as const, row };
    });
  };

  it('inserts what arrives together in one statement; each has its own outcome and runs', async () => {
    const start = engine.createStarter({ insert });
    groups.length = 0;
    const outcomes = await Promise.all(['g1', 'g2', 'twice'].map((id) => start({ id })));
    expect(groups).toEqual([['g1', 'g2', 'twice']]);
    expect(outcomes).toEqual([{ kind: 'begun' }, { kind: 'begun' }, { kind: 'exists', existing: 'what twice is' }]);
    expect(await Promise.all([stateOf('g1'), stateOf('g2')])).toEqual(['completed', 'completed']);
  });

  it('paces groups: the next is inserted when those before have ended, or are slow', async () => {
    const held = Promise.withResolvers<void>();
    test.onAct('p1', 'reserve', async (_context, effect) => {
      await held.promise;
      return await effect();
    });
    const start = engine.createStarter({ insert, maxGroups: 1, groupMs: 60_000 });
    groups.length = 0;
    await start({ id: 'p1' });
    const second = start({ id: 'p2' });
    await eventually(async () => (await test.callNames('p1')).includes('act reserve'));
    expect(groups).toEqual([['p1']]);
    held.resolve();
    expect(await second).toEqual({ kind: 'begun' });
    expect(await stateOf('p2')).toBe('completed');
  });

  it('an insert that fails gives every slot back, and its error to every caller', async () => {
    const small = await test.engine({ maxRunning: 2 });
    const fails = small.createStarter<{ id: string }, string>({
      insert: () => Promise.reject(Object.assign(new Error('refused'), { code: '23514' })),
    });
    const ended = await Promise.allSettled(['f1', 'f2'].map((id) => fails({ id })));
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const start = small.createStarter({ insert });
    const outcomes = await Promise.all(['h1', 'h2', 'h3'].map((id) => start({ id })));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['begun', 'begun', 'unavailable']);
    expect(await rowsOf('h3')).toEqual([]);
  });
});
