import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorOf, ledgerOf, startTestSandbox, type TestSandbox } from '../test/test-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

async function paid(amount = 1_000): Promise<string> {
  const intent = await sandbox.stripe.paymentIntents.create({
    amount,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    confirm: true,
    metadata: { order_id: 'ord_1', tenant_id: 'shop' },
  });
  return intent.id;
}

describe('a refund', () => {
  it('gives back all that is left when no amount is named, and enters the ledger', async () => {
    const id = await paid();
    const refund = await sandbox.stripe.refunds.create({ payment_intent: id, metadata: { why: 'undo' } });
    expect(refund).toMatchObject({
      object: 'refund',
      amount: 1_000,
      currency: 'usd',
      payment_intent: id,
      status: 'succeeded',
      metadata: { why: 'undo' },
    });
    expect(await ledgerOf(sandbox.db, id)).toEqual([
      { kind: 'captured', amount: 1_000 },
      { kind: 'refunded', amount: 1_000 },
    ]);
    const intent = await sandbox.stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
    expect(intent.status).toBe('succeeded');
    expect(intent.latest_charge).toMatchObject({ amount_refunded: 1_000, refunded: true });
    const { lastResponse: _a, ...retrieved } = await sandbox.stripe.refunds.retrieve(refund.id);
    const { lastResponse: _b, ...created } = refund;
    expect(retrieved).toEqual(created);
  });

  it('in parts adds up to what was captured and no further', async () => {
    const id = await paid();
    await sandbox.stripe.refunds.create({ payment_intent: id, amount: 400 });
    const over = await errorOf(sandbox.stripe.refunds.create({ payment_intent: id, amount: 601 }));
    expect(over).toMatchObject({ statusCode: 400, rawType: 'invalid_request_error', param: 'amount' });
    await sandbox.stripe.refunds.create({ payment_intent: id, amount: 600 });
    const again = await errorOf(sandbox.stripe.refunds.create({ payment_intent: id }));
    expect(again).toMatchObject({ statusCode: 400, code: 'charge_already_refunded' });

    const list = await sandbox.stripe.refunds.list({ payment_intent: id });
    expect(list.data.map((refund) => refund.amount)).toEqual([600, 400]);
    const second = await sandbox.stripe.refunds.list({ payment_intent: id, starting_after: list.data[0]?.id ?? '' });
    expect(second.data.map((refund) => refund.amount)).toEqual([400]);
  });

  it('K2: never exceeds the capture when many arrive together, and what is refused is told why', async () => {
    for (let round = 0; round < 6; round += 1) {
      const id = await paid(1_000);
      const calls = Array.from({ length: 12 }, () =>
        sandbox.stripe.refunds.create({ payment_intent: id, amount: 300 }).then(
          () => 200,
          (error: { statusCode?: number }) => error.statusCode,
        ),
      );
      const outcomes = await Promise.all(calls);
      // 400: more than is left. 429: overtaken too often, nothing happened.
      expect(outcomes.filter((status) => status !== 200 && status !== 400 && status !== 429)).toEqual([]);
      const given = outcomes.filter((status) => status === 200).length;
      expect([1, 2, 3]).toContain(given);
      const entries = (await ledgerOf(sandbox.db, id)).filter((entry) => entry.kind === 'refunded');
      expect(entries).toHaveLength(given);
      expect((await sandbox.stripe.refunds.list({ payment_intent: id })).data).toHaveLength(given);
      const intent = await sandbox.stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
      expect(intent.latest_charge).toMatchObject({ amount_refunded: 300 * given });
    }
  });

  it('of an intent that took nothing, or that does not exist, is refused', async () => {
    const { id } = await sandbox.stripe.paymentIntents.create({ amount: 5, currency: 'usd' });
    const nothing = await errorOf(sandbox.stripe.refunds.create({ payment_intent: id }));
    expect(nothing).toMatchObject({ statusCode: 400, param: 'payment_intent' });
    const missing = await errorOf(sandbox.stripe.refunds.create({ payment_intent: 'pi_none' }));
    expect(missing).toMatchObject({ statusCode: 404, code: 'resource_missing', param: 'payment_intent' });
    expect(await errorOf(sandbox.stripe.refunds.retrieve('re_none'))).toMatchObject({ statusCode: 404 });
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
  });
});
