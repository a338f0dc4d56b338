import { randomUUID } from 'node:crypto';
import { createLog, createMetrics } from '@holdfast/service';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AMOUNT,
  GIVEN_BACK,
  NOTHING,
  newOrder,
  options,
  type PaymentClient,
  startTestCards,
  TAKEN,
  TENANT,
  type TestCards,
  type TestOrder,
  UNKNOWN,
  untilKnown,
} from '../../test/test-provider.ts';
import { cardsFor, providerFor } from '../card.ts';
import { learnRefunds, lookOnce } from '../refunds/learn-refunds.ts';
import { lookAtAuthorizations } from './look-at-authorizations.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());
afterEach(() => cards.reset());

const LATER = { authorizeOnly: true };
const newCapture = () => `c-${randomUUID()}`;

const reserve = ({ orderId }: TestOrder, captureId: string, amount = AMOUNT) =>
  cards.payment.client.ReserveCapture(
    { orderId, captureId, amount, currency: 'EUR' },
    options(`${captureId}:reserve-capture`, { epoch: 1 }),
  );
const release = ({ orderId }: TestOrder, captureId: string) =>
  cards.payment.client.ReleaseCapture(
    { orderId, captureId },
    options(`${captureId}:reserve-capture:undo`, { epoch: 1 }),
  );
const capture = ({ orderId }: TestOrder, captureId: string, by: PaymentClient = cards.payment.client) =>
  by.CapturePayment({ orderId, captureId }, options(`${captureId}:capture-payment`, { epoch: 1 }));

async function authorized(method = 'pm_card_visa'): Promise<TestOrder> {
  const order = newOrder();
  expect(await untilKnown(() => cards.charge(order, undefined, method, LATER))).toMatchObject({ kind: 'completed' });
  return order;
}

async function captured(order: TestOrder, amount = AMOUNT, captureId = newCapture()) {
  expect(await reserve(order, captureId, amount)).toMatchObject({ kind: 'completed', message: { amount } });
  const done = await untilKnown(() => capture(order, captureId));
  return done.kind === 'completed' ? done.message : done;
}

/** As the bank does when nobody has captured it in time. */
async function expire(order: TestOrder): Promise<void> {
  const { intent_id: paymentIntent } = await cards.recorded(order);
  await cards.sandbox.play('/bank/expire', { paymentIntent: paymentIntent ?? '' });
}

async function authorizationOf({ orderId }: TestOrder) {
  const { rows } = await cards.payment.database.pool.query(
    'select state, told < revision as untold from authorizations where order_id = $1',
    [orderId],
  );
  return rows[0];
}

const look = async (warningMs = 1_000) => {
  const log = createLog('look', 'silent');
  const participant = { ...cards.payment.participant, metrics: createMetrics('look'), log };
  const provider = providerFor(cards.settings, participant);
  if (provider === null) throw new Error('no provider is set up');
  const seen: string[] = [];
  const onAuthorization = (state: string) => seen.push(state);
  await lookAtAuthorizations({ pool: cards.payment.database.pool, provider, warningMs, onAuthorization, log });
  return seen;
};

const CAPTURED = { status: 'CAPTURE_STATUS_CAPTURED', amount: AMOUNT, reason: '' };

