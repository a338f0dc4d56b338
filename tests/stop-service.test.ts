import type { ClusterEvent } from '@holdfast/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, type System, setUpCatalogue, startSystem } from './system.ts';

const events: ClusterEvent[] = [];
let system: System;
beforeAll(async () => {
  system = await startSystem({ onEvent: (event) => events.push(event) });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

describe('SIGTERM', () => {
  it.each(['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox'] as const)(
    'ends %s within 10 s with exit code 0, and no order is lost',
    async (name) => {
      await system.setFaults({ payments: { ...NO_FAULTS, slow: 0.5, slowMs: 1_000 } });
      const card = { payment: { method: 'pm_card_visa' } };
      const placed = await Promise.all(Array.from({ length: 10 }, () => system.place(card)));
      const pid = system.cluster.run.services.find((service) => service.name === name)?.pid ?? 0;
      const askedAt = performance.now();
      process.kill(pid, 'SIGTERM');
      const died = await system.until(`${name} has ended`, async () =>
        events.find((event) => event.kind === 'died' && event.pid === pid),
      );
      expect(died).toMatchObject({ code: 0 });
      expect(performance.now() - askedAt).toBeLessThan(10_000);
      await system.cluster.untilServing(name);
      await system.setFaults({});
      const ended = await Promise.all(placed.map((reply) => system.untilEnded(reply.body.id, 60_000)));
      expect(ended.every((order) => order.status === 'completed')).toBe(true);
      await expectSound(system);
    },
  );
});
