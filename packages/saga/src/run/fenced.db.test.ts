import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, SagaTest } from '../../test/test-participants.ts';

let test: SagaTest;
beforeAll(async () => {
  test = await SagaTest.create('fenced');
});
afterAll(() => test.drop());

describe('a fence above the epoch of a saga that has no newer owner', () => {
  it.each(['act', 'undo'] as const)(
    'S1: parks the saga at its %s, with the refused attempts in the journal, and a resume passes the fence',
    async (direction) => {
      const id = `poisoned-${direction}`;
      const fence = 100_000;
      const fenced = { kind: 'fenced', detail: 'FENCED: poisoned', epoch: fence } as const;
      const engine = await test.engine({ leaseMs: 900 });
      if (direction === 'act') {
        test.onAct(id, 'charge', async ({ epoch }, effect) => (epoch <= fence ? fenced : await effect()));
      } else {
        test.onAct(id, 'ship', async () => ({ kind: 'refused', reason: 'ADDRESS_REFUSED', message: 'nowhere' }));
        test.onUndo(id, 'charge', async ({ epoch }, effect) => (epoch <= fence ? fenced : await effect()));
      }
      await test.start(engine, id);
      await eventually(async () => (await engine.readSaga(id))?.state === 'parked', 15_000);
      const parked = await engine.readSaga(id);
      expect(parked?.parked).toMatchObject({ step: 'charge', direction, reason: 'FENCED', fenceEpoch: fence });
      expect(parked?.parked?.detail).toContain('the participant of charge');
      const refused = parked?.attempts.filter(({ outcome }) => outcome === 'fenced') ?? [];
      expect(refused.length).toBeGreaterThan(1);
      expect(refused.length).toBeLessThanOrEqual(6);
      expect(await engine.operator.resume(id)).toMatchObject({ kind: 'resumed' });
      expect(await engine.waitForEnd(id, 15_000)).toMatchObject({
        snapshot: { state: direction === 'act' ? 'completed' : 'failed' },
      });
      expect((await engine.readSaga(id))?.epoch).toBe(fence + 1);
    },
  );
});
