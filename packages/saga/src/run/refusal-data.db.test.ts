import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SagaTest } from '../../test/test-participants.ts';
import type { Engine } from '../engine/engine.ts';

let test: SagaTest;
let engine: Engine;
beforeAll(async () => {
  test = await SagaTest.create('refusal-data');
  engine = await test.engine();
});
afterAll(() => test.drop());

const ended = async (id: string) => {
  const waited = await engine.waitForEnd(id, 15_000);
  if (waited.kind !== 'ended') throw new Error(`${id} has not ended: ${waited.kind}`);
  return waited.snapshot;
};

describe('a failure', () => {
  it('S5: keeps what the refusal has for the client, as it comes back from storage; an operator reads the same', async () => {
    const data = { prices: [275, 900], asked: new Date(0), left: undefined };
    test.onAct('told', 'charge', async () => ({ kind: 'refused', reason: 'CHANGED', message: 'no', data }));
    await test.start(engine, 'told');
    const failure = {
      step: 'charge',
      reason: 'CHANGED',
      message: 'no',
      data: { prices: [275, 900], asked: '1970-01-01T00:00:00.000Z' },
    };
    expect((await ended('told')).failure).toEqual(failure);
    const record = await engine.readSaga('told');
    expect(record?.failure).toEqual(failure);
    expect(record?.attempts.find(({ outcome }) => outcome === 'refused')?.detail).toBe('CHANGED: no');
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;
  it.each([
    ['too long', 'x'.repeat(16_384)],
    ['no JSON', circle],
  ])('S5: a refusal with data that is %s is final all the same, without it, and says so', async (what, data) => {
    const id = `untold ${what}`;
    test.onAct(id, 'charge', async () => ({ kind: 'refused', reason: 'CHANGED', message: 'no', data }));
    await test.start(engine, id);
    expect(await ended(id)).toMatchObject({ state: 'failed' });
    expect((await engine.readSaga(id))?.failure).toEqual({
      step: 'charge',
      reason: 'CHANGED',
      message: 'no (its data is left out: it is no JSON of at most 16384 characters)',
    });
    expect((await test.callNames(id)).filter((name) => name === 'act charge')).toHaveLength(1);
  });
});
