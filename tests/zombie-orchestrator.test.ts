import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, type System, setUpCatalogue, startSystem } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ orchestrators: 2, leaseMs: 1_000 });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

describe('an orchestrator that wakes up after its lease has run out', () => {
  it('S2, K4: changes nothing any more: its orders were completed once, by the other one', async () => {
    // Slow cards keep the orders under way while their owner is stopped.
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 400 } });
    const card = { payment: { method: 'pm_card_visa' } };
    const placed = await Promise.all(Array.from({ length: 20 }, () => system.place(card)));
    system.cluster.pause('orchestrator', 0);
    try {
      const other = system.cluster.run.services.find(({ name, replica }) => name === 'orchestrator' && replica === 1);
      const headers = { authorization: `Bearer ${system.cluster.run.apiKey}` };
      const epochs = await Promise.all(
        placed.map((reply) =>
          system.until(`${reply.body.id} ends elsewhere`, async () => {
            const saga = await fetch(`${other?.http}/v1/sagas/${reply.body.id}`, { headers });
            const body = (await saga.json()) as { status: string; epoch: number };
            return body.status === 'completed' ? body.epoch : undefined;
          }),
        ),
      );
      expect(Math.max(...epochs)).toBeGreaterThan(1);
    } finally {
      system.cluster.resume('orchestrator', 0);
    }
    await system.setFaults({});
    await system.until('the one that slept has a new lease and accepts orders', async () => {
      const reply = await system.place().catch(() => undefined);
      return reply?.status === 201 ? system.untilEnded(reply.body.id) : undefined;
    });
    const ended = await Promise.all(placed.map((reply) => system.untilEnded(reply.body.id)));
    expect(ended.every((order) => order.status === 'completed')).toBe(true);
    await expectSound(system);
  });
});
