import { runSagaMatrix, type SagaPath, sagaMatrix } from '@holdfast/testing';
import type { EffectBook } from '@holdfast/testing/audit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupedSaga } from '../../test/grouped-saga.ts';
import { SagaTest, type StepName, type TestInput } from '../../test/test-participants.ts';

/** Longer than a case may take: a saga that is not woken by its signal does not end. */
const LONG_MS = 600_000;
const [RESERVED, CHARGED] = [
  { step: 'reserve', key: 'evt_1' },
  { step: 'charge', key: 'evt_2' },
];
const PATHS: SagaPath<TestInput>[] = [
  { name: 'all done', input: { note: '' }, ends: 'completed' },
  { name: 'a member refuses', input: { note: 'charge refuses' }, ends: 'failed' },
  { name: 'the next step refuses', input: { note: 'ship refuses' }, ends: 'failed' },
  { name: 'one waits', input: { note: 'charge waits' }, signals: [CHARGED], ends: 'completed' },
  {
    name: 'both wait',
    input: { note: 'reserve waits, charge waits' },
    signals: [RESERVED, CHARGED],
    ends: 'completed',
  },
  { name: 'told no', input: { note: 'charge waits' }, signals: [{ ...CHARGED, data: 'no' }], ends: 'failed' },
  { name: 'cancelled', input: { note: 'charge waits' }, cancelsWhileWaiting: true, ends: 'cancelled' },
  {
    name: 'told and cancelled',
    input: { note: 'reserve waits, charge waits' },
    signals: [RESERVED, CHARGED],
    cancelsWhileWaiting: true,
    ends: ['completed', 'cancelled'],
  },
];

let test: SagaTest;
beforeAll(async () => {
  test = await SagaTest.create('parallel_matrix');
  for (const step of ['reserve', 'charge', 'ship'] as const) {
    test.onAct('*', step, async ({ input: { note }, signals }, effect) => {
      const [told] = signals;
      if (note.includes(`${step} refuses`) || told?.data === 'no')
        return { kind: 'refused', reason: 'NO', message: 'no' };
      if (note.includes(`${step} waits`) && told === undefined)
        return { kind: 'waiting', reason: 'APPROVAL', waitMs: LONG_MS };
      return await effect();
    });
  }
});
afterAll(() => test?.drop());

function effectsOf(step: StepName): EffectBook {
  const text = `select saga_id, count(*) as live from effects
                 where step = '${step}' and state = 'done' and saga_id > $1::text
                 group by saga_id order by saga_id limit $2::integer`;
  return { step, databaseUrl: test.database.databaseUrl, live: { name: `audit.${step}`, text } };
}

describe('a saga with a parallel group', () => {
  it('S2, S3, S7, A1: ends whole or not at all, wherever the engine dies and whatever call or signal of a member goes wrong', async () => {
    const { databaseUrl, pool } = test.database;
    const effects = (['reserve', 'charge', 'ship', 'notify'] as const).map(effectsOf);
    const definition = groupedSaga(test);
    const cases = sagaMatrix(definition, PATHS);
    const results = await runSagaMatrix({ databaseUrl, pool, definition, effects, endsWithinMs: 60_000 }, cases);
    const violated = results.filter(({ kind }) => kind === 'violated');
    expect(violated.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual([]);
    const struck = results.filter(({ kind }) => kind === 'passed');
    console.log(`groups: ${results.length} cases, ${struck.length} of them struck`);
    const titles = struck.map(({ title }) => title);
    for (const point of ['before-act', 'after-act', 'before-checkpoint', 'after-checkpoint', 'before-adoption']) {
      expect(titles).toContain(`all done: dies twice ${point}`);
    }
    for (const point of ['before-undo', 'after-undo', 'before-turn-back', 'after-turn-back']) {
      expect(titles).toContain(`a member refuses: dies twice ${point}`);
    }
    for (const point of ['before-wait', 'after-wait', 'before-wake', 'after-wake', 'before-signal', 'after-signal']) {
      expect(titles).toContain(`both wait: dies twice ${point}`);
    }
    for (const timing of ['in-time', 'early', 'twice']) expect(titles).toContain(`both wait: signals ${timing}`);
  }, 240_000);
});
