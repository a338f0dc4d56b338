import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, type System, setUpCatalogue, startSystem } from './system.ts';

/** Longer than a machine with much else to do lets a process stand still. */
const LEASE_MS = 3_000;
const HOUR_MS = 60 * 60 * 1_000;
const SKEWED = `--import=${fileURLToPath(new URL('./skew-clock.ts', import.meta.url))}`;

const wrongBy = (ms: number) => ({ NODE_OPTIONS: SKEWED, CLOCK_SKEW_MS: String(ms) });

let system: System;
beforeAll(async () => {
  system = await startSystem({
    orchestrators: 2,
    leaseMs: LEASE_MS,
    env: {
      orchestrator: wrongBy(HOUR_MS),
      inventory: wrongBy(-HOUR_MS),
      // The provider takes longer than a lease here.
      payment: { ...wrongBy(2 * HOUR_MS), STRIPE_TIMEOUT_MS: String(3 * LEASE_MS) },
      shipping: wrongBy(-2 * HOUR_MS),
    },
  });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const placeCards = () =>
  Promise.all(Array.from({ length: 20 }, () => system.place({ payment: { method: 'pm_card_visa' } })));

describe('services whose clocks are hours apart', () => {
  it('really have them', async () => {
    const { body } = await system.place();
    expect(Math.abs(Date.parse(body.createdAt) - Date.now() - HOUR_MS)).toBeLessThan(60_000);
  });

  it('S1: run orders as ever: nobody takes a living process for dead, and none runs out of time', async () => {
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 1.2 * LEASE_MS } });
    const placed = await placeCards();
    const ended = await Promise.all(placed.map(({ body }) => system.untilEnded(body.id)));
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['completed']));
    for (const { body } of placed) {
      const saga = await system.send('GET', `/v1/sagas/${body.id}`);
      expect(saga.body.epoch, 'its first owner has kept it').toBe(1);
    }
    await system.setFaults({});
    await expectSound(system);
  });

  it('S1, S2: take over from one that stands still when its lease has run out, by the clock of the database', async () => {
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 400 } });
    const placed = await placeCards();
    const other = system.cluster.run.services.find(({ name, replica }) => name === 'orchestrator' && replica === 1);
    const headers = { authorization: `Bearer ${system.cluster.run.apiKey}` };
    system.cluster.pause('orchestrator', 0);
    try {
      for (const { body } of placed) {
        await system.until(`${body.id} ends elsewhere`, async () => {
          const order = (await (await fetch(`${other?.http}/v1/orders/${body.id}`, { headers })).json()) as {
            status: string;
          };
          return order.status === 'completed' ? true : undefined;
        });
      }
    } finally {
      system.cluster.resume('orchestrator', 0);
    }
    await system.setFaults({});
    await expectSound(system);
  });
});
