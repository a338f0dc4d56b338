import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, SagaTest } from '../../test/test-participants.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';
import type { Inserted } from './begin.ts';
import type { Engine } from './engine.ts';

const WAIT_MS = 15_000;
/** Long enough for the steps before the one in question, on a busy machine too. */
const DEADLINE_MS = 2_000;
let test: SagaTest;
let engine: Engine;

beforeAll(async () => {
  test = await SagaTest.create('engine');
  engine = await test.engine();
});
afterAll(() => test.drop());

const settled = (id: string) => settledBy(engine, id);

describe('a saga', () => {
  it('ends completed when every step is done, each called once, its input and outputs at hand', async () => {
    const seen: unknown[] = [];
    test.onAct('happy', 'notify', async (context, effect) => {
      seen.push(context.input, context.outputs, context.key);
      return await effect();
    });
    await test.start(engine, 'happy');
    const snapshot = await settled('happy');
    expect(snapshot).toMatchObject({ state: 'completed', position: 4, failure: null, revision: 4 });
    expect(snapshot.outputs).toEqual({
      reserve: { done: 'reserve' },
      charge: { done: 'charge' },
      ship: { done: 'ship' },
      notify: { done: 'notify' },
    });
    const { notify: _, ...before } = snapshot.outputs;
    expect(seen).toEqual([{ note: 'stored' }, before, 'happy:notify']);
    expect(await test.callNames('happy')).toEqual(['act reserve', 'act charge', 'act ship', 'act notify']);
  });
});

describe('turning back', () => {
  it('S5: a refusal is final, and undoes every step that was started, the refused one too, in reverse', async () => {
    test.onAct('refused', 'charge', async () => ({ kind: 'refused', reason: 'CARD_DECLINED', message: 'no funds' }));
    await test.start(engine, 'refused');
    expect(await settled('refused')).toMatchObject({
      state: 'failed',
      position: -1,
      failure: { step: 'charge', reason: 'CARD_DECLINED', message: 'no funds' },
    });
    expect(await test.callNames('refused')).toEqual(['act reserve', 'act charge', 'undo charge', 'undo reserve']);
    expect(await test.effects('refused')).toEqual([
      { step: 'reserve', state: 'undone' },
      { step: 'charge', state: 'sealed' },
    ]);
  });

  it('S3: is durable before the first undo is sent', async () => {
    test.onAct('s3', 'ship', async () => ({ kind: 'refused', reason: 'ADDRESS_REFUSED', message: 'nowhere' }));
    await test.start(engine, 's3');
    await settled('s3');
    const undos = (await test.calls('s3')).filter(({ direction }) => direction === 'undo');
    expect(undos.map(({ step, key, saga_state, saga_position }) => [step, key, saga_state, saga_position])).toEqual([
      ['ship', 's3:ship:undo', 'compensating', 2],
      ['charge', 's3:charge:undo', 'compensating', 1],
      ['reserve', 's3:reserve:undo', 'compensating', 0],
    ]);
  });

  it('S2: each act is sent after the checkpoint before it is durable', async () => {
    await test.start(engine, 's2');
    await settled('s2');
    const calls = await test.calls('s2');
    expect(calls.map(({ saga_state, saga_position }) => [saga_state, saga_position])).toEqual([
      ['running', 0],
      ['running', 1],
      ['running', 2],
      ['running', 3],
    ]);
  });
});

