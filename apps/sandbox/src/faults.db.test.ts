import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  booking,
  errorOf,
  ledgerOf,
  NO_FAULTS,
  sendJson,
  startTestSandbox,
  type TestSandbox,
} from '../test/test-sandbox.ts';
import { drawPlan } from './faults.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterEach(() => sandbox.setFaults({}));
afterAll(() => sandbox.stop());

const intents = () => sandbox.stripe.paymentIntents;
const create = () => intents().create({ amount: 500, currency: 'eur', payment_method: 'pm_card_visa' });
const counts = async () =>
  (await sendJson(sandbox.url, 'GET', '/faults')).body.counts as Record<string, Record<string, number>>;

/** A seed whose first draw puts the 500 where it is wanted. */
function seedWith(half: 'before' | 'after'): number {
  let seed = 1;
  while (drawPlan(xoroshiro128plus(seed), { ...NO_FAULTS, error500: 1 }).error500 !== half) seed += 1;
  return seed;
}

describe('payment faults', () => {
  it('K1: an answer lost after the effect leaves the intent captured once, and the retry is a replay', async () => {
    const { id } = await create();
    const before = (await counts()).payments?.lostAnswer ?? 0;
    await sandbox.setFaults({ payments: { ...NO_FAULTS, lostAnswer: 1 } });
    const lost = await errorOf(intents().confirm(id, {}, { idempotencyKey: `lost-${id}` }));
    expect(lost.type).toBe('StripeConnectionError');
    // The SDK itself tries once more after a closed connection, whatever its settings: that answer is lost as well.
    expect((await counts()).payments?.lostAnswer).toBe(before + 2);
    // Reading is not a changing request: it meets no fault.
    expect((await intents().retrieve(id)).status).toBe('succeeded');

    await sandbox.setFaults({});
    const retried = await intents().confirm(id, {}, { idempotencyKey: `lost-${id}` });
    expect(retried.status).toBe('succeeded');
    expect(retried.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 500 }]);
  });

  it('K1: a slow answer comes after its effect is committed', async () => {
    const { id } = await create();
    const slowMs = 1_500;
    await sandbox.setFaults({ payments: { ...NO_FAULTS, slow: 1, slowMs } });
    const startedAt = performance.now();
    let answered = false;
    const slow = intents()
      .confirm(id)
      .finally(() => {
        answered = true;
      });
    await vi.waitFor(async () => expect((await intents().retrieve(id)).status).toBe('succeeded'));
    expect(answered).toBe(false);
    expect((await slow).status).toBe('succeeded');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(slowMs - 5);
  });

  it.each(['before', 'after'] as const)(
    'S4: a 500 %s the effect is kept under its key; the intent tells',
    async (half) => {
      const { id } = await create();
      await sandbox.setFaults({ seed: seedWith(half), payments: { ...NO_FAULTS, error500: 1 } });
      const key = `e500-${id}`;
      const failed = await errorOf(intents().confirm(id, {}, { idempotencyKey: key }));
      expect(failed).toMatchObject({ type: 'StripeAPIError', statusCode: 500, rawType: 'api_error' });

      await sandbox.setFaults({});
      const again = await errorOf(intents().confirm(id, {}, { idempotencyKey: key }));
      expect(again).toMatchObject({ statusCode: 500, headers: { 'idempotent-replayed': 'true' } });
      const intent = await intents().retrieve(id);
      expect(intent.status).toBe(half === 'before' ? 'requires_confirmation' : 'succeeded');
      expect(await ledgerOf(sandbox.db, id)).toHaveLength(half === 'before' ? 0 : 1);

      // With a key of its own the next attempt runs: it captures, or finds that it is done.
      const other = intents().confirm(id, {}, { idempotencyKey: `${key}-2` });
      if (half === 'before') expect((await other).status).toBe('succeeded');
      else expect(await errorOf(other)).toMatchObject({ code: 'payment_intent_unexpected_state' });
      expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 500 }]);
    },
  );

  it('S5: a drawn refusal is a decline like any other, and its key brings it back', async () => {
    const { id } = await create();
    await sandbox.setFaults({ payments: { ...NO_FAULTS, refused: 1 } });
    const declined = { code: 'card_declined', decline_code: 'generic_decline' };
    expect(await errorOf(intents().confirm(id, {}, { idempotencyKey: `no-${id}` }))).toMatchObject(declined);
    await sandbox.setFaults({});
    expect(await errorOf(intents().confirm(id, {}, { idempotencyKey: `no-${id}` }))).toMatchObject(declined);
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
  });

  it('never refuse an undo: refunds and cancellations go through', async () => {
    const paid = await create();
    await intents().confirm(paid.id);
    const open = await create();
    await sandbox.setFaults({ payments: { ...NO_FAULTS, refused: 1 } });
    expect((await sandbox.stripe.refunds.create({ payment_intent: paid.id })).status).toBe('succeeded');
    expect((await intents().cancel(open.id)).status).toBe('canceled');
  });
});

