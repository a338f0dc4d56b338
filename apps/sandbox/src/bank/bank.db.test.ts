import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { errorOf, ledgerOf, startTestSandbox, type TestSandbox } from '../../test/test-sandbox.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());
afterEach(() => sandbox.setFaults({}));

const pay = (payment_method: string, more: object = {}) =>
  sandbox.stripe.paymentIntents.create({ amount: 1_000, currency: 'usd', payment_method, confirm: true, ...more });
const retrieve = (id: string) => sandbox.stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });

describe('a payment that the bank decides about later', () => {
  it('is processing, can’t be cancelled, and succeeds by itself', async () => {
    await sandbox.setFaults({ bank: { settleMs: 3_000 } });
    const { id, status } = await pay('pm_usBankAccount_success');
    expect(status).toBe('processing');
    expect(await errorOf(sandbox.stripe.paymentIntents.cancel(id))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
    await expect.poll(async () => (await retrieve(id)).status, { timeout: 15_000 }).toBe('succeeded');
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1_000 }]);
  });

  it('fails by itself where the account has too little', async () => {
    await sandbox.setFaults({ bank: { settleMs: 0 } });
    const { id } = await pay('pm_usBankAccount_insufficientFunds');
    await expect.poll(async () => (await retrieve(id)).status, { timeout: 5_000 }).toBe('requires_payment_method');
    expect((await retrieve(id)).last_payment_error).toMatchObject({ code: 'insufficient_funds' });
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
  });

  it('waits for ever where the bank is told to, and is decided by hand', async () => {
    const { id } = await pay('pm_usBankAccount_processing');
    await sandbox.play('/bank/settle', { paymentIntent: id, outcome: 'succeed' });
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1_000 }]);
  });
});

describe('an authorisation', () => {
  const authorize = () => pay('pm_card_visa', { capture_method: 'manual' });

  it('holds the amount, says until when, and takes nothing before it is captured', async () => {
    const { id, status, amount_capturable } = await authorize();
    expect([status, amount_capturable]).toEqual(['requires_capture', 1_000]);
    const { latest_charge: charge } = await retrieve(id);
    const week = Date.now() / 1_000 + 7 * 24 * 3_600;
    expect(charge).toMatchObject({ captured: false, payment_method_details: { type: 'card' } });
    const captureBefore = (charge as { payment_method_details: { card: { capture_before: number } } })
      .payment_method_details.card.capture_before;
    expect(Math.abs(captureBefore - week)).toBeLessThan(60);
    expect(await ledgerOf(sandbox.db, id)).toEqual([]);
    expect(await sandbox.stripe.paymentIntents.capture(id)).toMatchObject({
      status: 'succeeded',
      amount_received: 1_000,
    });
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1_000 }]);
  });

  it('is captured in part, once, and never beyond what it holds', async () => {
    const { id } = await authorize();
    const over = sandbox.stripe.paymentIntents.capture(id, { amount_to_capture: 1_001 });
    expect(await errorOf(over)).toMatchObject({ code: 'amount_too_large', param: 'amount_to_capture' });
    const part = await sandbox.stripe.paymentIntents.capture(id, { amount_to_capture: 400 });
    expect(part).toMatchObject({ status: 'succeeded', amount_received: 400, amount_capturable: 0 });
    expect(await errorOf(sandbox.stripe.paymentIntents.capture(id))).toMatchObject({ statusCode: 400 });
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 400 }]);
    expect(await sandbox.stripe.refunds.create({ payment_intent: id })).toMatchObject({ amount: 400 });
  });

  it('lists what a capture in part has left as a refund that moves no money, as Stripe does', async () => {
    const { id } = await authorize();
    await sandbox.stripe.paymentIntents.capture(id, { amount_to_capture: 400 });
    const list = async () =>
      (await sandbox.stripe.refunds.list({ payment_intent: id, expand: ['data.payment_intent'] })).data;
    const left = { amount: 600, status: 'succeeded', balance_transaction: null, metadata: {} };
    expect(await list()).toMatchObject([{ ...left, payment_intent: { id, amount: 1_000, amount_received: 400 } }]);
    expect((await retrieve(id)).latest_charge).toMatchObject({ amount_refunded: 600, refunded: false });
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 400 }]);
    await sandbox.stripe.refunds.create({ payment_intent: id, amount: 400 });
    expect(await list()).toMatchObject([{ amount: 400, balance_transaction: expect.stringMatching(/^txn_/) }, left]);
    expect((await retrieve(id)).latest_charge).toMatchObject({ amount_refunded: 1_000, refunded: true });
  });

  it('is released by cancelling, and by time', async () => {
    const cancelled = await authorize();
    await sandbox.stripe.paymentIntents.cancel(cancelled.id);
    await sandbox.setFaults({ bank: { authorizationMs: 100 } });
    const expired = await authorize();
    await expect.poll(async () => (await retrieve(expired.id)).status, { timeout: 5_000 }).toBe('canceled');
    expect(await retrieve(expired.id)).toMatchObject({ cancellation_reason: 'automatic', amount_capturable: 0 });
    expect((await retrieve(cancelled.id)).status).toBe('canceled');
    for (const { id } of [cancelled, expired]) expect(await ledgerOf(sandbox.db, id)).toEqual([]);
  });
});

