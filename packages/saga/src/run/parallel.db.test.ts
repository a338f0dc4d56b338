import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { groupedSaga } from '../../test/grouped-saga.ts';
import { type ActHook, eventually, intercept, isCheckpointFlush, SagaTest } from '../../test/test-participants.ts';
import { LONG_MS, rowOf, settledBy, WAITING } from '../../test/waiting-saga.ts';
import type { SagaDefinition } from '../definition/definition.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';

let test: SagaTest;
let grouped: SagaDefinition;
beforeAll(async () => {
  test = await SagaTest.create('parallel');
  grouped = groupedSaga(test) as SagaDefinition;
});
afterEach(() => test.killAll());
afterAll(() => test.drop());

const row = (id: string) => rowOf(test, id);
const waits = (id: string) => eventually(async () => (await row(id))?.state === 'waiting');
const engineOf = (options: Parameters<SagaTest['engine']>[0] = {}, wrap?: Parameters<SagaTest['engine']>[1]) =>
  test.engine({ definitions: [grouped], ...options }, wrap);

/** Resolves for each caller once so many are there: one after the other they would wait for ever. */
function meeting(of: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let there = 0;
  return async () => {
    there += 1;
    if (there === of) resolve();
    await promise;
  };
}

const told: ActHook = async ({ signals }, effect) => (signals.length > 0 ? await effect() : WAITING);