describe('an unknown outcome', () => {
  it('S4: is asked again with the same key until it is known, with one effect', async () => {
    let attempts = 0;
    test.onAct('unknown', 'charge', async (context, effect) => {
      attempts += 1;
      expect(context.attempt).toBe(attempts);
      if (attempts === 1) {
        await effect();
        throw new Error('connection lost');
      }
      if (attempts === 2) return { kind: 'unknown', detail: 'busy', retryAfterMs: 1 };
      return await effect();
    });
    await test.start(engine, 'unknown');
    expect((await settled('unknown')).state).toBe('completed');
    const charges = (await test.calls('unknown')).filter(({ step }) => step === 'charge');
    expect(charges.map(({ key }) => key)).toEqual(['unknown:charge', 'unknown:charge', 'unknown:charge']);
    const record = await engine.readSaga('unknown');
    expect(record?.attempts.map((a) => [a.step, a.attempt, a.outcome, a.detail])).toEqual([
      ['reserve', 1, 'completed', null],
      ['charge', 1, 'unknown', 'Error: connection lost'],
      ['charge', 2, 'unknown', 'busy'],
      ['charge', 3, 'completed', null],
      ['ship', 1, 'completed', null],
      ['notify', 1, 'completed', null],
    ]);
    expect(record?.attemptCount).toBe(6);
    for (const { startedAt, endedAt } of record?.attempts ?? []) {
      expect(endedAt.getTime()).toBeGreaterThanOrEqual(startedAt.getTime());
    }
  });

  it('S4: comes from an attempt that passes its time-out, whose signal is then aborted, and no later one', async () => {
    const engine = await hasty({ timeoutMs: 100 });
    let aborted = false;
    const laterOnes: boolean[] = [];
    test.onAct('hangs', 'reserve', async (context, effect) => {
      if (context.attempt > 1) {
        laterOnes.push(context.signal.aborted);
        return await effect();
      }
      return await new Promise((resolve) => {
        context.signal.addEventListener('abort', () => {
          aborted = true;
          resolve({ kind: 'refused', reason: 'LATE', message: 'an answer that no caller waits for' });
        });
      });
    });
    await test.start(engine, 'hangs', test.define({ name: 'hasty' }));
    expect((await settled('hangs')).state).toBe('completed');
    expect(aborted).toBe(true);
    expect(laterOnes).not.toContain(true);
    expect((await engine.readSaga('hangs'))?.attempts[0]?.detail).toBe('no answer within 100 ms');
    await engine.stop();
    await test.closePool(engine);
  });

  it('is not asked again before the participant allows it', async () => {
    const asked: number[] = [];
    test.onAct('pushback', 'reserve', async (_, effect) => {
      asked.push(performance.now());
      return asked.length === 1 ? { kind: 'unknown', detail: 'busy', retryAfterMs: 150 } : await effect();
    });
    await test.start(engine, 'pushback');
    await settled('pushback');
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(149);
  });
});

describe('the deadline', () => {
  it('S3: turns a saga back whose pivot is not known to be done, and undoes the steps that may have been started', async () => {
    const engine = await hasty({ deadlineMs: DEADLINE_MS });
    test.onAct('late', 'ship', async (_, effect) => {
      await effect();
      return { kind: 'unknown', detail: 'the reply was lost' };
    });
    await test.start(engine, 'late', test.define({ name: 'hasty', deadlineMs: DEADLINE_MS }));
    expect(await settled('late')).toMatchObject({
      state: 'failed',
      failure: { step: 'ship', reason: 'DEADLINE_EXCEEDED' },
    });
    expect((await test.effects('late')).map(({ state }) => state)).toEqual(['undone', 'undone', 'undone']);
    await engine.stop();
    await test.closePool(engine);
  });

  it('passes while an attempt hangs: the attempt is bounded by it', async () => {
    const engine = await hasty({ deadlineMs: DEADLINE_MS, timeoutMs: 60_000 });
    test.onAct('hung', 'charge', () => new Promise(() => {}));
    await test.start(engine, 'hung', test.define({ name: 'hasty', deadlineMs: DEADLINE_MS }));
    expect(await settled('hung')).toMatchObject({
      state: 'failed',
      failure: { step: 'charge', reason: 'DEADLINE_EXCEEDED' },
    });
    await engine.stop();
    await test.closePool(engine);
  });

  it('means nothing once the pivot is done', async () => {
    const engine = await hasty({ deadlineMs: DEADLINE_MS });
    const startedAt = performance.now();
    test.onAct('past', 'notify', async (_, effect) =>
      performance.now() - startedAt < DEADLINE_MS + 200 ? { kind: 'unknown', detail: 'busy' } : await effect(),
    );
    await test.start(engine, 'past', test.define({ name: 'hasty', deadlineMs: DEADLINE_MS }));
    expect((await settled('past')).state).toBe('completed');
    await engine.stop();
    await test.closePool(engine);
  });
});