describe('a refund that the bank decides about later', () => {
  it('is pending, counts against what can be refunded, and is in the ledger when it has succeeded', async () => {
    await sandbox.setFaults({ bank: { refundMs: 400 } });
    const { id } = await pay('pm_card_pendingRefund');
    const refund = await sandbox.stripe.refunds.create({ payment_intent: id, amount: 600 });
    expect(refund).toMatchObject({ status: 'pending', pending_reason: 'processing' });
    expect(await ledgerOf(sandbox.db, id)).toHaveLength(1);
    expect(await errorOf(sandbox.stripe.refunds.create({ payment_intent: id, amount: 401 }))).toMatchObject({
      param: 'amount',
    });
    await expect
      .poll(async () => (await sandbox.stripe.refunds.retrieve(refund.id)).status, { timeout: 5_000 })
      .toBe('succeeded');
    expect(await ledgerOf(sandbox.db, id)).toContainEqual({ kind: 'refunded', amount: 600 });
  });

  it('that fails while it is pending gives nothing back, and can be made again', async () => {
    await sandbox.setFaults({ bank: { refundMs: 600_000 } });
    const { id } = await pay('pm_card_pendingRefund');
    const refund = await sandbox.stripe.refunds.create({ payment_intent: id });
    await sandbox.play('/bank/refunds', { refund: refund.id, outcome: 'fail' });
    expect(await sandbox.stripe.refunds.retrieve(refund.id)).toMatchObject({
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
    });
    expect((await retrieve(id)).latest_charge).toMatchObject({ amount_refunded: 0, refunded: false });
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 1_000 }]);
    expect(await sandbox.stripe.refunds.create({ payment_intent: id })).toMatchObject({ amount: 1_000 });
  });

  it('that fails after it had succeeded is taken out of the ledger by an entry', async () => {
    await sandbox.setFaults({ bank: { refundMs: 200 } });
    const { id } = await pay('pm_card_refundFail');
    expect(await sandbox.stripe.refunds.create({ payment_intent: id })).toMatchObject({ status: 'succeeded' });
    await expect
      .poll(() => ledgerOf(sandbox.db, id), { timeout: 5_000 })
      .toEqual([
        { kind: 'captured', amount: 1_000 },
        { kind: 'refunded', amount: 1_000 },
        { kind: 'refund_failed', amount: 1_000 },
      ]);
    const page = (await (await fetch(`${sandbox.url}/ledger/payments?limit=1000`)).json()) as {
      payments: { paymentIntentId: string; captured: number; refunded: number }[];
    };
    const entry = page.payments.find(({ paymentIntentId }) => paymentIntentId === id);
    expect(entry).toMatchObject({ captured: 1_000, refunded: 0 });
  });
});

describe('a dispute', () => {
  it('takes the money back by itself, stops refunds, and gives it again when the shop wins', async () => {
    await sandbox.setFaults({ bank: { disputeMs: 0 } });
    const { id } = await pay('pm_card_createDispute');
    await expect
      .poll(async () => (await retrieve(id)).latest_charge, { timeout: 5_000 })
      .toMatchObject({ disputed: true });
    const [dispute] = (await sandbox.stripe.disputes.list({ payment_intent: id })).data;
    expect(dispute).toMatchObject({ amount: 1_000, reason: 'fraudulent', status: 'needs_response' });
    expect(await errorOf(sandbox.stripe.refunds.create({ payment_intent: id }))).toMatchObject({
      code: 'charge_disputed',
    });
    await sandbox.play('/bank/disputes/close', { dispute: dispute?.id ?? '', outcome: 'won' });
    expect(await sandbox.stripe.disputes.retrieve(dispute?.id ?? '')).toMatchObject({ status: 'won' });
    expect(await ledgerOf(sandbox.db, id)).toEqual([
      { kind: 'captured', amount: 1_000 },
      { kind: 'disputed', amount: 1_000 },
      { kind: 'dispute_won', amount: 1_000 },
    ]);
  });
});