describe('a parallel group', () => {
  it('S2: acts side by side under one checkpoint, and the next step starts when all are done', async () => {
    const engine = await engineOf();
    const meet = meeting(2);
    for (const step of ['reserve', 'charge'] as const) {
      test.onAct('beside', step, async (_, effect) => {
        await meet();
        return await effect();
      });
    }
    await test.start(engine, 'beside', grouped);
    const ended = await settledBy(engine, 'beside');
    expect(ended).toMatchObject({ state: 'completed', position: 4, revision: 3 });
    expect(Object.keys(ended.outputs).sort()).toEqual(['charge', 'notify', 'reserve', 'ship']);
    const calls = (await test.calls('beside')).map(({ step, saga_position }) => `${step} at ${saga_position}`);
    expect(calls.slice(0, 2).sort()).toEqual(['charge at 0', 'reserve at 0']);
    expect(calls.slice(2)).toEqual(['ship at 2', 'notify at 3']);
  });

  it('S3: turns back when one member refuses: what is done is stored, and all are undone side by side', async () => {
    const engine = await engineOf();
    test.onAct('refused', 'charge', async () => ({ kind: 'refused', reason: 'CARD_DECLINED', message: 'no' }));
    const meet = meeting(2);
    const known: unknown[] = [];
    for (const step of ['reserve', 'charge'] as const) {
      test.onUndo('refused', step, async ({ outputs }, effect) => {
        known.push(outputs);
        await meet();
        return await effect();
      });
    }
    await test.start(engine, 'refused', grouped);
    const failure = { step: 'charge', reason: 'CARD_DECLINED', message: 'no' };
    expect(await settledBy(engine, 'refused')).toMatchObject({ state: 'failed', position: -1, failure, revision: 2 });
    expect(known).toEqual(Array(2).fill({ reserve: { done: 'reserve' } }));
    const undos = (await test.calls('refused')).filter(({ direction }) => direction === 'undo');
    expect(undos.map(({ saga_state, saga_position }) => [saga_state, saga_position])).toEqual(
      Array(2).fill(['compensating', 0]),
    );
  });

  it('S3: is undone as a whole when a step behind it refuses', async () => {
    const engine = await engineOf();
    test.onAct('behind', 'ship', async () => ({ kind: 'refused', reason: 'ADDRESS_REFUSED', message: 'nowhere' }));
    await test.start(engine, 'behind', grouped);
    expect(await settledBy(engine, 'behind')).toMatchObject({ state: 'failed', position: -1 });
    expect(await test.effects('behind')).toEqual([
      { step: 'reserve', state: 'undone' },
      { step: 'charge', state: 'undone' },
      { step: 'ship', state: 'sealed' },
    ]);
  });

  it('S3: parks when one member cannot be undone, the others undone; a resume undoes it', async () => {
    const definition = groupedSaga(test, { name: 'stubborn', maxAttempts: 3 }) as SagaDefinition;
    const engine = await test.engine({ definitions: [definition] });
    test.onAct('stubborn', 'reserve', async () => ({ kind: 'refused', reason: 'OUT_OF_STOCK', message: 'none' }));
    let isMended = false;
    test.onUndo('stubborn', 'charge', async (_, effect) =>
      isMended ? await effect() : { kind: 'unknown', detail: 'the provider is away' },
    );
    await test.start(engine, 'stubborn', definition);
    await eventually(async () => (await row('stubborn')).state === 'parked');
    expect((await row('stubborn')).parked).toMatchObject({ step: 'charge', direction: 'undo', attempts: 3 });
    const reserve = (await test.effects('stubborn')).find(({ step }) => step === 'reserve');
    expect(reserve).toEqual({ step: 'reserve', state: 'sealed' });
    isMended = true;
    expect(await engine.operator.resume('stubborn')).toMatchObject({ kind: 'resumed' });
    expect(await settledBy(engine, 'stubborn')).toMatchObject({ state: 'failed', position: -1 });
    expect((await test.effects('stubborn')).filter(({ state }) => state === 'done')).toEqual([]);
  });

  it('S4: asks a member whose outcome is unknown again, beside one that is done, with the same key', async () => {
    const engine = await engineOf();
    let asked = 0;
    test.onAct('unknown', 'charge', async (_, effect) =>
      asked++ < 2 ? { kind: 'unknown', detail: 'connection lost' } : await effect(),
    );
    await test.start(engine, 'unknown', grouped);
    expect((await settledBy(engine, 'unknown')).state).toBe('completed');
    const calls = await test.calls('unknown');
    expect(calls.filter(({ step }) => step === 'charge').map(({ key }) => key)).toEqual(
      Array(3).fill('unknown:charge'),
    );
    expect(calls.filter(({ step }) => step === 'reserve')).toHaveLength(1);
  });

  it('S1: is asked again as a whole by the process that adopts it, when its owner died with one member done', async () => {
    const dead = await engineOf();
    const reached = Promise.withResolvers<void>();
    test.onAct('adopted', 'charge', async ({ epoch }, effect) => {
      if (epoch > 1) return await effect();
      reached.resolve();
      return await new Promise(() => {});
    });
    await test.start(dead, 'adopted', grouped);
    await reached.promise;
    await eventually(async () => (await test.effects('adopted')).length === 1);
    await test.kill(dead);
    const engine = await engineOf();
    expect(await settledBy(engine, 'adopted')).toMatchObject({ state: 'completed' });
    expect((await test.effects('adopted')).map(({ state }) => state)).toEqual(Array(4).fill('done'));
  });
});