describe('exhausted attempts', () => {
  it('S3: of an undo park the saga, never drop it; a resume goes on undoing', async () => {
    const engine = await hasty({ maxAttempts: 3 });
    let fixed = false;
    test.onAct('parks', 'ship', async () => ({ kind: 'refused', reason: 'ADDRESS_REFUSED', message: 'nowhere' }));
    test.onUndo('parks', 'charge', async (_, effect) =>
      fixed ? await effect() : { kind: 'unknown', detail: 'the provider is down' },
    );
    await test.start(engine, 'parks', test.define({ name: 'hasty' }));
    expect((await settled('parks')).state).toBe('parked');
    const record = await engine.readSaga('parks');
    expect(record).toMatchObject({
      resumeState: 'compensating',
      position: 1,
      endedAt: null,
      epoch: 1,
      parked: {
        step: 'charge',
        direction: 'undo',
        reason: 'ATTEMPTS_EXHAUSTED',
        detail: 'the provider is down',
        attempts: 3,
        at: expect.any(String),
      },
    });
    expect(await engine.cancel('parks', 100)).toMatchObject({ kind: 'refused', snapshot: { state: 'parked' } });
    fixed = true;
    expect(await engine.resume('parks')).toMatchObject({ kind: 'resumed', snapshot: { state: 'compensating' } });
    expect(await settledBy(engine, 'parks')).toMatchObject({ state: 'failed', failure: { reason: 'ADDRESS_REFUSED' } });
    expect(await test.effects('parks')).toEqual([
      { step: 'reserve', state: 'undone' },
      { step: 'charge', state: 'undone' },
      { step: 'ship', state: 'sealed' },
    ]);
    expect((await engine.readSaga('parks'))?.epoch).toBe(2);
    await engine.stop();
    await test.closePool(engine);
  });

  it('of an act behind the pivot park the saga; a resume goes on, and never turns back', async () => {
    const engine = await hasty({ maxAttempts: 2 });
    let fixed = false;
    test.onAct('stuck', 'notify', async (_, effect) =>
      fixed ? await effect() : { kind: 'refused', reason: 'NO', message: 'a refusal behind the pivot' },
    );
    await test.start(engine, 'stuck', test.define({ name: 'hasty' }));
    expect((await settled('stuck')).state).toBe('parked');
    expect(await engine.readSaga('stuck')).toMatchObject({ resumeState: 'running', position: 3 });
    fixed = true;
    expect((await engine.resume('stuck')).kind).toBe('resumed');
    expect((await settledBy(engine, 'stuck')).state).toBe('completed');
    await engine.stop();
    await test.closePool(engine);
  });

  it('are of no concern to a resume of what is not parked', async () => {
    await test.start(engine, 'not-parked');
    await settled('not-parked');
    expect(await engine.resume('not-parked')).toEqual({ kind: 'not_parked', state: 'completed' });
    expect(await engine.resume('no such saga')).toEqual({ kind: 'not_found' });
  });
});

describe('cancel', () => {
  it('before the pivot turns the saga back, out of its wait between attempts', async () => {
    test.onAct('cancel', 'charge', async () => ({ kind: 'unknown', detail: 'busy', retryAfterMs: 60_000 }));
    await test.start(engine, 'cancel');
    await eventually(async () => (await test.callNames('cancel')).includes('act charge'));
    expect(await engine.cancel('cancel', WAIT_MS)).toMatchObject({ kind: 'turning_back' });
    expect(await settled('cancel')).toMatchObject({
      state: 'cancelled',
      failure: { step: 'charge', reason: 'CANCELLED' },
    });
    expect(await test.callNames('cancel')).toEqual(['act reserve', 'act charge', 'undo charge', 'undo reserve']);
    expect(await engine.cancel('cancel', 0)).toMatchObject({ kind: 'cancelled' });
  });

  it('does not cut an attempt short; a pivot that is done first wins', async () => {
    const ship = Promise.withResolvers<void>();
    test.onAct('pivot', 'ship', async (_, effect) => {
      await ship.promise;
      return await effect();
    });
    await test.start(engine, 'pivot');
    await eventually(async () => (await test.callNames('pivot')).includes('act ship'));
    expect(await engine.cancel('pivot', 30)).toEqual({ kind: 'in_progress' });
    const decision = engine.cancel('pivot', WAIT_MS);
    ship.resolve();
    expect(await decision).toMatchObject({ kind: 'refused' });
    expect((await settled('pivot')).state).toBe('completed');
    expect(await test.callNames('pivot')).not.toContain('undo ship');
  });

  it('wins over a pivot whose outcome is unknown', async () => {
    const ship = Promise.withResolvers<void>();
    test.onAct('unsure', 'ship', async (_, effect) => {
      await effect();
      await ship.promise;
      return { kind: 'unknown', detail: 'the reply was lost', retryAfterMs: 60_000 };
    });
    await test.start(engine, 'unsure');
    await eventually(async () => (await test.effects('unsure')).length === 3);
    const decision = engine.cancel('unsure', WAIT_MS);
    ship.resolve();
    expect((await decision).kind).toBe('turning_back');
    expect((await settled('unsure')).state).toBe('cancelled');
    expect((await test.effects('unsure')).map(({ state }) => state)).toEqual(['undone', 'undone', 'undone']);
  });

  it('reaches a saga that another process owns', async () => {
    const other = await test.engine();
    test.onAct('far', 'charge', async () => ({ kind: 'unknown', detail: 'busy', retryAfterMs: 60_000 }));
    await test.start(engine, 'far');
    await eventually(async () => (await test.callNames('far')).includes('act charge'));
    expect((await other.cancel('far', WAIT_MS)).kind).toMatch(/turning_back|cancelled/);
    expect(await settledBy(other, 'far')).toMatchObject({ state: 'cancelled' });
    await other.stop();
    await test.closePool(other);
  });

  it('of a saga that is not there or has ended is refused', async () => {
    await test.start(engine, 'over');
    await settled('over');
    expect(await engine.cancel('over', 0)).toMatchObject({ kind: 'refused', snapshot: { state: 'completed' } });
    expect(await engine.cancel('no such saga', 0)).toEqual({ kind: 'not_found' });
  });
});

