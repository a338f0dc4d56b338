import { runSagaMatrix, type SagaPath, sagaMatrix } from '@holdfast/testing';
import type { EffectBook } from '@holdfast/testing/audit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SagaTest, type StepName, type TestInput } from '../../test/test-participants.ts';
import type { Waiting } from '../definition/definition.ts';

/** Longer than a case may take: a saga that is not woken by its signal does not end. */
const LONG_MS = 600_000;
const TOLD = { step: 'charge', key: 'evt_1' };
const PATHS: SagaPath<TestInput>[] = [
  { name: 'told', input: { note: 'waits' }, signals: [TOLD], ends: 'completed' },
  { name: 'told no', input: { note: 'waits' }, signals: [{ ...TOLD, data: 'no' }], ends: 'failed' },
  { name: 'asks', input: { note: 'asks' }, ends: 'completed' },
  { name: 'cancelled', input: { note: 'waits' }, cancelsWhileWaiting: true, ends: 'cancelled' },
  {
    name: 'told and cancelled',
    input: { note: 'waits' },
    signals: [TOLD],
    cancelsWhileWaiting: true,
    ends: ['completed', 'cancelled'],
  },
];

let test: SagaTest;
beforeAll(async () => {
  test = await SagaTest.create('waiting_matrix');
  test.onAct('*', 'charge', async ({ sagaId, input, signals }, effect) => {
    const waiting: Waiting = { kind: 'waiting', reason: 'APPROVAL', waitMs: input.note === 'asks' ? 50 : LONG_MS };
    const answer = signals[0];
    if (answer?.data === 'no') return { kind: 'refused', reason: 'NOT_APPROVED', message: 'no' };
    if (answer !== undefined) return await effect();
    if (input.note === 'asks' && (await test.callNames(sagaId)).filter((name) => name === 'act charge').length > 2)
      return await effect();
    return waiting;
  });
});
afterAll(() => test?.drop());

function effectsOf(step: StepName): EffectBook {
  const text = `select saga_id, count(*) as live from effects
                 where step = '${step}' and state = 'done' and saga_id > $1::text
                 group by saga_id order by saga_id limit $2::integer`;
  return { step, databaseUrl: test.database.databaseUrl, live: { name: `audit.${step}`, text } };
}

describe('a saga whose step waits', () => {
  it('S7, A1: ends whole or not at all, wherever the engine dies, whatever is lost, doubled or late, told early, in time or twice, or cancelled at that instant', async () => {
    const { databaseUrl, pool } = test.database;
    const effects = (['reserve', 'charge', 'ship', 'notify'] as const).map(effectsOf);
    const definition = test.definition;
    const cases = sagaMatrix(definition, PATHS).filter(({ call }) => call === null || call.step === 'charge');
    const results = await runSagaMatrix({ databaseUrl, pool, definition, effects, endsWithinMs: 60_000 }, cases);
    const violated = results.filter(({ kind }) => kind === 'violated');
    expect(violated.map(({ title, outcome }) => `${title}: ${outcome}`)).toEqual([]);
    const struck = results.filter(({ kind }) => kind === 'passed');
    console.log(`waits: ${results.length} cases, ${struck.length} of them struck`);
    for (const point of ['before-wait', 'after-wait', 'before-wake', 'after-wake', 'before-signal', 'after-signal']) {
      expect(struck.map(({ title }) => title)).toContain(`told: dies twice ${point}`);
    }
    for (const timing of ['in-time', 'early', 'twice']) {
      expect(struck.map(({ title }) => title)).toContain(`told: signals ${timing}`);
    }
  }, 240_000);
});
