import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, intercept, isCheckpointFlush, SagaTest } from '../../test/test-participants.ts';
import { LONG_MS, rowOf, settledBy, WAIT_MS, WAITING } from '../../test/waiting-saga.ts';
import { requestCancel } from '../operator/cancel.ts';
import { storeSignal } from '../operator/signal.ts';

let test: SagaTest;

beforeAll(async () => {
  test = await SagaTest.create('waiting_end');
});
afterEach(() => test.killAll());
afterAll(() => test.drop());

const row = (id: string) => rowOf(test, id);

const waits = (id: string) => eventually(async () => (await row(id))?.state === 'waiting');

describe('the end of a wait', () => {
  it('S3: a cancel wakes it, here, and the waiting step is undone', async () => {
    // Neither sweeps again.
    const [first, other] = [await test.engine({ leaseMs: LONG_MS }), await test.engine({ leaseMs: LONG_MS })];
    test.onAct('cancelled', 'charge', async (_, effect) => {
      await effect();
      return WAITING;
    });
    await test.start(first, 'cancelled');
    await waits('cancelled');
    expect((await other.cancel('cancelled', WAIT_MS)).kind).toMatch(/turning_back|cancelled/);
    expect(await settledBy(other, 'cancelled')).toMatchObject({
      state: 'cancelled',
      failure: { step: 'charge' },
      waiting: null,
    });
    expect(await test.callNames('cancelled')).toEqual(['act reserve', 'act charge', 'undo charge', 'undo reserve']);
    expect((await test.effects('cancelled')).map(({ state }) => state)).toEqual(['undone', 'undone']);
    expect((await row('cancelled')).owner_id).toBe(other.ownerId);
  });

  it.each(['cancel', 'signal'] as const)(
    'S7: a %s whose process dies with it is found by the sweep of any',
    async (what) => {
      const id = `dies-${what}`;
      const engine = await test.engine();
      let asked = 0;
      test.onAct(id, 'charge', async (_, effect) => (asked++ === 0 ? WAITING : await effect()));
      await test.start(engine, id);
      await waits(id);
      const { pool } = test.database;
      if (what === 'cancel') await requestCancel(pool, id);
      else await storeSignal(pool, id, 'charge', { key: 'evt_1' });
      expect((await settledBy(engine, id)).state).toBe(what === 'cancel' ? 'cancelled' : 'completed');
    },
  );

  it('S7: a cancel that comes while the wait is being stored ends it', async () => {
    const other = await test.engine();
    let asked = 0;
    const engine = await test.engine({}, (pool) =>
      intercept(pool, async (sql, values, run) => {
        const isWait = isCheckpointFlush(sql, values) && JSON.stringify(values[4]).includes('waiting');
        if (isWait && asked === 1) await other.cancel('cancelled-early', 0);
        return await run();
      }),
    );
    test.onAct('cancelled-early', 'charge', async () => {
      asked += 1;
      return WAITING;
    });
    await test.start(engine, 'cancelled-early');
    expect((await settledBy(engine, 'cancelled-early')).state).toBe('cancelled');
    expect(asked).toBe(1);
  });

  it('S1: the deadline turns it back: it moves on with the first wait of a step, and not with the next', async () => {
    const definition = test.define({
      name: 'patient',
      deadlineMs: 60_000,
      waits: { maxMs: 500, exceededReason: 'NOT_PAID' },
    });
    const engine = await test.engine({ definitions: [definition] });
    const deadlines: unknown[] = [];
    test.onAct('late', 'charge', async () => {
      const { deadline_at, started_at } = await row('late');
      deadlines.push(Math.round(((deadline_at as Date).getTime() - (started_at as Date).getTime()) / 100) * 100);
      // Its time is nearly over before it waits a second time.
      if (deadlines.length === 1) return { ...WAITING, waitMs: 1 };
      await test.database.pool.query(
        `update holdfast.sagas set deadline_at = clock_timestamp() + interval '300 ms' where id = 'late'`,
      );
      return { ...WAITING, waitMs: LONG_MS };
    });
    await test.start(engine, 'late', definition);
    expect(await settledBy(engine, 'late')).toMatchObject({
      state: 'failed',
      failure: { step: 'charge', reason: 'NOT_PAID', message: 'AUTHENTICATION: still so after waiting for 500 ms' },
    });
    expect(deadlines).toEqual([60_000, 60_500]);
    expect(await test.callNames('late')).toEqual([
      'act reserve',
      'act charge',
      'act charge',
      'undo charge',
      'undo reserve',
    ]);
  });

  it('S7: leaves the deadline to the work alone: what the wait has not used of its time is taken off again', async () => {
    const definition = test.define({
      name: 'short-wait',
      deadlineMs: 60_000,
      timeoutMs: LONG_MS,
      waits: { maxMs: LONG_MS },
    });
    const engine = await test.engine({ definitions: [definition] });
    let asked = 0;
    const leftMs: number[] = [];
    test.onAct('short', 'charge', async (_, effect) => (asked++ < 2 ? { ...WAITING, waitMs: 1 } : await effect()));
    test.onAct('short', 'ship', async ({ timeoutMs }, effect) => {
      const { deadline_at, started_at } = (await row('short')) as Record<string, Date>;
      leftMs.push(timeoutMs, Number(deadline_at) - Number(started_at));
      return await effect();
    });
    await test.start(engine, 'short', definition);
    expect((await settledBy(engine, 'short')).state).toBe('completed');
    expect(leftMs).toHaveLength(2);
    for (const ms of leftMs) expect(ms).toBeGreaterThan(50_000);
    for (const ms of leftMs) expect(ms).toBeLessThan(70_000);
  });

  it('behind the pivot parks the saga, and a cancel does not hurry it', async () => {
    const definition = test.define({ name: 'behind', deadlineMs: 60_000, waits: { maxMs: 700 } });
    const engine = await test.engine({ definitions: [definition] });
    let asked = 0;
    let isReady = false;
    test.onAct('behind', 'notify', async (_, effect) => {
      asked += 1;
      return isReady ? await effect() : { ...WAITING, waitMs: LONG_MS };
    });
    await test.start(engine, 'behind', definition);
    await waits('behind');
    const { wake_at } = await row('behind');
    expect((await engine.cancel('behind', WAIT_MS)).kind).toBe('refused');
    expect(await row('behind')).toMatchObject({ state: 'waiting', epoch: 1, wake_at });
    expect(asked).toBe(1);
    await test.database.pool.query(
      `update holdfast.sagas set deadline_at = clock_timestamp(), wake_at = clock_timestamp() where id = 'behind'`,
    );
    expect((await settledBy(engine, 'behind')).state).toBe('parked');
    expect(await engine.readSaga('behind')).toMatchObject({
      parked: { step: 'notify', reason: 'WAIT_EXCEEDED', detail: 'AUTHENTICATION' },
    });
    expect(asked).toBe(2);
    isReady = true;
    await engine.resume('behind');
    expect((await settledBy(engine, 'behind')).state).toBe('completed');
  });

  it('S2: an operator asks it again now, or turns it back', async () => {
    const engine = await test.engine();
    let asked = 0;
    test.onAct('operated', 'charge', async (_, effect) => (asked++ === 0 ? WAITING : await effect()));
    test.onAct('turned', 'charge', async () => WAITING);
    for (const id of ['operated', 'turned']) await test.start(engine, id);
    for (const id of ['operated', 'turned']) await waits(id);
    expect(await engine.operator.resume('operated')).toEqual({ kind: 'not_parked', state: 'waiting' });
    expect(await engine.operator.retryNow('operated')).toMatchObject({
      kind: 'resumed',
      snapshot: { state: 'running' },
    });
    expect(await settledBy(engine, 'operated')).toMatchObject({ state: 'completed' });
    const { interventions, changedAt } = (await engine.readSaga('operated')) ?? {};
    expect(interventions).toMatchObject([{ verb: 'retry', epoch: 2, parked: null }]);
    expect(changedAt).toBeInstanceOf(Date);
    expect((await engine.operator.compensate('turned', WAIT_MS)).kind).toMatch(/turning_back|ended/);
    expect(await settledBy(engine, 'turned')).toMatchObject({ state: 'cancelled' });
  });

  it('by an operator who turns it back leaves nothing of what was shown to the client', async () => {
    const engine = await test.engine();
    let asked = 0;
    test.onAct('forgotten', 'charge', async () =>
      asked++ === 0 ? { ...WAITING, waitMs: 1 } : { kind: 'completed', output: { done: 'unstorable \u0000' } },
    );
    await test.start(engine, 'forgotten');
    expect(await settledBy(engine, 'forgotten')).toMatchObject({ state: 'parked', waiting: { data: WAITING.data } });
    await engine.operator.compensate('forgotten', WAIT_MS);
    expect((await settledBy(engine, 'forgotten')).state).toBe('cancelled');
    expect(await row('forgotten')).toMatchObject({ waiting: null });
  });
});

