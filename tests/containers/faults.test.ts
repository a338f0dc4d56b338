import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { type Customers, expectNothingLost, letCustomersIn, openShop } from './customers.ts';
import { type ContainerSystem, SERVICES, startContainers } from './system.ts';

let system: ContainerSystem;

/** Customers before, during and after `what`; afterwards nothing is lost and the books add up. */
async function underLoad(name: string, what: (customers: Customers) => Promise<void>): Promise<void> {
  const customers = letCustomersIn(system, `faults-${name.padEnd(12, '-')}`, 20);
  try {
    await customers.untilAccepted(20);
    await what(customers);
    await customers.untilAccepted(10);
  } finally {
    const visit = await customers.leave();
    console.log(`${name}: ${visit.accepted.length} orders, ${visit.rate.toFixed(0)}/s, ${visit.retries} sent again`);
    await expectNothingLost(system, visit);
  }
}

describe.skipIf(inject('engine') === undefined)(
  'A1, S1: no order is lost and clients see only retryable errors',
  () => {
    beforeAll(async () => {
      // Postgres last: everybody else waits for it. Nobody starts these containers again: one that gave up would stay down.
      system = await startContainers({ tag: 'test', postgresLast: true });
      await openShop(system);
    }, 300_000);
    afterAll(() => system?.stop());

    it('when services are started before their database: they wait for it and become ready by themselves', async () => {
      await underLoad('late-database', async () => {});
    });

    it.each(SERVICES)('when the container of %s is killed', async (service) => {
      await underLoad(`kill-${service}`, () => system.crash(system.replica(service)));
    });

    it('when the orchestrator stands still past its lease and wakes up again', async () => {
      await underLoad('pause-orchestrator', () => system.pause(system.replica('orchestrator'), 6_000));
    });

    it('when payment stands still in the middle of its calls', async () => {
      await underLoad('pause-payment', () => system.pause(system.replica('payment'), 4_000));
    });

    it('when shipping is cut off from the network and comes back', async () => {
      await underLoad('cut-shipping', () => system.cutOff(system.replica('shipping'), 4_000));
    });

    it('K6: when Postgres is killed and started again', async () => {
      await underLoad('postgres', () => system.restartPostgres());
    });

    it('K6: when Redis is gone, and orders go on without it', async () => {
      await underLoad('redis', async (customers) => {
        await system.stopRedis();
        await customers.untilAccepted(40);
        await system.startRedis();
      });
    });
  },
);
