import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SagaTest } from '../../test/test-participants.ts';
import type { Engine } from './engine.ts';

const WAIT_MS = 15_000;
let test: SagaTest;
beforeAll(async () => {
  test = await SagaTest.create('many');
});
afterEach(() => test.killAll());
afterAll(() => test.drop());

async function settledBy(engine: Engine, id: string) {
  const outcome = await engine.waitForEnd(id, WAIT_MS);
  if (outcome.kind !== 'ended') throw new Error(`saga ${id} is ${outcome.kind}`);
  return outcome.snapshot;
}

describe('many sagas at once', () => {
  it('share commits: far fewer than there are checkpoints', async () => {
    const engine = await test.engine();
    const ids = Array.from({ length: 200 }, (_, n) => `many-${n}`);
    let left = ids.length;
    const inserted = Promise.withResolvers<void>();
    const begin = (id: string) =>
      engine.beginWith(id, async (ownerId) => {
        const row = await test.insert(id, ownerId);
        left -= 1;
        if (left === 0) inserted.resolve();
        await inserted.promise;
        return { kind: 'begun', row };
      });
    await Promise.all(ids.map(begin));
    for (const id of ids) expect((await settledBy(engine, id)).state).toBe('completed');
    const { flushes, checkpoints } = engine.stats();
    expect(checkpoints).toBe(800);
    expect(flushes).toBeLessThan(checkpoints / 4);
  });

  it('fail alone: what the database refuses to store parks its saga and no other, and is not logged', async () => {
    const logged: unknown[] = [];
    const note = (fields: object, message: string) => void logged.push([fields, message]);
    const engine = await test.engine({ log: { info: note, warn: note, error: note } });
    test.onAct('unstorable', 'reserve', async () => ({ kind: 'completed', output: { done: 'private \u0000' } }));
    await Promise.all(['unstorable', 'beside'].map((id) => test.start(engine, id)));
    expect((await settledBy(engine, 'beside')).state).toBe('completed');
    expect((await settledBy(engine, 'unstorable')).state).toBe('parked');
    const record = await engine.readSaga('unstorable');
    expect(record).toMatchObject({
      position: 0,
      resumeState: 'running',
      parked: { step: 'reserve', direction: 'act', reason: 'CHECKPOINT_REJECTED' },
    });
    expect(JSON.stringify(logged)).toContain('checkpoint rejected');
    expect(JSON.stringify([logged, record])).not.toContain('private');
  });
});
