import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, type System, setUpCatalogue, startSystem } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

/** Places orders of both kinds at once; only those answered 201 count as accepted. */
async function placeMany(amount: number): Promise<string[]> {
  const placed = await Promise.all(
    Array.from({ length: amount }, (_, at) =>
      system.place({ payment: { method: at % 2 === 0 ? 'balance' : 'pm_card_visa' } }),
    ),
  );
  return placed.filter((reply) => reply.status === 201).map((reply) => reply.body.id);
}

describe('an accepted order', () => {
  it('S1, S2: completes when its orchestrator is killed right after it was accepted', async () => {
    const ids = await placeMany(30);
    expect(ids).toHaveLength(30);
    expect(await system.cluster.kill('orchestrator')).toMatchObject({ kind: 'killed' });
    await system.cluster.untilServing('orchestrator');
    const ended = await Promise.all(ids.map((id) => system.untilEnded(id)));
    expect(new Set(ended.map((order) => order.status))).toEqual(new Set(['completed']));
    await expectSound(system);
  });

  it.each(['inventory', 'payment', 'shipping'] as const)(
    'K1: completes, and once, when %s is killed while it works on it',
    async (participant) => {
      const ids = await placeMany(30);
      await system.cluster.kill(participant);
      const ended = await Promise.all(ids.map((id) => system.untilEnded(id, 60_000)));
      expect(new Set(ended.map((order) => order.status))).toEqual(new Set(['completed']));
      await expectSound(system);
    },
  );

  it('K6: completes when Postgres is killed under it; meanwhile the API says 503, and is back by itself', async () => {
    const ids = await placeMany(20);
    const restarted = system.cluster.restartPostgres('kill');
    const refused: number[] = [];
    const back = await system.until('an order is accepted again', async () => {
      const reply = await system.place().catch(() => undefined);
      if (reply !== undefined && reply.status !== 201) refused.push(reply.status);
      return reply?.status === 201 ? reply : undefined;
    });
    await restarted;
    expect(new Set(refused).isSubsetOf(new Set([503]))).toBe(true);
    const ended = await Promise.all([...ids, back.body.id].map((id) => system.untilEnded(id, 60_000)));
    expect(new Set(ended.map((order) => order.status))).toEqual(new Set(['completed']));
    await expectSound(system);
  });
});
