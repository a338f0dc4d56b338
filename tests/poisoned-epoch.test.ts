import { createClient, operatorTls, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, newKey, type System, setUpCatalogue, startSystem } from './system.ts';

/** What an attacker would send: no saga ever has it. */
const POISON = 999_999_999_999_999;

let system: System;
beforeAll(async () => {
  system = await startSystem({ leaseMs: 1_000 });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

/** One call to inventory with a certificate that counts, in the name of an order's owner. */
async function poison(orderId: string): Promise<string> {
  const { cluster } = system;
  const address = cluster.run.services.find(({ name }) => name === 'inventory')?.grpc ?? '';
  const inventory = createClient(services.inventory, address, operatorTls(cluster.run.tls, 'inventory'));
  const options = {
    tenantId: cluster.tenantId,
    timeoutMs: 5_000,
    key: `${orderId}:reserve-inventory:undo`,
    epoch: POISON,
  };
  const result = await inventory.ReleaseInventory({ orderId }, options);
  inventory.close();
  return result.kind === 'error' ? result.reason : 'DONE';
}

describe('an epoch that no saga has', () => {
  it('S1, K4: releases nothing, parks the order within a minute, and a resume of the operator ends it', async () => {
    // A slow card keeps the order under way until it is cancelled.
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 2_000 } });
    const { body: order } = await system.place({ payment: { method: 'pm_card_visa' } });
    await system.until('its stock is reserved', async () => {
      const { body } = await system.send('GET', `/v1/orders/${order.id}/effects`);
      return body.effects[0].state === 'completed' ? true : undefined;
    });
    expect(await poison(order.id)).toBe('TRY_AGAIN');
    const { body } = await system.send('GET', `/v1/orders/${order.id}/effects`);
    expect(body.effects[0].state).toBe('completed');

    await system.send('POST', `/v1/orders/${order.id}/cancel`, undefined, { key: newKey() });
    await system.setFaults({});
    const sagaOf = async () => (await system.send('GET', `/v1/sagas/${order.id}`)).body;
    const parked = await system.until(
      'the order is parked',
      async () => {
        const saga = await sagaOf();
        return saga.status === 'parked' ? saga : undefined;
      },
      60_000,
    );
    expect(parked.parked).toMatchObject({
      step: 'reserve-inventory',
      direction: 'undo',
      reason: 'FENCED',
      fenceEpoch: expect.any(Number),
    });
    expect(parked.epoch).toBeLessThan(20);
    const attempts = parked.steps.find(({ name }: { name: string }) => name === 'reserve-inventory').attempts;
    expect(attempts.filter(({ outcome }: { outcome: string }) => outcome === 'fenced').length).toBeGreaterThan(1);

    const resumed = await system.send('POST', `/v1/sagas/${order.id}/resume`, undefined, { key: newKey() });
    expect(resumed.status, resumed.text).toBe(200);
    expect((await system.untilEnded(order.id)).status).toBe('cancelled');
    await expectSound(system);
  });
});
