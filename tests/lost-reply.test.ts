import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, type System, setUpCatalogue, startSystem } from './system.ts';

let system: System;
beforeAll(async () => {
  // An answer that is lost is waited for in vain: with less patience there is more to see in less time.
  system = await startSystem({
    env: { payment: { STRIPE_TIMEOUT_MS: '500' }, shipping: { CARRIER_TIMEOUT_MS: '500' } },
  });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const CARD = { payment: { method: 'pm_card_visa' } };

describe('a lost reply', () => {
  it.each([
    ['S4: from the card provider is charged once', { payments: { ...NO_FAULTS, lostAnswer: 0.6 } }],
    ['S4: from the carrier is shipped once', { carrier: { ...NO_FAULTS, lostAnswer: 0.6 } }],
    [
      'S4: with a 500 before or after the effect is charged and shipped once',
      {
        payments: { ...NO_FAULTS, error500: 0.5 },
        carrier: { ...NO_FAULTS, error500: 0.5 },
      },
    ],
  ])('%s', async (_, faults) => {
    await system.setFaults(faults);
    const placed = await Promise.all(Array.from({ length: 15 }, () => system.place(CARD)));
    const ended = await Promise.all(placed.map((reply) => system.untilEnded(reply.body.id, 60_000)));
    await system.setFaults({});
    expect(new Set(ended.map((order) => order.status))).toEqual(new Set(['completed']));
    await expectSound(system);
  });

  it('S3: to an undo is undone once', async () => {
    await system.setFaults({ payments: { ...NO_FAULTS, lostAnswer: 0.5 }, carrier: { ...NO_FAULTS, refused: 1 } });
    const placed = await Promise.all(Array.from({ length: 15 }, () => system.place(CARD)));
    const ended = await Promise.all(placed.map((reply) => system.untilEnded(reply.body.id, 60_000)));
    await system.setFaults({});
    expect(ended.every((order) => order.status === 'failed' && order.failure.reason === 'ADDRESS_REFUSED')).toBe(true);
    await expectSound(system);
  });
});