describe('a charge that is captured later', () => {
  it('takes nothing, and says until when it can be captured', async () => {
    const order = newOrder();
    const charged = await untilKnown(() => cards.charge(order, undefined, 'pm_card_visa', LATER));
    if (charged.kind !== 'completed') throw new Error('it was not authorised');
    const until = Date.parse(charged.message.authorizedUntil);
    // As the sandbox's bank has it: a week.
    expect((until - Date.now()) / 86_400_000).toBeCloseTo(7, 1);
    expect(await cards.recorded(order)).toMatchObject({ state: 'authorized', payment_id: charged.message.paymentId });
    expect(await cards.books(order)).toEqual(NOTHING);
    expect(await cards.charge(order, undefined, 'pm_card_visa', LATER)).toMatchObject({ message: charged.message });
    await cards.forgetClaims(order);
    expect(await cards.charge(order, undefined, 'pm_card_visa', LATER)).toMatchObject({ message: charged.message });
  });

  it('M1: is captured once, whoever asks, and then refunded up to what was captured', async () => {
    const order = await authorized();
    const id = newCapture();
    expect(await captured(order, 500, id)).toEqual({ ...CAPTURED, amount: 500 });
    expect(await capture(order, id)).toMatchObject({ message: { amount: 500 } });
    expect(await reserve(order, newCapture())).toMatchObject({ reason: 'NOT_CAPTURABLE' });
    expect(await cards.books(order)).toEqual({ ...TAKEN, captured: 500 });
    const { client } = cards.payment;
    const refund = (refundId: string, amount: number) =>
      client.ReserveRefund(
        { orderId: order.orderId, refundId, amount, currency: 'EUR' },
        options(`${refundId}:reserve-refund`, { epoch: 1 }),
      );
    expect(await refund(newCapture(), 501)).toMatchObject({ reason: 'REFUND_EXCEEDS_CAPTURED' });
    expect(await refund(newCapture(), 500)).toMatchObject({ kind: 'completed' });
  });

  it('M1: of which a part is captured has no refund: what the provider has given free was never taken', async () => {
    const order = await authorized();
    expect(await captured(order, 500)).toEqual({ ...CAPTURED, amount: 500 });
    const { pool } = cards.payment.database;
    const log = createLog('look', 'silent');
    const provider = providerFor(cards.settings, { ...cards.payment.participant, metrics: createMetrics('look'), log });
    const { refunds } = cardsFor(provider, cards.settings, { hearsWebhooks: false });
    const learn = () => learnRefunds({ pool, refunds, onUndoFailed: () => {} }, { ...order, tenantId: TENANT });
    const givenBack = async () => {
      const values = [order.orderId];
      return (await pool.query('select refunded_amount from charges where order_id = $1', values)).rows[0]
        .refunded_amount;
    };
    await lookOnce({ pool, refunds, onUndoFailed: () => {}, log }, null);
    expect(await learn()).toEqual({ kind: 'learned', changes: 0 });
    expect(await givenBack()).toBe(0);
    // As much as was not captured, by hand: that is a refund.
    const { intent_id: intent } = await cards.recorded(order);
    await cards.sandbox.stripe.refunds.create({ payment_intent: intent ?? '', amount: AMOUNT - 500 });
    await lookOnce({ pool, refunds, onUndoFailed: () => {}, log }, null);
    expect(await learn()).toEqual({ kind: 'learned', changes: 0 });
    expect(await givenBack()).toBe(AMOUNT - 500);
  });

  it('S4: whose amount the provider does not take can be captured with another one', async () => {
    const order = await authorized();
    const error = { type: 'invalid_request_error', code: 'amount_too_small' };
    cards.line.replace('capture', { status: 400, error });
    const failed = { status: 'CAPTURE_STATUS_FAILED', amount: 0, reason: 'amount_too_small' };
    expect(await captured(order, 1)).toEqual(failed);
    expect(await cards.recorded(order)).toMatchObject({ state: 'authorized' });
    expect(await authorizationOf(order)).toMatchObject({ state: 'open' });
    expect(await captured(order)).toEqual(CAPTURED);
  });

  it('M1: is not refunded before', async () => {
    const order = await authorized();
    const refundId = newCapture();
    const request = { orderId: order.orderId, refundId, amount: 1, currency: 'EUR' };
    const refused = await cards.payment.client.ReserveRefund(request, options(`${refundId}:reserve-refund`));
    expect(refused).toMatchObject({ kind: 'error', reason: 'NOT_CAPTURED' });
  });

  it('S4: whose capture gets no answer is captured once: the same key, or its state, tells', async () => {
    const order = await authorized();
    const id = newCapture();
    await reserve(order, id);
    cards.line.lose('capture');
    cards.line.replace('retrieve', { status: 500, error: { type: 'api_error' } });
    expect(await capture(order, id)).toMatchObject(UNKNOWN);
    expect(await untilKnown(() => capture(order, id))).toMatchObject({ message: CAPTURED });
    expect(await cards.books(order)).toEqual(TAKEN);
    expect(cards.line.seen.filter((call) => call === 'capture')).toHaveLength(1);
  });

  it('S4: whose capture is kept as a fault under its key goes on under another one', async () => {
    const order = await authorized();
    const id = newCapture();
    await reserve(order, id);
    const headers = { 'idempotent-replayed': 'true' };
    cards.line.replace('capture', { status: 500, error: { type: 'api_error' }, headers });
    expect(await capture(order, id)).toMatchObject(UNKNOWN);
    expect(await untilKnown(() => capture(order, id))).toMatchObject({ message: CAPTURED });
    const { rows } = await cards.payment.database.pool.query(
      'select key_number, attempts from captures where capture_id = $1',
      [id],
    );
    expect(rows).toEqual([{ key_number: 2, attempts: 2 }]);
  });

  it('K3: a capture that nobody has asked for yet is taken back, and another one may follow', async () => {
    const order = await authorized();
    const id = newCapture();
    await reserve(order, id, 300);
    expect(await release(order, id)).toMatchObject({ kind: 'completed' });
    expect(await cards.recorded(order)).toMatchObject({ state: 'authorized' });
    expect(await reserve(order, id, 300)).toMatchObject({ reason: 'SEALED' });
    expect(await captured(order)).toEqual(CAPTURED);
  });

  it('K3: a capture that is being made is not taken back', async () => {
    const order = await authorized();
    const id = newCapture();
    await reserve(order, id);
    cards.line.cut(true);
    await capture(order, id);
    cards.line.cut(false);
    expect(await release(order, id)).toMatchObject({ reason: 'CONFLICT' });
    expect(await untilKnown(() => capture(order, id))).toMatchObject({ message: CAPTURED });
  });
});

