import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SagaTest } from '../../test/test-participants.ts';
import type { Engine } from './engine.ts';

let test: SagaTest;
let engine: Engine;
beforeAll(async () => {
  test = await SagaTest.create('running');
  engine = await test.engine();
});
afterAll(() => test.drop());

describe('a saga that runs here', () => {
  it('is released when it has ended, and not while a step of it is under way', async () => {
    const { promise: open, resolve: go } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    test.onAct('held', 'charge', async (_context, effect) => {
      begin();
      await open;
      return await effect();
    });
    await test.start(engine, 'held');
    const heard: string[] = [];
    const releases = [1, 2].map((listener) => engine.released('held').then(() => heard.push(`released ${listener}`)));
    await begun;
    expect(heard).toEqual([]);
    go();
    await Promise.all(releases);
    expect(await test.callNames('held')).toEqual(['act reserve', 'act charge', 'act ship', 'act notify']);
    expect(heard).toEqual(['released 1', 'released 2']);
    await engine.released('held');
    await engine.released('never here');
  });
});