describe('a group of which members wait', () => {
  it('S7: shows what each waits for, stores what is done, and asks again only what is not, at once when either is told', async () => {
    // It never sweeps.
    const engine = await engineOf({ leaseMs: LONG_MS });
    test.onAct('both', 'reserve', told);
    test.onAct('both', 'charge', told);
    const shown: SagaSnapshot[] = [];
    engine.subscribe('both', (snapshot) => shown.push(snapshot));
    await test.start(engine, 'both', grouped);
    await waits('both');
    const { reason, data } = WAITING;
    expect(shown.at(-1)?.waiting).toMatchObject({
      step: 'reserve',
      reason,
      data,
      beside: { charge: { reason, data } },
    });
    // The one that is not shown first.
    expect(await engine.signal('both', 'charge', { key: 'evt_1' })).toEqual({ kind: 'signalled' });
    await eventually(
      async () => (await row('both')).outputs !== null && 'charge' in ((await row('both')).outputs as object),
    );
    await waits('both');
    expect((await row('both')).waiting).toMatchObject({ step: 'reserve' });
    expect((await row('both')).waiting).not.toHaveProperty('beside');
    expect(await engine.signal('both', 'reserve', { key: 'evt_2' })).toEqual({ kind: 'signalled' });
    expect((await settledBy(engine, 'both')).state).toBe('completed');
    const acts = (await test.callNames('both')).filter((name) => name !== 'act ship' && name !== 'act notify').sort();
    expect(acts).toEqual([...Array(2).fill('act charge'), ...Array(3).fill('act reserve')]);
  });

  it('S7: loses no signal of any member that comes before the wait is durable', async () => {
    const arrived = Promise.withResolvers<void>();
    const engine = await engineOf({ leaseMs: LONG_MS }, (pool) =>
      intercept(pool, async (sql, values, run) => {
        if (isCheckpointFlush(sql, values) && JSON.stringify(values).includes('seenOf')) {
          arrived.resolve();
          await signalled.promise;
        }
        return await run();
      }),
    );
    const signalled = Promise.withResolvers<void>();
    test.onAct('early', 'reserve', async (_, effect) => ((await row('early')).epoch === 1 ? WAITING : await effect()));
    test.onAct('early', 'charge', told);
    await test.start(engine, 'early', grouped);
    await arrived.promise;
    const other = await engineOf({ leaseMs: LONG_MS });
    expect(await other.signal('early', 'charge', { key: 'evt_1' })).toEqual({ kind: 'signalled' });
    signalled.resolve();
    expect((await settledBy(engine, 'early')).state).toBe('completed');
  });

  it('S3: turns back when it is cancelled, and undoes members that wait and members that are done', async () => {
    const engine = await engineOf();
    test.onAct('cancelled', 'charge', told);
    await test.start(engine, 'cancelled', grouped);
    await waits('cancelled');
    expect((await row('cancelled')).outputs).toEqual({ reserve: { done: 'reserve' } });
    await engine.cancel('cancelled', 5_000);
    expect(await settledBy(engine, 'cancelled')).toMatchObject({ state: 'cancelled', position: -1 });
    expect(await test.effects('cancelled')).toEqual([
      { step: 'reserve', state: 'undone' },
      { step: 'charge', state: 'sealed' },
    ]);
  });

  it('S7: turns back for the reason of the member that waited too long', async () => {
    const waitsShortly = { maxMs: 300, exceededReason: 'PAYMENT_NOT_CONFIRMED' };
    const definition = groupedSaga(test, { name: 'short', deadlineMs: 400, waits: waitsShortly }) as SagaDefinition;
    const engine = await test.engine({ definitions: [definition] });
    test.onAct('late', 'charge', async () => WAITING);
    await test.start(engine, 'late', definition);
    const failure = { step: 'charge', reason: 'PAYMENT_NOT_CONFIRMED' };
    expect(await settledBy(engine, 'late')).toMatchObject({ state: 'failed', failure });
    expect((await test.effects('late')).filter(({ state }) => state === 'done')).toEqual([]);
  });

  it('S7: holds no process for a member that nobody answers for, beside one that waits', async () => {
    const engine = await engineOf();
    test.onAct('outage', 'charge', told);
    let isAway = true;
    test.onAct('outage', 'reserve', async (_, effect) =>
      isAway ? { kind: 'unknown', detail: 'connection refused' } : await effect(),
    );
    await test.start(engine, 'outage', grouped);
    await waits('outage');
    expect((await row('outage')).waiting).toMatchObject({
      ...{ step: 'charge', reason: WAITING.reason },
      beside: { reserve: { reason: 'UNANSWERED', unanswered: 1 } },
    });
    isAway = false;
    await engine.signal('outage', 'charge', { key: 'evt_1' });
    expect((await settledBy(engine, 'outage')).state).toBe('completed');
  });
});