describe('carrier faults', () => {
  const book = (reference: string) => sendJson(sandbox.url, 'POST', '/carrier/v1/shipments', booking(reference));

  it('K2: a booking whose answer was lost is there, and asking again finds it', async () => {
    await sandbox.setFaults({ carrier: { ...NO_FAULTS, lostAnswer: 1 } });
    await expect(book('lost-1')).rejects.toThrow();
    await sandbox.setFaults({});
    expect(await book('lost-1')).toMatchObject({ status: 200, body: { status: 'booked' } });
  });

  it('S5: a drawn refusal sticks to its reference: a delayed request books nothing', async () => {
    await sandbox.setFaults({ carrier: { ...NO_FAULTS, refused: 1 } });
    expect(await book('refused-1')).toMatchObject({ status: 422, body: { code: 'ADDRESS_REFUSED' } });
    await sandbox.setFaults({});
    expect(await book('refused-1')).toMatchObject({ status: 422, body: { code: 'ADDRESS_REFUSED' } });
    const { body } = await sendJson(sandbox.url, 'GET', '/carrier/v1/shipments?reference=refused-1');
    expect(body.shipments).toEqual([]);
  });

  it('S5: a refusal is never drawn for what is booked already', async () => {
    const booked = await book('booked-1');
    await sandbox.setFaults({ carrier: { ...NO_FAULTS, refused: 1 } });
    expect(await book('booked-1')).toEqual({ status: 200, body: booked.body });
  });

  it('S4: a 500 leaves a booking in one half of the cases', async () => {
    const found = new Set<number>();
    for (let n = 0; n < 24; n += 1) {
      await sandbox.setFaults({ seed: n, carrier: { ...NO_FAULTS, error500: 1 } });
      expect(await book(`e500-${n}`)).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
      const { body } = await sendJson(sandbox.url, 'GET', `/carrier/v1/shipments?reference=e500-${n}`);
      found.add((body.shipments as object[]).length);
    }
    expect(found).toEqual(new Set([0, 1]));
  });

  it('are reproduced by their seed, whatever the other side and readers do meanwhile', async () => {
    const rates = { ...NO_FAULTS, error500: 0.3, refused: 0.3 };
    const run = async (name: string, seed: number, disturb: () => Promise<unknown>) => {
      await sandbox.setFaults({ seed, carrier: rates });
      const statuses: number[] = [];
      for (let n = 0; n < 40; n += 1) {
        statuses.push((await book(`${name}-${n}`)).status);
        await disturb();
      }
      return statuses;
    };
    const first = await run('a', 42, async () => {});
    const disturbed = await run('b', 42, async () => [
      await create(),
      await sendJson(sandbox.url, 'GET', '/carrier/v1/shipments?limit=1'),
    ]);
    expect(disturbed).toEqual(first);
    expect(new Set(first)).toEqual(new Set([201, 422, 500]));
    expect(await run('c', 43, async () => {})).not.toEqual(first);
  });
});

describe('GET and PUT /faults', () => {
  it('show and keep all settings', async () => {
    const settings = {
      seed: 9,
      payments: { lostAnswer: 0.01, slow: 0.02, slowMs: 30, error500: 0.04, refused: 0.05 },
      carrier: { lostAnswer: 0.06, slow: 0.07, slowMs: 80, error500: 0.09, refused: 0.1 },
    };
    const put = await sendJson(sandbox.url, 'PUT', '/faults', settings);
    expect(put).toMatchObject({ status: 200, body: settings });
    const got = await sendJson(sandbox.url, 'GET', '/faults');
    expect(got.body).toMatchObject(settings);
    expect(got.body.counts).toMatchObject({ payments: { lostAnswer: expect.any(Number) } });
    expect(Date.parse(String(got.body.countedSince))).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    ['body/payments/slow', { payments: { ...NO_FAULTS, slow: 1.1 } }],
    ['body/carrier', { carrier: { ...NO_FAULTS, lostAnswers: 1 } }],
    ['body/carrier/slowMs', { carrier: { ...NO_FAULTS, slowMs: 60_001 } }],
    ['body/payments', { payments: { lostAnswer: 1 } }],
    ['body/seed', { seed: '1' }],
    ['body', { sede: 1 }],
  ])('refuse what is wrong, naming %s, and change nothing', async (place, wrong) => {
    const before = await sendJson(sandbox.url, 'GET', '/faults');
    const body = { seed: 1, payments: NO_FAULTS, carrier: NO_FAULTS, ...wrong };
    const answer = await sendJson(sandbox.url, 'PUT', '/faults', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
    expect(String(answer.body.message)).toMatch(new RegExp(`^${place}: `));
    expect(await sendJson(sandbox.url, 'GET', '/faults')).toEqual(before);
  });
});
