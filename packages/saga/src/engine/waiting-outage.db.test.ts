import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, SagaTest } from '../../test/test-participants.ts';
import { rowOf, settledBy, WAIT_MS, WAITING } from '../../test/waiting-saga.ts';

let test: SagaTest;

beforeAll(async () => {
  test = await SagaTest.create('waiting_outage');
});
afterEach(() => test.killAll());
afterAll(() => test.drop());

const row = (id: string) => rowOf(test, id);

describe('an outage of what a step waits for', () => {
  it('S4: waits on when nobody knows its answer, and fills no process with that', async () => {
    const engine = await test.engine({ maxRunning: 1 });
    let [asked, isAway] = [0, true];
    const unanswered: unknown[] = [];
    test.onAct('outage', 'charge', async ({ waiting }, effect) => {
      if (asked++ === 0) return { ...WAITING, waitMs: 1 };
      unanswered.push(waiting?.unanswered);
      return isAway ? { kind: 'unknown', detail: 'UNAVAILABLE', retryAfterMs: 0 } : await effect();
    });
    await test.start(engine, 'outage');
    await eventually(async () => asked > 12);
    // There is room for another one.
    await eventually(async () => (await engine.begin(test.definition, 'beside-outage', { note: '' })).kind === 'begun');
    expect((await settledBy(engine, 'beside-outage')).state).toBe('completed');
    const { waiting, deadline_at, started_at } = (await row('outage')) as Record<string, Date> & { waiting: object };
    expect(waiting).toMatchObject({ reason: WAITING.reason, data: WAITING.data, step: 'charge' });
    expect(Math.round((Number(deadline_at) - Number(started_at)) / 1_000)).toBe(40);
    expect(unanswered.slice(0, 7)).toEqual([undefined, undefined, undefined, 1, 1, 1, 2]);
    isAway = false;
    await engine.signal('outage', 'charge', { key: 'evt_1' });
    expect((await settledBy(engine, 'outage')).state).toBe('completed');
  });

  it('S4: is taken up again after as long as it was asked to be, at least', async () => {
    const engine = await test.engine();
    let asked = 0;
    const away = { kind: 'unknown', detail: 'UNAVAILABLE', retryAfterMs: 1 } as const;
    test.onAct('asked-later', 'charge', async () => {
      asked += 1;
      if (asked === 1) return { ...WAITING, waitMs: 1 };
      return asked === 4 ? { ...away, retryAfterMs: 9_000 } : away;
    });
    await test.start(engine, 'asked-later');
    await eventually(async () => asked === 4 && (await row('asked-later')).state === 'waiting');
    const { rows } = await test.database.pool.query(
      `select wake_at > clock_timestamp() + interval '5 s' as later from holdfast.sagas where id = 'asked-later'`,
    );
    expect(rows).toEqual([{ later: true }]);
    await engine.cancel('asked-later', WAIT_MS);
    await settledBy(engine, 'asked-later');
  });
});
