import { raceOrders } from '@holdfast/chaos/races';
import { isRedisInstalled } from '@holdfast/testing';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, type System, setUpCatalogue, startSystem } from './system.ts';

// Card payments with webhooks: as hints that bring an order forward, and as noise.

const skip = !isRedisInstalled() && process.env.HOLDFAST_REQUIRE_ALL !== '1';
if (skip)
  console.warn('skipped: webhooks that bring orders forward need redis-server on the PATH (Debian: redis-server)');

const EVENTS = { ORDER_EVENTS: 'true' };
const WINDOW_MS = 2_000;
/** A minute on two quiet cores; more than two on a machine that does other work too. */
const RACES_TIMEOUT_MS = 300_000;
const SURE = { lost: 0, doubled: 0, late: 0, lateMs: 0, beforeAnswer: 0 };

let system: System;
beforeAll(async () => {
  if (skip) return;
  const env = {
    orchestrator: EVENTS,
    inventory: EVENTS,
    shipping: EVENTS,
    payment: { ...EVENTS, PAYMENT_WINDOW_MS: String(WINDOW_MS) },
  };
  system = await startSystem({ redis: true, orchestrators: 2, participants: 2, env });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const CHECKED = { payment: { method: 'pm_card_authenticationRequired' } };
async function answerBank(clientSecret: string): Promise<void> {
  const response = await fetch(`${system.cluster.run.sandbox}/browser/authenticate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientSecret, outcome: 'succeed' }),
  });
  expect(response.status, await response.text()).toBe(200);
}

describe.skipIf(skip)('an order that waits for its payment', () => {
  it('S7, E1: is asked about when the webhook comes, long before it would be by itself', async () => {
    const { body: order } = await system.place(CHECKED, { prefer: 'wait=20' });
    await answerBank(order.nextAction.clientSecret);
    const ended = await system.untilEnded(order.id, WINDOW_MS * 5);
    expect(ended).toMatchObject({ status: 'completed' });
    const { body: saga } = await system.send('GET', `/v1/sagas/${order.id}`);
    const charge = saga.steps.find(({ name }: { name: string }) => name === 'charge-payment');
    // By itself it would have been asked half a minute later, or at the end of the customer's time.
    const [first, last] = [charge.attempts[0], charge.attempts.at(-1)];
    expect(Date.parse(last.startedAt) - Date.parse(first.endedAt)).toBeLessThan(WINDOW_MS);
  });

  it('S5: fails when the customer’s time is over, with webhooks lost', async () => {
    await system.setFaults({ webhooks: { ...SURE, lost: 1 } });
    const { body: order } = await system.place(CHECKED, { prefer: 'wait=20' });
    expect(await system.untilEnded(order.id)).toMatchObject({
      status: 'failed',
      failure: { step: 'charge-payment', reason: 'PAYMENT_NOT_CONFIRMED' },
    });
  });

  const patient = { timeout: RACES_TIMEOUT_MS };
  it('A1, M1: raced by customer, webhooks, polls, clock and cancel ends with one charge or none', patient, async () => {
    const seed = 20_261_129;
    await system.setFaults({
      seed,
      payments: { ...NO_FAULTS, lostAnswer: 0.02, error500: 0.02 },
      webhooks: { lost: 0.2, doubled: 0.2, late: 0.3, lateMs: 1_500, beforeAnswer: 0.2 },
      bank: { settleMs: 500 },
    });
    const generator = xoroshiro128plus(seed);
    const { http, apiKey, sandbox } = system.cluster.run;
    const racing = raceOrders(
      { http, apiKey, sandbox },
      { orders: 300, concurrency: 50, name: 'races', spanMs: WINDOW_MS * 1.2, random: () => uniformFloat64(generator) },
    );
    await system.until(
      'races are under way',
      async () => {
        // Half of those at once on a quiet machine; a slow one may see few at a time.
        const { body } = await system.send('GET', '/v1/orders?status=awaiting_payment&limit=5');
        return body?.orders.length === 5 ? true : undefined;
      },
      60_000,
    );
    await system.cluster.kill('payment', 0);
    await system.cluster.kill('orchestrator', 1);
    const { wrong, ended, givenBack } = await racing;
    expect(wrong).toEqual([]);
    // Races that all end alike are none.
    expect([...ended.keys()]).toEqual(
      expect.arrayContaining([
        'completed',
        'cancelled CANCELLED',
        'failed PAYMENT_NOT_CONFIRMED',
        'failed CARD_DECLINED',
      ]),
    );
    expect(givenBack).toBeGreaterThan(0);
    await expectSound(system);
  });
});
