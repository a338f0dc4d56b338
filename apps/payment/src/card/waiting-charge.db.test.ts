import { NO_FAULTS, sendJson } from '@holdfast/sandbox/test';
import { createMetrics } from '@holdfast/service';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AMOUNT,
  GIVEN_BACK,
  NOTHING,
  newOrder,
  options,
  startTestCards,
  TAKEN,
  type TestCards,
  type TestOrder,
  UNKNOWN,
  untilKnown,
} from '../../test/test-provider.ts';
import { cardsFor, providerFor } from '../card.ts';
import { pausesOfBank } from './standing.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());
afterEach(() => cards.reset());

const BANK = 'pm_usBankAccount_processing';
const CHECKED = 'pm_card_authenticationRequired';
const PATIENT = { STRIPE_TIMEOUT_MS: 20_000 };
const SHORT_WINDOW_MS = 1_000;
/** As many as the saga of an order makes before it is parked. */
const UNDO_ATTEMPTS = 1_800;

type Told = { type: string; clientSecret: string; redirectUrl?: string; expiresAt: string };
type Called = Awaited<ReturnType<TestCards['charge']>>;

/** What a waiting answer tells whoever can act. */
function toldBy(called: Called): Told {
  if (called.kind !== 'error' || called.reason !== 'WAITING') throw new Error(`not waiting: ${JSON.stringify(called)}`);
  return JSON.parse(called.metadata.data ?? '') as Told;
}
const answerBank = ({ clientSecret }: Told, outcome: 'succeed' | 'fail' = 'succeed') =>
  sendJson(cards.sandbox.url, 'POST', '/browser/authenticate', { clientSecret, outcome });
const payOnPage = ({ clientSecret }: Told, paymentMethod = 'pm_card_visa') =>
  sendJson(cards.sandbox.url, 'POST', '/browser/confirm', { clientSecret, paymentMethod });
const settleAtBank = (paymentIntent: string, outcome: 'succeed' | 'fail') =>
  cards.sandbox.play('/bank/settle', { paymentIntent, outcome });
const DONE = { kind: 'completed', replayed: false, message: { amount: AMOUNT } };
const NOT_CONFIRMED = { kind: 'error', reason: 'PAYMENT_NOT_CONFIRMED', pushbackMs: -1 };

/** The window of this order ends now, on the database's clock. */
async function endWindow({ orderId }: TestOrder): Promise<void> {
  const ended = await cards.payment.database.pool.query(
    'update charges set confirm_by = clock_timestamp() where order_id = $1 and confirm_by > clock_timestamp()',
    [orderId],
  );
  if (ended.rowCount === 0) throw new Error('this order has no window');
}

