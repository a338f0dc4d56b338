import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, joinSystem, NO_FAULTS, type System, setUpCatalogue } from './system.ts';

let system: System;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

describe('cancelling an order', () => {
  it.each([0, 1])('S3: before the pivot undoes all it did, whichever replica is asked (%i)', async (replica) => {
    await system.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs: 800 } });
    const placed = await system.place({ payment: { method: 'pm_card_visa' } });
    const asked = system.cluster.run.services.find(
      (service) => service.name === 'orchestrator' && service.replica === replica,
    );
    const reply = await fetch(`${asked?.http}/v1/orders/${placed.body.id}/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${system.cluster.run.apiKey}` },
    });
    expect([200, 202]).toContain(reply.status);
    await system.setFaults({});
    const ended = await system.untilEnded(placed.body.id);
    expect(ended).toMatchObject({ status: 'cancelled', failure: { reason: 'CANCELLED' } });
    const again = await system.send('POST', `/v1/orders/${placed.body.id}/cancel`);
    expect(again).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    await expectSound(system);
  });

  it('after the pivot is refused with a reason', async () => {
    const placed = await system.place({}, { prefer: 'wait=20' });
    const reply = await system.send('POST', `/v1/orders/${placed.body.id}/cancel`);
    expect(reply).toMatchObject({ status: 409, body: { code: 'cancel-refused', retryable: false } });
    expect((await system.send('GET', `/v1/orders/${placed.body.id}`)).body.status).toBe('completed');
  });

  it('that does not exist is 404', async () => {
    expect((await system.send('POST', '/v1/orders/no-such-order/cancel')).status).toBe(404);
  });
});
