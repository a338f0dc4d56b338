import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { expectNothingLost, letCustomersIn, openShop } from './customers.ts';
import { type ContainerSystem, startContainers } from './system.ts';

let system: ContainerSystem;

describe.skipIf(inject('engine') === undefined)('services that are started before their database', () => {
  beforeAll(async () => {
    system = await startContainers({ tag: 'test', postgresLast: true });
  });
  afterAll(() => system?.stop());

  // Nobody starts these containers again: one that gave up would stay down.
  it('wait for it, become healthy by themselves, and take orders', async () => {
    await openShop(system);
    const customers = letCustomersIn(system, 'late-database', 20);
    await customers.untilAccepted(20);
    await expectNothingLost(system, await customers.leave());
  });
});