describe('a charge that the customer has to confirm', () => {
  it('is not sent back to a URL that no provider could take', async () => {
    for (const returnUrl of ['https://a.example/\u0000', 'https://a.example/a b', 'a.example']) {
      const called = await cards.charge(newOrder(), undefined, CHECKED, { returnUrl });
      expect(called).toMatchObject({ reason: 'INVALID_REQUEST', pushbackMs: -1 });
    }
  });

  it('S4: waits without an answer, says what is to be done and until when, and completes under the same key', async () => {
    const order = newOrder();
    const waiting = await cards.charge(order, undefined, CHECKED);
    expect(waiting).toMatchObject({ reason: 'WAITING', replayed: false, pushbackMs: 1_000 });
    const told = toldBy(waiting);
    expect(told).toMatchObject({ type: 'authenticate', clientSecret: expect.stringMatching(/^pi_\w+_secret_\w+$/) });
    const leftMs = Date.parse(told.expiresAt) - Date.now();
    expect(Math.abs(leftMs - cards.settings.PAYMENT_WINDOW_MS)).toBeLessThan(30_000);
    expect(await cards.stateOf(order.key)).toBe('STEP_STATE_IN_FLIGHT');
    expect(toldBy(await cards.charge(order, undefined, CHECKED))).toEqual(told);
    expect(await cards.books(order)).toEqual(NOTHING);
    await answerBank(told);
    cards.line.seen.length = 0;
    const done = await cards.charge(order, undefined, CHECKED);
    expect(done).toMatchObject(DONE);
    expect(cards.line.seen).toEqual(['retrieve']);
    expect(await cards.charge(order, undefined, CHECKED)).toEqual({ ...done, replayed: true });
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('G14: asked for 20 times at once tells all the same', async () => {
    const order = newOrder();
    const all = await Promise.all(Array.from({ length: 20 }, () => cards.charge(order, undefined, CHECKED)));
    const [first] = all.filter((one) => one.kind === 'error' && one.reason === 'WAITING');
    for (const one of all) expect(toldBy(one)).toEqual(toldBy(first as Called));
    expect(cards.line.seen.filter((call) => call === 'confirm')).toHaveLength(1);
  });

  it('sends the customer to the bank’s page where there is one to come back to', async () => {
    const returnUrl = 'https://shop.example/order?id=1';
    const told = toldBy(await cards.charge(newOrder(), undefined, CHECKED, { returnUrl }));
    expect(told).toMatchObject({ type: 'redirect', redirectUrl: expect.stringMatching(/^http/) });
  });

  it('without a payment method is paid on the shop’s page, with a second card where the first is declined', async () => {
    const order = newOrder();
    const told = toldBy(await cards.charge(order, undefined, ''));
    expect(told.type).toBe('confirm');
    expect((await payOnPage(told, 'pm_card_chargeDeclined')).status).toBe(402);
    expect(toldBy(await cards.charge(order, undefined, ''))).toEqual(told);
    expect((await payOnPage(told)).status).toBe(200);
    expect(await cards.charge(order, undefined, '')).toMatchObject(DONE);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('S5: who does not pass the bank’s check is refused for ever, and the page can’t pay it any more', async () => {
    const order = newOrder();
    const told = toldBy(await cards.charge(order, undefined, CHECKED));
    await answerBank(told, 'fail');
    const refused = await cards.charge(order, undefined, CHECKED);
    expect(refused).toMatchObject({ reason: 'CARD_DECLINED', message: expect.stringContaining('bank’s check') });
    expect((await payOnPage(told)).status).toBe(400);
    expect(await cards.charge(order, undefined, CHECKED)).toEqual({ ...refused, replayed: true });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('A1: who pays between the refusal and its being final has paid: the order is not refused', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const told = toldBy(await cards.charge(order, undefined, CHECKED));
    await answerBank(told, 'fail');
    const closing = cards.line.hold('cancel', 'request');
    const charging = cards.charge(order, patient, CHECKED);
    await closing.arrived;
    expect((await payOnPage(told)).status).toBe(200);
    expect(await closing.deliver()).toBe(400);
    expect(await charging).toMatchObject(DONE);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('off session is refused at once: nobody is there, and it does not say that the card was declined', async () => {
    const order = newOrder();
    const refused = await cards.charge(order, undefined, CHECKED, { offSession: true });
    expect(refused).toMatchObject({
      ...NOT_CONFIRMED,
      message: expect.stringContaining('while the customer is there'),
    });
    expect(await cards.charge(order, undefined, CHECKED, { offSession: true })).toEqual({ ...refused, replayed: true });
    expect(await cards.books(order)).toEqual(NOTHING);
  });
});

describe('the customer’s time to confirm', () => {
  it.each([
    ['the bank’s check', CHECKED],
    ['the page', 'card'],
  ])('S5: that has passed (%s) ends in a refusal for ever; what comes later is not taken', async (_, method) => {
    const order = newOrder();
    const told = toldBy(await cards.charge(order, undefined, method));
    await endWindow(order);
    const refused = await cards.charge(order, undefined, method);
    expect(refused).toMatchObject(NOT_CONFIRMED);
    expect(cards.line.seen.at(-1)).toBe('cancel');
    for (const late of [await answerBank(told), await payOnPage(told)]) expect(late.status).toBe(400);
    expect(await cards.charge(order, undefined, method)).toEqual({ ...refused, replayed: true });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('is what the setting says, and is asked about soon after its end', async () => {
    const hurried = await cards.replica({ PAYMENT_WINDOW_MS: SHORT_WINDOW_MS });
    const order = newOrder();
    const waiting = await cards.charge(order, hurried, CHECKED);
    expect(waiting).toMatchObject({ pushbackMs: 1_000 });
    await expect.poll(() => cards.charge(order, hurried, CHECKED), { timeout: 10_000 }).toMatchObject(NOT_CONFIRMED);
  });

  it('A1: a customer who is just faster than its end has paid', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const told = toldBy(await cards.charge(order, undefined, CHECKED));
    await endWindow(order);
    const closing = cards.line.hold('cancel', 'request');
    const charging = cards.charge(order, patient, CHECKED);
    await closing.arrived;
    expect((await answerBank(told)).status).toBe(200);
    expect(await closing.deliver()).toBe(400);
    expect(await charging).toMatchObject(DONE);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('S4: whose end was reached by an attempt that nobody heard of has the same reason in the next one', async () => {
    const order = newOrder();
    await cards.charge(order, undefined, CHECKED);
    await endWindow(order);
    cards.line.lose('cancel');
    const asked = cards.line.hold('retrieve', 'request');
    const lost = cards.charge(order, undefined, CHECKED);
    await asked.arrived;
    await asked.deliver();
    cards.line.lose('retrieve');
    expect(await lost).toMatchObject(UNKNOWN);
    expect(await cards.charge(order, undefined, CHECKED)).toMatchObject(NOT_CONFIRMED);
    expect(await cards.books(order)).toEqual(NOTHING);
  });
});

describe('a charge that the bank decides about later', () => {
  it.each([
    ['succeed', DONE, TAKEN],
    ['fail', { reason: 'CARD_DECLINED' }, NOTHING],
  ] as const)('waits, past the customer’s time too, until the bank says: %s', async (outcome, result, books) => {
    const order = newOrder();
    const waiting = await cards.charge(order, undefined, BANK);
    expect(toldBy(waiting)).toEqual({ type: 'processing' });
    await endWindow(order);
    expect(toldBy(await cards.charge(order, undefined, BANK))).toEqual({ type: 'processing' });
    await settleAtBank((await cards.recorded(order)).intent_id ?? '', outcome);
    expect(await cards.charge(order, undefined, BANK)).toMatchObject(result);
    expect(await cards.books(order)).toEqual(books);
  });

  it('K3, M1: is given back once when it succeeds after its undo, which waits for the bank', async () => {
    const order = newOrder();
    await cards.charge(order, undefined, BANK);
    expect(await cards.undo(order)).toMatchObject({ reason: 'OUTCOME_UNKNOWN', pushbackMs: 30_000 });
    const intent = (await cards.recorded(order)).intent_id ?? '';
    await settleAtBank(intent, 'succeed');
    expect(await cards.charge(order, undefined, BANK)).toMatchObject({ reason: 'SEALED' });
    // A bank gives back as slowly as it takes: that it was asked to is not enough.
    await cards.sandbox.setFaults({ bank: { refundMs: 600_000 } });
    expect(await cards.undo(order)).toMatchObject({ reason: 'OUTCOME_UNKNOWN', pushbackMs: 30_000 });
    expect(await cards.undo(order)).toMatchObject({ reason: 'OUTCOME_UNKNOWN', pushbackMs: 30_000 });
    const refunds = await cards.sandbox.stripe.refunds.list({ payment_intent: intent });
    expect(refunds.data).toHaveLength(1);
    await cards.sandbox.play('/bank/refunds', { refund: refunds.data[0]?.id ?? '', outcome: 'succeed' });
    const undone = await cards.undo(order);
    expect(undone).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(await cards.undo(order)).toEqual({ ...undone, replayed: true });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });
});

describe('the undo of a charge that a bank takes days for', () => {
  it('S3: is asked about ever more rarely, so that its attempts outlast the bank', async () => {
    const order = newOrder();
    await cards.charge(order, undefined, BANK);
    const intentId = (await cards.recorded(order)).intent_id ?? '';
    const participant = { ...cards.payment.participant, metrics: createMetrics('payment') };
    const provider = providerFor(cards.settings, participant);
    const askedAfter = async (ms: number) => {
      const now = () => Date.now() + ms;
      const { giveBack } = cardsFor(provider, cards.settings, { hearsWebhooks: false, now });
      return await giveBack({ tenantId: 'shop', key: order.undoKey, attempt: 1, intentId });
    };
    const pauseAfter = (retryAfterMs: number) => ({ kind: 'unknown', retryAfterMs });
    expect(await askedAfter(0)).toMatchObject(pauseAfter(30_000));
    expect(await askedAfter(86_400_000)).toMatchObject(pauseAfter(900_000));
    await settleAtBank(intentId, 'succeed');
    await cards.sandbox.setFaults({ bank: { refundMs: 600_000 } });
    expect(await askedAfter(0)).toMatchObject(pauseAfter(30_000));
    expect(await askedAfter(86_400_000)).toMatchObject(pauseAfter(900_000));
  });

  it('S3: is not parked within two weeks', () => {
    let waitedMs = 0;
    for (let attempt = 1; attempt < UNDO_ATTEMPTS; attempt++) waitedMs += pausesOfBank(waitedMs);
    expect(waitedMs).toBeGreaterThan(14 * 86_400_000);
  });
});

describe('the undo of a charge whose refund the bank refuses', () => {
  it('M1: is not done: it says so, and refunds again until one holds', async () => {
    await cards.sandbox.setFaults({ bank: { refundMs: 600_000 } });
    const order = newOrder();
    await cards.charge(order, undefined, 'pm_card_pendingRefund');
    expect(await cards.undo(order)).toMatchObject({ reason: 'OUTCOME_UNKNOWN' });
    const payment_intent = (await cards.recorded(order)).intent_id ?? '';
    const [first] = (await cards.sandbox.stripe.refunds.list({ payment_intent })).data;
    await cards.sandbox.play('/bank/refunds', { refund: first?.id ?? '', outcome: 'fail' });
    await cards.sandbox.setFaults({ bank: { refundMs: 0 } });
    await expect
      .poll(() => cards.undo(order), { timeout: 10_000 })
      .toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });
});

describe('the undo of a charge that waits', () => {
  it('K3: cancels it, and a customer who confirms afterwards pays nothing', async () => {
    const order = newOrder();
    const told = toldBy(await cards.charge(order, undefined, CHECKED));
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { paymentId: '', amount: 0 } });
    expect((await answerBank(told)).status).toBe(400);
    expect(await cards.charge(order, undefined, CHECKED)).toMatchObject({ reason: 'SEALED' });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('M1: that is just slower than the customer gives it back, once', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const told = toldBy(await cards.charge(order, undefined, CHECKED));
    const cancelling = cards.line.hold('cancel', 'request');
    const undoing = cards.undo(order, patient);
    await cancelling.arrived;
    expect((await answerBank(told)).status).toBe(200);
    expect(await cancelling.deliver()).toBe(400);
    expect(await undoing).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(await cards.charge(order, undefined, CHECKED)).toMatchObject({ reason: 'SEALED' });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('M1: in a race with customer and polls, through lost answers, leaves nothing taken', async () => {
    const orders = Array.from({ length: 12 }, newOrder);
    const told = await Promise.all(orders.map(async (order) => toldBy(await cards.charge(order, undefined, CHECKED))));
    await cards.sandbox.setFaults({ seed: 7, payments: { ...NO_FAULTS, lostAnswer: 0.3, error500: 0.1 } });
    await Promise.all(
      orders.flatMap((order, at) => [
        answerBank(told[at] as Told),
        cards.charge(order, undefined, CHECKED),
        untilKnown(() => cards.undo(order)),
      ]),
    );
    await cards.sandbox.setFaults({});
    for (const order of orders) {
      const { captured, refunded } = await cards.books(order);
      expect(captured - refunded).toBe(0);
      expect(await cards.charge(order, undefined, CHECKED)).toMatchObject({ reason: 'SEALED' });
    }
  });
});

describe('an error of the provider', () => {
  it('S5: that refuses an amount without naming it is a refusal, after one call', async () => {
    const order = newOrder();
    const request = { orderId: order.orderId, customerId: 'ann', amount: 20, currency: 'JPY', method: 'pm_card_visa' };
    const refused = await cards.payment.client.ChargePayment(request, options(order.key));
    expect(refused).toMatchObject({ reason: 'CARD_DECLINED', message: expect.stringContaining('amount_too_small') });
    expect(cards.line.seen).toEqual(['create']);
  });

  it('S4: that only an operator can mend stays open, says so, and is asked about in growing pauses', async () => {
    const order = newOrder();
    const pauses: (number | null)[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      cards.line.replace('create', {
        status: 403,
        error: { type: 'invalid_request_error', code: 'secret_key_required' },
      });
      const called = await cards.charge(order);
      expect(called).toMatchObject({
        reason: 'OUTCOME_UNKNOWN',
        message: expect.stringContaining(
          'the operator has to look at the card provider’s settings (403 secret_key_required)',
        ),
      });
      if (called.kind === 'error') pauses.push(called.pushbackMs);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000]);
    expect(await cards.charge(order)).toMatchObject(DONE);
  });

  it('S4: that says when to come back is asked again then', async () => {
    const order = newOrder();
    const error = { type: 'invalid_request_error', code: 'rate_limit' };
    cards.line.replace('create', { status: 429, error, headers: { 'retry-after': '7' } });
    expect(await cards.charge(order)).toMatchObject({ reason: 'OUTCOME_UNKNOWN', pushbackMs: 7_000 });
    expect(await cards.charge(order)).toMatchObject(DONE);
    expect(await cards.books(order)).toEqual(TAKEN);
  });
});
