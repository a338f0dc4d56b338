/**
 * From the last release to this one, one service after the other, in the order that docs/deploy.md prescribes, while
 * customers order: old and new replicas serve side by side, then the old one stops.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { expectNothingLost, letCustomersIn, openShop } from './customers.ts';
import { type ContainerSystem, SERVICES, startContainers } from './system.ts';

const WANTED_RATE = 60;
const lastRelease = inject('lastRelease') ?? 'test';

let system: ContainerSystem;

describe.skipIf(inject('engine') === undefined)('S1, A1: a rolling upgrade of all services', () => {
  beforeAll(async () => {
    system = await startContainers({ tag: lastRelease });
    await openShop(system);
  });
  afterAll(() => system?.stop());

  it(`${lastRelease} goes on working when this release has migrated its databases, twice at once`, async () => {
    const customers = letCustomersIn(system, 'migrated-under', 20);
    try {
      await customers.untilAccepted(20);
      for (const service of SERVICES) {
        await Promise.all([system.migrate(service, 'test'), system.migrate(service, 'test')]);
        await customers.untilAccepted(10);
      }
      // Started anew, it finds a database that is ahead of it.
      await Promise.all(SERVICES.map((service) => system.crash(system.replica(service))));
      await customers.untilAccepted(20);
    } finally {
      await expectNothingLost(system, await customers.leave());
    }
  });

  it(`from ${lastRelease} to this release loses no order; clients see nothing but retryable errors`, async () => {
    const customers = letCustomersIn(system, 'rolling-upgrade', WANTED_RATE);
    const codes: Record<string, number> = {};
    try {
      await customers.untilAccepted(50);
      for (const service of SERVICES) {
        const old = system.replica(service);
        await system.add(service, 'test');
        await customers.untilAccepted(50);
        codes[service] = await system.remove(old);
        await customers.untilAccepted(50);
      }
    } finally {
      const visit = await customers.leave();
      console.log(
        `rolling upgrade: ${visit.accepted.length} orders, ${visit.rate.toFixed(0)}/s, ${visit.retries} sent again`,
      );
      await expectNothingLost(system, visit);
    }
    expect(codes, 'exit codes of the old ones').toEqual({ inventory: 0, payment: 0, shipping: 0, orchestrator: 0 });
  });
});