describe('M1: an authorised charge that is undone', () => {
  it('is released, and nothing was ever taken', async () => {
    const order = await authorized();
    expect(await untilKnown(() => cards.undo(order))).toMatchObject({ message: { amount: 0 } });
    expect(await cards.recorded(order)).toMatchObject({ state: 'cancelled' });
    expect(await cards.books(order)).toEqual(NOTHING);
    expect(await authorizationOf(order)).toEqual({ state: 'closed', untold: true });
    expect(await reserve(order, newCapture())).toMatchObject({ reason: 'NOT_CAPTURABLE' });
  });

  it('while a capture is on its way to the provider: a capture that arrives after it takes nothing', async () => {
    const order = await authorized();
    const id = newCapture();
    await reserve(order, id);
    const late = cards.line.hold('capture', 'request');
    const asked = capture(order, id);
    await late.arrived;
    expect(await untilKnown(() => cards.undo(order))).toMatchObject({ message: { amount: 0 } });
    expect(await late.deliver()).toBe(400);
    const told = await asked.then((answer) =>
      answer.kind === 'completed' ? answer : untilKnown(() => capture(order, id)),
    );
    expect(told).toMatchObject({ message: { status: 'CAPTURE_STATUS_FAILED', reason: 'order_turned_back' } });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('while its capture has been made and nobody has heard: it is refunded, once', async () => {
    const order = await authorized();
    const id = newCapture();
    await reserve(order, id);
    const late = cards.line.hold('capture', 'answer');
    const asked = capture(order, id);
    await late.arrived;
    expect(await untilKnown(() => cards.undo(order))).toMatchObject({ message: { amount: AMOUNT } });
    await late.deliver();
    const told = await asked.then((answer) =>
      answer.kind === 'completed' ? answer : untilKnown(() => capture(order, id)),
    );
    expect(told).toMatchObject({ message: { status: 'CAPTURE_STATUS_FAILED', reason: 'order_turned_back' } });
    expect(await untilKnown(() => cards.undo(order))).toMatchObject({ message: { amount: AMOUNT } });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
    expect(await cards.recorded(order)).toMatchObject({ state: 'refunded' });
  });

  it('although somebody has captured a part of it at the provider: that part is refunded, once', async () => {
    const order = await authorized();
    const { intent_id: intent } = await cards.recorded(order);
    // Less than is left of it, which the provider lists as a refund.
    await cards.sandbox.stripe.paymentIntents.capture(intent ?? '', { amount_to_capture: 200 });
    expect(await untilKnown(() => cards.undo(order))).toMatchObject({ message: { amount: 200 } });
    expect(await cards.books(order)).toEqual({ captures: 1, captured: 200, refunded: 200 });
  });
});

describe('an authorisation', () => {
  it('E2: that runs out soon is told once; one that was captured is not', async () => {
    const order = await authorized();
    const other = await authorized();
    await captured(other);
    expect(await look(6 * 86_400_000)).toEqual([]);
    expect(await look(8 * 86_400_000)).toContain('expiring');
    expect(await look(8 * 86_400_000)).toEqual([]);
    expect(await authorizationOf(order)).toEqual({ state: 'expiring', untold: true });
    expect(await authorizationOf(other)).toMatchObject({ state: 'closed' });
    const { client } = cards.payment;
    const listed = await client.ListOrderNews({ limit: 500 }, { timeoutMs: 5_000, tenantId: TENANT });
    const news = listed.kind === 'completed' ? listed.message.news : [];
    const ours = news.filter(({ orderId }) => orderId === order.orderId);
    expect(ours).toMatchObject([{ authorization: { state: 'expiring' }, revision: 2 }]);
    expect(news.some(({ orderId }) => orderId === other.orderId)).toBe(false);
    const told = ours.map(({ tenantId, orderId, revision }) => ({ tenantId, orderId, revision, disputeId: '' }));
    await client.ForgetOrderNews({ news: told }, { timeoutMs: 5_000, tenantId: TENANT });
    expect(await authorizationOf(order)).toEqual({ state: 'expiring', untold: false });
  });

  it('M1: that has run out is known by the provider’s word, refuses its capture, and is released', async () => {
    const order = await authorized();
    const { pool } = cards.payment.database;
    await pool.query(`update authorizations set expires_at = clock_timestamp() where order_id = $1`, [order.orderId]);
    // The clock alone decides nothing.
    expect(await look()).toEqual(['expiring']);
    expect(await cards.recorded(order)).toMatchObject({ state: 'authorized' });
    await expire(order);
    expect(await look()).toEqual(['expired']);
    expect(await look()).toEqual([]);
    expect(await cards.recorded(order)).toMatchObject({ state: 'expired' });
    expect(await reserve(order, newCapture())).toMatchObject({ reason: 'AUTHORIZATION_EXPIRED' });
    expect(await untilKnown(() => cards.undo(order))).toMatchObject({ message: { amount: 0 } });
    expect(await cards.recorded(order)).toMatchObject({ state: 'cancelled' });
  });

  it('M1: that has run out unheard makes its capture fail, for good', async () => {
    const order = await authorized();
    await expire(order);
    const failed = { status: 'CAPTURE_STATUS_FAILED', amount: 0, reason: 'authorization_expired' };
    const id = newCapture();
    expect(await captured(order, AMOUNT, id)).toEqual(failed);
    expect(await capture(order, id)).toMatchObject({ message: failed });
    expect(await cards.recorded(order)).toMatchObject({ state: 'expired' });
    expect(await authorizationOf(order)).toEqual({ state: 'expired', untold: true });
  });
});

it('a payment from an account is never only authorised', async () => {
  const refused = await cards.charge(newOrder(), undefined, 'balance', LATER);
  expect(refused).toMatchObject({ kind: 'error', reason: 'INVALID_REQUEST' });
});
