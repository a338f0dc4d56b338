import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ActHook, eventually, intercept, isCheckpointFlush, SagaTest } from '../../test/test-participants.ts';
import { LONG_MS, rowOf, settledBy, WAIT_MS, WAITING } from '../../test/waiting-saga.ts';
import type { Signal, Waiting } from '../definition/definition.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';
import type { Engine } from './engine.ts';

let test: SagaTest;

beforeAll(async () => {
  test = await SagaTest.create('waiting');
});
afterEach(() => test.killAll());
afterAll(() => test.drop());

const row = (id: string) => rowOf(test, id);

const waits = (id: string) => eventually(async () => (await row(id))?.state === 'waiting');

/** Waits until it has been sent a signal. @returns what each attempt has seen */
function onceSignalled(): { seen: (readonly Signal[])[]; hook: ActHook } {
  const seen: (readonly Signal[])[] = [];
  const hook: ActHook = async ({ signals }, effect) => {
    seen.push(signals);
    return signals.length > 0 ? await effect() : WAITING;
  };
  return { seen, hook };
}

/** Makes it due, as its instant does when it comes. */
const letTimePass = (id: string) =>
  test.database.pool.query('update holdfast.sagas set wake_at = clock_timestamp() where id = $1', [id]);

describe('a step that waits', () => {
  it('S7: takes no slot, is shown with its reason and data, and is asked again with the same key when its instant comes', async () => {
    const engine = await test.engine({ maxRunning: 1 });
    const heard: SagaSnapshot[] = [];
    engine.subscribe('instant', (snapshot) => heard.push(snapshot));
    let asked = 0;
    const since: unknown[] = [];
    test.onAct('instant', 'charge', async ({ waiting }, effect) => {
      since.push(waiting?.since);
      return asked++ < 2 ? WAITING : await effect();
    });
    await test.start(engine, 'instant');
    await waits('instant');
    await eventually(async () => engine.stats().running === 0);
    // There is room for another one.
    await test.start(engine, 'beside');
    expect((await settledBy(engine, 'beside')).state).toBe('completed');
    const { waiting, ...snapshot } = heard.at(-1) as SagaSnapshot;
    expect(snapshot).toMatchObject({ state: 'waiting', position: 1, revision: 2 });
    const { reason, data } = WAITING;
    expect(waiting).toEqual({
      step: 'charge',
      reason,
      data,
      since: expect.any(String),
      until: expect.any(String),
      leftMs: expect.any(Number),
      mayTurnBack: true,
    });
    // 20 s for the work, and 20 s for the wait.
    expect(Date.parse(waiting?.until ?? '') - Date.parse(waiting?.since ?? '')).toBeGreaterThan(35_000);
    expect(await engine.readSaga('instant')).toMatchObject({ state: 'waiting', waiting, wakeAt: expect.any(Date) });
    expect(await engine.waitForEnd('instant', 0)).toEqual({ kind: 'in_progress' });

    await letTimePass('instant');
    await eventually(async () => asked === 2 && (await row('instant')).state === 'waiting');
    await letTimePass('instant');
    expect(await settledBy(engine, 'instant')).toMatchObject({ state: 'completed', waiting: null });
    expect(since).toEqual([undefined, waiting?.since, waiting?.since]);
    const keys = (await test.calls('instant'))
      .filter(({ step }) => step === 'charge')
      .map(({ key, epoch }) => [key, epoch]);
    expect(keys).toEqual([1, 2, 3].map((epoch) => ['instant:charge', epoch]));
    const attempts = (await engine.readSaga('instant'))?.attempts.map(({ step, outcome, detail }) => [
      step,
      outcome,
      detail,
    ]);
    expect(attempts?.slice(1, 4)).toEqual([
      ['charge', 'waiting', reason],
      ['charge', 'waiting', reason],
      ['charge', 'completed', null],
    ]);
    // While it is asked again it is still shown what it waits for.
    expect(heard.map(({ state, waiting }) => `${state} ${waiting?.reason ?? '-'}`)).toEqual([
      'running -',
      `waiting ${reason}`,
      `running ${reason}`,
      `waiting ${reason}`,
      `running ${reason}`,
      'running -',
      'running -',
      'completed -',
    ]);
    const revisions = heard.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(new Set(heard.map(({ changedAt }) => changedAt.getTime())).size).toBe(heard.length);
  });

  it('S4: may wait only if it says for how long; an answer that is no wait is unknown', async () => {
    const engine = await test.engine();
    let asked = 0;
    test.onAct('liar', 'reserve', async (_, effect) => (asked++ === 0 ? WAITING : await effect()));
    const wrong = [{ waitMs: -1 }, { waitMs: Number.NaN }, { reason: '' }, { data: 'x'.repeat(20_000) }, { data: 1n }];
    test.onAct('liar', 'charge', async (_, effect) => {
      const change = wrong.shift();
      return change === undefined ? await effect() : ({ ...WAITING, ...change } as Waiting);
    });
    test.onUndo('liar', 'charge', async (_, effect) => await effect());
    await test.start(engine, 'liar');
    expect((await settledBy(engine, 'liar')).state).toBe('completed');
    const details = (await engine.readSaga('liar'))?.attempts.filter(({ outcome }) => outcome === 'unknown');
    expect(details?.map(({ detail }) => detail)).toEqual([
      'reserve can’t wait: its step does not declare `waits`',
      'waitMs of a wait must be a positive number of milliseconds',
      'waitMs of a wait must be a positive number of milliseconds',
      'a wait needs a reason of 1 to 200 characters',
      'data of a wait is over 16384 characters of JSON',
      expect.stringMatching(/^TypeError: /),
    ]);
  });

  it('S1: needs no adoption: a process that dies leaves nothing to be taken over, and any other takes what is due', async () => {
    const dead = await test.engine();
    let asked = 0;
    test.onAct('ownerless', 'charge', async (_, effect) => (asked++ === 0 ? WAITING : await effect()));
    await test.start(dead, 'ownerless');
    await waits('ownerless');
    await test.kill(dead);
    await test.database.pool.query('delete from holdfast.owners');
    const engine = await test.engine();
    await test.start(engine, 'a-sweep-later');
    await settledBy(engine, 'a-sweep-later');
    expect(await row('ownerless')).toMatchObject({ state: 'waiting', epoch: 1 });
    await letTimePass('ownerless');
    expect((await settledBy(engine, 'ownerless')).state).toBe('completed');
    expect(await row('ownerless')).toMatchObject({ epoch: 2, owner_id: engine.ownerId });
  });

  it('S2: is taken by one of many that find it due', async () => {
    const engines = [await test.engine(), await test.engine(), await test.engine()];
    const ids = Array.from({ length: 60 }, (_, n) => `due-${n}`);
    const asked = new Map<string, number>();
    test.onAct('*', 'charge', async ({ sagaId }, effect) => {
      if (!sagaId.startsWith('due-')) return await effect();
      asked.set(sagaId, (asked.get(sagaId) ?? 0) + 1);
      return asked.get(sagaId) === 1 ? WAITING : await effect();
    });
    for (const id of ids) await test.start(engines[0] as Engine, id);
    for (const id of ids) await waits(id);
    await test.database.pool.query(`update holdfast.sagas set wake_at = clock_timestamp() where id like 'due-%'`);
    for (const id of ids) {
      expect((await settledBy(engines[1] as Engine, id)).state).toBe('completed');
      expect((await row(id)).epoch).toBe(2);
    }
    expect(new Set(asked.values())).toEqual(new Set([2]));
  });

  it('is left alone by processes that do not know its definition, and taken within the room that there is', async () => {
    const engine = await test.engine();
    let asked = 0;
    test.onAct('*', 'ship', async ({ sagaId }, effect) =>
      sagaId.startsWith('room-') && asked++ < 6 ? WAITING : await effect(),
    );
    const ids = Array.from({ length: 6 }, (_, n) => `room-${n}`);
    for (const id of ids) await test.start(engine, id);
    for (const id of ids) await waits(id);
    await test.kill(engine);
    await test.database.pool.query(`update holdfast.sagas set wake_at = clock_timestamp() where id like 'room-%'`);
    const stranger = await test.engine({ definitions: [test.define({ name: 'stranger' })] });
    await test.start(stranger, 'strange', test.define({ name: 'stranger' }));
    await settledBy(stranger, 'strange');
    for (const id of ids) expect(await row(id)).toMatchObject({ state: 'waiting', epoch: 1 });
    let most = 0;
    test.onAct('*', 'notify', async (_, effect) => {
      most = Math.max(most, small.stats().running);
      return await effect();
    });
    const small = await test.engine({ maxRunning: 2 });
    for (const id of ids) expect((await settledBy(small, id)).state).toBe('completed');
    expect(most).toBeLessThanOrEqual(2);
    test.onAct('*', 'ship', (_, effect) => effect());
    test.onAct('*', 'notify', (_, effect) => effect());
  });
});