describe('listening', () => {
  it('hears every checkpoint once, in order, after it was durable', async () => {
    const heard: SagaSnapshot[] = [];
    const durable: Promise<unknown>[] = [];
    const end = engine.subscribe('heard', (snapshot) => {
      heard.push(snapshot);
      durable.push(engine.readSaga('heard').then((record) => Number(record?.revision) >= snapshot.revision));
    });
    await test.start(engine, 'heard');
    await settled('heard');
    end();
    expect(heard.map(({ revision, state }) => [revision, state])).toEqual([
      [1, 'running'],
      [2, 'running'],
      [3, 'running'],
      [4, 'completed'],
    ]);
    expect(await Promise.all(durable)).toEqual([true, true, true, true]);
  });

  it('ends when its time is over or its caller is gone', async () => {
    test.onAct('slow', 'reserve', async () => ({ kind: 'unknown', detail: 'busy', retryAfterMs: 60_000 }));
    await test.start(engine, 'slow');
    expect(await engine.waitForEnd('slow', 30)).toEqual({ kind: 'in_progress' });
    expect(await engine.waitForEnd('no such saga', 30)).toEqual({ kind: 'not_found' });
    const caller = new AbortController();
    const waiting = engine.waitForEnd('slow', 60_000, caller.signal);
    caller.abort();
    expect(await waiting).toEqual({ kind: 'in_progress' });
    await engine.cancel('slow', WAIT_MS);
    await settled('slow');
  });
});

describe('admission', () => {
  it('is refused beyond maxRunning, counting slots whose saga is not inserted yet', async () => {
    const small = await test.engine({ maxRunning: 2 });
    const hold = (id: string) => {
      const insert = Promise.withResolvers<Inserted<null>>();
      const outcome = small.beginWith(id, () => insert.promise);
      const release = async () => {
        insert.resolve({ kind: 'exists', existing: null });
        return await outcome;
      };
      return { outcome, release };
    };
    const [first, second] = [hold('a'), hold('b')];
    expect(await hold('c').outcome).toEqual({
      kind: 'unavailable',
      detail: 'this process runs as many sagas as it may',
    });
    expect(await first.release()).toEqual({ kind: 'exists', existing: null });
    const third = hold('c');
    expect(await hold('d').outcome).toEqual({
      kind: 'unavailable',
      detail: 'this process runs as many sagas as it may',
    });
    await Promise.all([second.release(), third.release()]);
    await small.stop();
    expect((await hold('e').outcome).kind).toBe('unavailable');
    await test.closePool(small);
  });
});

async function settledBy(engine: Engine, id: string) {
  const outcome = await engine.waitForEnd(id, WAIT_MS);
  if (outcome.kind !== 'ended') throw new Error(`saga ${id} is ${outcome.kind}`);
  return outcome.snapshot;
}

/** An engine that knows only the definition `hasty`, with these limits. */
async function hasty(limits: { deadlineMs?: number; timeoutMs?: number; maxAttempts?: number }): Promise<Engine> {
  return await test.engine({ definitions: [test.define({ name: 'hasty', ...limits })] });
}
