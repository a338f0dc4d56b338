import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SagaTest } from '../../test/test-participants.ts';
import type { Engine } from './engine.ts';

let test: SagaTest;
let engine: Engine;
beforeAll(async () => {
  test = await SagaTest.create('roster');
  engine = await test.engine();
});
afterAll(() => test.drop());

describe('what this process has to do for a saga', () => {
  it('is told to be over when the saga has ended, and not while a step of it is under way', async () => {
    const { promise: open, resolve: go } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    test.onAct('held', 'charge', async (_context, effect) => {
      begin();
      await open;
      return await effect();
    });
    await test.start(engine, 'held');
    const told: string[] = [];
    const gone = [1, 2].map((listener) => engine.gone('held').then(() => told.push(`gone ${listener}`)));
    await begun;
    expect(told).toEqual([]);
    go();
    await Promise.all(gone);
    expect(await test.callNames('held')).toEqual(['act reserve', 'act charge', 'act ship', 'act notify']);
    expect(told).toEqual(['gone 1', 'gone 2']);
    await engine.gone('held');
    await engine.gone('never here');
  });
});