describe('a signal', () => {
  it('S7: has the waiting step asked again at once, by the process that was told, and is shown to it', async () => {
    // Neither sweeps again.
    const [first, other] = [await test.engine({ leaseMs: LONG_MS }), await test.engine({ leaseMs: LONG_MS })];
    const { seen, hook } = onceSignalled();
    test.onAct('told', 'charge', hook);
    await test.start(first, 'told');
    await waits('told');
    expect(await other.signal('told', 'charge', { key: 'evt_1', data: { paid: true } })).toEqual({ kind: 'signalled' });
    expect((await settledBy(other, 'told')).state).toBe('completed');
    expect(seen).toEqual([[], [{ key: 'evt_1', data: { paid: true } }]]);
    expect(await row('told')).toMatchObject({ epoch: 2, owner_id: other.ownerId, signals: { charge: 1 } });
  });

  it('S7: counts once under its key, and for nothing once the saga has ended', async () => {
    const engine = await test.engine();
    const { seen, hook } = onceSignalled();
    const told = Promise.withResolvers<void>();
    test.onAct('again', 'charge', async (context, effect) => {
      if (context.epoch > 1) await told.promise;
      return await hook(context, effect);
    });
    await test.start(engine, 'again');
    await waits('again');
    const outcomes = await Promise.all([1, 2, 3].map(() => engine.signal('again', 'charge', { key: 'evt_1' })));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['repeated', 'repeated', 'signalled']);
    told.resolve();
    await settledBy(engine, 'again');
    expect(seen).toEqual([[], [{ key: 'evt_1', data: null }]]);
    expect(await engine.signal('again', 'charge', { key: 'evt_2' })).toEqual({ kind: 'ended' });
    expect(await engine.signal('no such saga', 'charge', { key: 'evt_2' })).toEqual({ kind: 'not_found' });
    expect(await row('again')).toMatchObject({ signals: { charge: 1 } });
  });

  it.each(['before the step', 'while the act is on its way', 'while the wait is being stored'] as const)(
    'S7: that comes %s is not lost',
    async (when) => {
      const id = `early ${when}`;
      let flushes = 0;
      const engine = await test.engine({}, (pool) =>
        intercept(pool, async (sql, values, run) => {
          const isWait = isCheckpointFlush(sql, values) && JSON.stringify(values[4]).includes('waiting');
          if (isWait && when === 'while the wait is being stored' && flushes++ === 0) await tell();
          return await run();
        }),
      );
      const other = await test.engine();
      const tell = () => other.signal(id, 'charge', { key: 'evt_1' });
      const { seen, hook } = onceSignalled();
      test.onAct(id, 'reserve', async (_, effect) => {
        if (when === 'before the step') await tell();
        return await effect();
      });
      test.onAct(id, 'charge', async (context, effect) => {
        if (when === 'while the act is on its way' && seen.length === 0) await tell();
        return await hook(context, effect);
      });
      await test.start(engine, id);
      expect((await settledBy(engine, id)).state).toBe('completed');
      expect(seen.at(-1)).toEqual([{ key: 'evt_1', data: null }]);
      expect(seen).toHaveLength(2);
    },
  );

  it('S7: is shown to whoever adopts the saga', async () => {
    const dying = await test.engine();
    const { seen, hook } = onceSignalled();
    test.onAct('adopted', 'charge', async (context, effect) => {
      if (context.signals.length > 0 && context.epoch === 2) await new Promise(() => {});
      return await hook(context, effect);
    });
    await test.start(dying, 'adopted');
    await waits('adopted');
    await dying.signal('adopted', 'charge', { key: 'evt_1' });
    await eventually(async () => (await row('adopted')).epoch === 2);
    await test.kill(dying);
    const engine = await test.engine();
    expect((await settledBy(engine, 'adopted')).state).toBe('completed');
    expect(seen.at(-1)).toEqual([{ key: 'evt_1', data: null }]);
    expect((await row('adopted')).epoch).toBe(3);
  });

  it('for another step shortens no wait, and is kept for that step', async () => {
    const engine = await test.engine();
    const { seen, hook } = onceSignalled();
    let shipped: readonly Signal[] = [];
    test.onAct('other-step', 'charge', hook);
    test.onAct('other-step', 'ship', async ({ signals }, effect) => {
      shipped = signals;
      return await effect();
    });
    await test.start(engine, 'other-step');
    await waits('other-step');
    const { wake_at } = await row('other-step');
    await engine.signal('other-step', 'ship', { key: 'label' });
    expect(await row('other-step')).toMatchObject({ state: 'waiting', epoch: 1, wake_at });
    await engine.signal('other-step', 'charge', { key: 'evt_1' });
    await settledBy(engine, 'other-step');
    expect(seen).toHaveLength(2);
    expect(shipped).toEqual([{ key: 'label', data: null }]);
  });

  it('is bounded, in number for each saga and in size', async () => {
    const engine = await test.engine();
    test.onAct('bounded', 'charge', async () => WAITING);
    await test.start(engine, 'bounded');
    await waits('bounded');
    const sent = await Promise.all(
      Array.from({ length: 130 }, (_, n) => engine.signal('bounded', 'ship', { key: `evt_${n}` })),
    );
    expect(sent.filter(({ kind }) => kind === 'signalled')).toHaveLength(100);
    expect(sent.filter(({ kind }) => kind === 'full')).toHaveLength(30);
    const large = engine.signal('bounded', 'ship', { key: 'k', data: 'x'.repeat(9_000) });
    await expect(large).rejects.toThrow(RangeError);
    await expect(engine.signal('bounded', 'ship', { key: '' })).rejects.toThrow(RangeError);
    await engine.cancel('bounded', WAIT_MS);
    await settledBy(engine, 'bounded');
  });
});