describe('the delay before a step', () => {
  const DELAYED = { name: 'delayed', deadlineMs: 30_000, delayMs: 600 };

  it('S7: holds the act back without an owner, whatever the step is told and whoever dies, and is had once', async () => {
    const definition = test.define(DELAYED);
    const dying = await test.engine({ definitions: [definition] });
    const sentAt: number[] = [];
    const seen: unknown[] = [];
    test.onAct('held', 'charge', async ({ waiting, signals }, effect) => {
      sentAt.push(Date.now());
      seen.push([waiting?.reason, signals.length]);
      // Of its own wait it is asked again without the delay.
      return sentAt.length === 1 ? { ...WAITING, waitMs: 1 } : await effect();
    });
    await test.start(dying, 'held', definition);
    await waits('held');
    expect(await row('held')).toMatchObject({
      position: 1,
      waiting: { step: 'charge', reason: 'DELAY', isDelay: true },
    });
    const { wake_at, deadline_at, started_at } = (await row('held')) as Record<string, Date>;
    expect(await dying.signal('held', 'charge', { key: 'early' })).toEqual({ kind: 'signalled' });
    expect(await row('held')).toMatchObject({ state: 'waiting', epoch: 1, wake_at });
    expect(Number(deadline_at) - Number(started_at)).toBe(30_600);
    await test.kill(dying);
    const engine = await test.engine({ definitions: [definition] });
    expect((await settledBy(engine, 'held')).state).toBe('completed');
    expect(seen).toEqual([
      [undefined, 1],
      [WAITING.reason, 1],
    ]);
    const { rows } = await test.database.pool.query(
      'select extract(epoch from clock_timestamp()) * 1000 - $1 as skew',
      [Date.now()],
    );
    expect((sentAt[0] ?? 0) + Number(rows[0].skew) + 5).toBeGreaterThanOrEqual(Number(wake_at));
  });

  it('S7: is not ended by a cancel behind the pivot, which is refused', async () => {
    const definition = test.define({ name: 'delayed-end', notifyDelayMs: 60_000 });
    const engine = await test.engine({ definitions: [definition] });
    await test.start(engine, 'kept', definition);
    await waits('kept');
    const { wake_at } = await row('kept');
    expect((await engine.cancel('kept', WAIT_MS)).kind).toBe('refused');
    expect(await row('kept')).toMatchObject({ state: 'waiting', epoch: 1, wake_at, waiting: { mayTurnBack: false } });
    expect(await test.callNames('kept')).toEqual(['act reserve', 'act charge', 'act ship']);
    // An operator's word ends it.
    await engine.operator.retryNow('kept');
    expect((await settledBy(engine, 'kept')).state).toBe('completed');
  });

  it('S3: is ended by a cancel; the step that was never sent is sealed', async () => {
    const definition = test.define({ ...DELAYED, delayMs: LONG_MS });
    const engine = await test.engine({ definitions: [definition] });
    await test.start(engine, 'called-off', definition);
    await waits('called-off');
    await engine.cancel('called-off', WAIT_MS);
    expect(await settledBy(engine, 'called-off')).toMatchObject({ state: 'cancelled' });
    expect(await test.callNames('called-off')).toEqual(['act reserve', 'undo charge', 'undo reserve']);
    expect((await test.effects('called-off')).map(({ state }) => state)).toEqual(['undone', 'sealed']);
  });
});