describe('the checkpoint of a wait', () => {
  it('S2: a late copy of it changes nothing, whether the saga still waits or goes on', async () => {
    const copies: (() => Promise<unknown>)[] = [];
    const engine = await test.engine({}, (pool) =>
      intercept(pool, async (sql, values, run) => {
        if (isCheckpointFlush(sql, values) && JSON.stringify(values[4]).includes('waiting')) copies.push(run);
        return await run();
      }),
    );
    const { hook } = onceSignalled();
    test.onAct('copied', 'charge', async (context, effect) => {
      const outcome = await hook(context, effect);
      // Long before the deadline, so that a later instant would be seen.
      return outcome.kind === 'waiting' ? { ...outcome, waitMs: 10_000 } : outcome;
    });
    await test.start(engine, 'copied');
    await waits('copied');
    const before = await row('copied');
    await copies[0]?.();
    const { driven_at: _, ...after } = await row('copied');
    expect(before).toMatchObject(after);
    await engine.signal('copied', 'charge', { key: 'evt_1' });
    const ended = await settledBy(engine, 'copied');
    await copies[0]?.();
    expect(await row('copied')).toMatchObject({ state: 'completed', revision: ended.revision });
  });

  it('K1: runs the commit hook like any other', async () => {
    await test.database.pool.query('create table shown (id text primary key, payload text)');
    const engine = await test.engine({
      commitHook: {
        name: 'show',
        text: `insert into shown select id, payload from written where payload is not null
               on conflict (id) do update set payload = excluded.payload returning id`,
        returnsStored: true,
      },
      hookPayload: ({ state, waiting }) => (state === 'waiting' ? `waits for ${waiting?.reason}` : null),
    });
    test.onAct('hooked', 'charge', async () => WAITING);
    let stored: string | null | undefined = null;
    engine.subscribe('hooked', ({ storedByHook }) => (stored ??= storedByHook));
    await test.start(engine, 'hooked');
    await waits('hooked');
    await eventually(async () => stored !== null);
    expect(stored).toBe('waits for AUTHENTICATION');
    expect((await test.database.pool.query('select payload from shown')).rows).toEqual([{ payload: stored }]);
  });
});
