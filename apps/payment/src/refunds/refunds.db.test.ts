import { randomUUID } from 'node:crypto';
import { transaction } from '@holdfast/postgres';
import { createLog, createMetrics } from '@holdfast/service';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AMOUNT,
  newOrder,
  options,
  type PaymentClient,
  startTestCards,
  TENANT,
  type TestCards,
  type TestOrder,
  untilKnown,
} from '../../test/test-provider.ts';
import { cardsFor, providerFor } from '../card.ts';
import { lookOnce } from './learn-refunds.ts';
import { reserveRefunds } from './reserve-refund.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());
afterEach(() => cards.reset());

const newRefund = () => `r-${randomUUID()}`;

const reserve = ({ orderId }: TestOrder, refundId: string, amount: number, by: PaymentClient = cards.payment.client) =>
  by.ReserveRefund({ orderId, refundId, amount, currency: 'EUR' }, options(`${refundId}:reserve-refund`, { epoch: 1 }));
const release = ({ orderId }: TestOrder, refundId: string) =>
  cards.payment.client.ReleaseRefund({ orderId, refundId }, options(`${refundId}:reserve-refund:undo`, { epoch: 1 }));
const give = ({ orderId }: TestOrder, refundId: string, by: PaymentClient = cards.payment.client, epoch = 1) =>
  by.RefundCharge({ orderId, refundId }, options(`${refundId}:refund-payment`, { epoch }));

async function charged(method = 'pm_card_visa'): Promise<TestOrder> {
  const order = newOrder();
  await untilKnown(() => cards.charge(order, undefined, method));
  return order;
}

/** The bank decides about the newest refund of the order's payment. */
async function bankSays(order: TestOrder, outcome: 'succeed' | 'fail'): Promise<void> {
  const payment_intent = (await cards.recorded(order)).intent_id ?? '';
  const [newest] = (await cards.sandbox.stripe.refunds.list({ payment_intent })).data;
  await cards.sandbox.play('/bank/refunds', { refund: newest?.id ?? '', outcome });
}

async function chargedAccount(): Promise<TestOrder & { customerId: string }> {
  const order = newOrder();
  const customerId = `c-${randomUUID()}`;
  const client = cards.payment.client;
  await client.PutAccount({ customerId, balance: AMOUNT, currency: 'EUR' }, options(`put-for-${customerId}`));
  const request = { orderId: order.orderId, customerId, amount: AMOUNT, currency: 'EUR', method: 'balance' };
  expect(await client.ChargePayment(request, options(order.key))).toMatchObject({ kind: 'completed' });
  return { ...order, customerId };
}

async function balanceOf(customerId: string): Promise<number> {
  const found = await cards.payment.client.GetAccount({ customerId }, { tenantId: TENANT, timeoutMs: 5_000 });
  return found.kind === 'completed' ? (found.message.account?.balance ?? -1) : -1;
}

async function sums({ orderId }: TestOrder): Promise<{ refunded: number; refunding: number }> {
  const { rows } = await cards.payment.database.pool.query(
    'select refunded_amount as refunded, refunding_amount as refunding from charges where order_id = $1',
    [orderId],
  );
  return rows[0];
}

async function rowsOf({ orderId }: TestOrder): Promise<{ refund_id: string; origin: string; state: string }[]> {
  const { rows } = await cards.payment.database.pool.query(
    'select refund_id, origin, amount, state, reason from refunds where order_id = $1 order by created_at, refund_id',
    [orderId],
  );
  return rows;
}

/** As somebody does at the provider's dashboard. */
async function refundThere(order: TestOrder, amount: number): Promise<string> {
  const { intent_id: intent } = await cards.recorded(order);
  return (await cards.sandbox.stripe.refunds.create({ payment_intent: intent ?? '', amount })).id;
}

const look = () => {
  const log = createLog('look', 'silent');
  const participant = { ...cards.payment.participant, metrics: createMetrics('look'), log };
  const { refunds } = cardsFor(providerFor(cards.settings, participant), cards.settings, { hearsWebhooks: false });
  return lookOnce({ pool: cards.payment.database.pool, refunds, onUndoFailed: () => {}, log }, null);
};

const EXCEEDS = { kind: 'error', reason: 'REFUND_EXCEEDS_CAPTURED' };
const GIVEN = { kind: 'completed', message: { status: 'REFUND_STATUS_SUCCEEDED' } };
const FAILED = { kind: 'completed', message: { status: 'REFUND_STATUS_FAILED' } };

describe('setting a refund aside', () => {
  it('M1: two refunds of one order in one batch see each other', async () => {
    const { orderId } = await charged();
    const wanted = [newRefund(), newRefund()].map((refundId) => ({
      ...{ tenantId: TENANT, orderId, refundId },
      ...{ amount: AMOUNT - 100, currency: 'EUR' },
    }));
    const outcomes = await transaction(cards.payment.database.pool, (tx) => reserveRefunds(tx, wanted));
    expect(outcomes).toMatchObject([{ kind: 'completed' }, { kind: 'refused', reason: 'REFUND_EXCEEDS_CAPTURED' }]);
    expect(await sums({ orderId } as TestOrder)).toEqual({ refunded: 0, refunding: AMOUNT - 100 });
  });

  it('M1: two processes at once set aside what was captured and no more', async () => {
    const other = await cards.replica();
    for (let round = 0; round < 12; round++) {
      const order = await charged();
      const outcomes = await Promise.all(
        [cards.payment.client, other, cards.payment.client, other].map((by) =>
          untilKnown(() => reserve(order, newRefund(), 400, by)),
        ),
      );
      expect(outcomes.filter(({ kind }) => kind === 'completed')).toHaveLength(1);
      expect(outcomes.filter(({ kind }) => kind === 'error')).toMatchObject([EXCEEDS, EXCEEDS, EXCEEDS]);
      expect(await sums(order)).toEqual({ refunded: 0, refunding: 400 });
    }
  });

  it('S5: a refusal stays, also when something has become free again', async () => {
    const order = await charged();
    const [first, second] = [newRefund(), newRefund()];
    await reserve(order, first, AMOUNT);
    const refused = await reserve(order, second, 1);
    expect(refused).toMatchObject(EXCEEDS);
    await release(order, first);
    expect(await sums(order)).toEqual({ refunded: 0, refunding: 0 });
    expect(await reserve(order, second, 1)).toMatchObject({ ...EXCEEDS, replayed: true });
    expect(await reserve(order, newRefund(), AMOUNT)).toMatchObject({ kind: 'completed' });
  });

  it('K3: its undo that comes first seals it, and one that was undone is never made', async () => {
    const order = await charged();
    const [early, late] = [newRefund(), newRefund()];
    expect(await release(order, early)).toMatchObject({ kind: 'completed' });
    expect(await reserve(order, early, 100)).toMatchObject({ kind: 'error', reason: 'SEALED' });
    await reserve(order, late, 100);
    await release(order, late);
    expect(await give(order, late)).toMatchObject(FAILED);
    expect(await cards.books(order)).toMatchObject({ refunded: 0 });
  });

  it('is refused for an order that nothing was captured of, and for one that was turned back', async () => {
    expect(await reserve(newOrder(), newRefund(), 1)).toMatchObject({ reason: 'NOT_REFUNDABLE' });
    const order = await charged();
    await cards.undo(order);
    expect(await reserve(order, newRefund(), 1)).toMatchObject({ reason: 'NOT_REFUNDABLE' });
    expect(await rowsOf(order)).toMatchObject([{ refund_id: 'undo', origin: 'undo', state: 'succeeded' }]);
  });

  it('K4, G2: passes the fence of its own saga, and has a key that begins with its id', async () => {
    const order = await charged();
    const refundId = newRefund();
    await reserve(order, refundId, 100);
    await untilKnown(() => give(order, refundId, undefined, 3));
    expect(await give(order, refundId, undefined, 2)).toMatchObject({ kind: 'error', reason: 'FENCED' });
    const foreign = options(`${order.orderId}:reserve-refund`, { epoch: 1 });
    const request = { orderId: order.orderId, refundId: newRefund(), amount: 1, currency: 'EUR' };
    const refused = await cards.payment.client.ReserveRefund(request, foreign);
    expect(refused).toMatchObject({ reason: 'IDEMPOTENCY_KEY_INVALID' });
  });
});

describe('giving back by card', () => {
  it('in parts adds up, each part once, and asking again gets the same bytes without a call', async () => {
    const order = await charged();
    const [first, second] = [newRefund(), newRefund()];
    await reserve(order, first, 300);
    const given = await give(order, first);
    expect(given).toMatchObject({ ...GIVEN, message: { amount: 300 } });
    await reserve(order, second, 400);
    expect(await give(order, second)).toMatchObject(GIVEN);
    cards.line.seen.length = 0;
    expect(await give(order, first)).toEqual({ ...given, replayed: true });
    expect(cards.line.seen).toEqual([]);
    expect(await cards.books(order)).toMatchObject({ refunded: AMOUNT });
    expect(await sums(order)).toEqual({ refunded: AMOUNT, refunding: 0 });
    expect(await reserve(order, newRefund(), 1)).toMatchObject(EXCEEDS);
  });

  it('S4: a lost answer is looked for in the provider’s list, and the refund made once', async () => {
    const order = await charged();
    const refundId = newRefund();
    await reserve(order, refundId, 300);
    cards.line.lose('refund');
    expect(await give(order, refundId)).toMatchObject({ kind: 'error', reason: 'OUTCOME_UNKNOWN' });
    cards.line.seen.length = 0;
    expect(await give(order, refundId)).toMatchObject(GIVEN);
    expect(cards.line.seen).toEqual(['list-refunds']);
    expect(await cards.books(order)).toMatchObject({ refunded: 300 });
  });

  it('K1: two processes that make it at once make it once', async () => {
    const other = await cards.replica({ STRIPE_TIMEOUT_MS: 20_000 });
    const order = await charged();
    const refundId = newRefund();
    await reserve(order, refundId, 300);
    const held = cards.line.hold('refund', 'request');
    const slow = give(order, refundId, other);
    await held.arrived;
    await cards.payment.database.pool.query(
      'update holdfast.claims set lease_until = clock_timestamp() where scope = $1 and lease_until > clock_timestamp()',
      [refundId],
    );
    expect(await untilKnown(() => give(order, refundId))).toMatchObject(GIVEN);
    await held.deliver();
    await slow;
    expect(await cards.books(order)).toMatchObject({ refunded: 300 });
    expect(await sums(order)).toEqual({ refunded: 300, refunding: 0 });
  });

  it('S4: a fault that the provider keeps under the key does not wedge it, nor make it twice', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const order = await charged();
      const refundId = newRefund();
      await reserve(order, refundId, 300);
      await cards.sandbox.setFaults({
        seed,
        payments: { lostAnswer: 0.2, slow: 0, slowMs: 0, error500: 0.6, refused: 0 },
      });
      const given = await untilKnown(() => give(order, refundId));
      await cards.sandbox.setFaults({});
      expect(given).toMatchObject(GIVEN);
      expect(await cards.books(order)).toMatchObject({ refunded: 300 });
    }
  });

  it('S4: stays open while the provider knows nothing of the payment: a key of another account has judged nothing', async () => {
    const order = await charged();
    const refundId = newRefund();
    await reserve(order, refundId, 300);
    const error = { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_intent', message: 'none' };
    cards.line.replace('refund', { status: 404, error });
    expect(await give(order, refundId)).toMatchObject({ kind: 'error', reason: 'OUTCOME_UNKNOWN' });
    expect(await sums(order)).toEqual({ refunded: 0, refunding: 300 });
    expect(await give(order, refundId)).toMatchObject(GIVEN);
  });

  it('M1: what was refunded at the provider meanwhile is not given back again: this refund has failed', async () => {
    const order = await charged();
    const refundId = newRefund();
    await reserve(order, refundId, 500);
    await refundThere(order, 600);
    expect(await give(order, refundId)).toMatchObject({ ...FAILED, message: { reason: 'amount_too_large' } });
    await look();
    expect(await sums(order)).toEqual({ refunded: 600, refunding: 0 });
    expect(await reserve(order, newRefund(), 101)).toMatchObject(EXCEEDS);
    expect(await cards.books(order)).toMatchObject({ refunded: 600 });
  });
});

describe('a refund by card that the bank has not ended', () => {
  const WAITING = { kind: 'error', reason: 'WAITING' };
  const MINUTES = { bank: { refundMs: 600_000 } };

  it('S4: makes its step wait, counts as under way, and ends as the bank says', async () => {
    await cards.sandbox.setFaults(MINUTES);
    for (const [outcome, ended] of [
      ['succeed', GIVEN],
      ['fail', FAILED],
    ] as const) {
      const order = await charged('pm_card_pendingRefund');
      const refundId = newRefund();
      await reserve(order, refundId, 300);
      expect(await give(order, refundId)).toMatchObject(WAITING);
      expect(await sums(order)).toEqual({ refunded: 0, refunding: 300 });
      expect(await rowsOf(order)).toMatchObject([{ state: 'pending' }]);
      expect(await give(order, refundId)).toMatchObject(WAITING);
      await bankSays(order, outcome);
      expect(await give(order, refundId)).toMatchObject(ended);
      const refunded = outcome === 'succeed' ? 300 : 0;
      expect(await sums(order)).toEqual({ refunded, refunding: 0 });
      expect(await cards.books(order)).toMatchObject({ refunded });
    }
  });

  it('M1: is learned to have failed, also after it had succeeded: it counts no more, and can be made anew', async () => {
    await cards.sandbox.setFaults(MINUTES);
    const order = await charged('pm_card_refundFail');
    const refundId = newRefund();
    await reserve(order, refundId, AMOUNT);
    expect(await give(order, refundId)).toMatchObject(GIVEN);
    await bankSays(order, 'fail');
    await look();
    expect(await rowsOf(order)).toMatchObject([{ state: 'failed', reason: 'expired_or_canceled_card' }]);
    expect(await sums(order)).toEqual({ refunded: 0, refunding: 0 });
    expect(await newsOf(order)).toMatchObject([{ refundId, state: 'REFUND_STATUS_FAILED' }]);
    expect(await reserve(order, newRefund(), AMOUNT)).toMatchObject({ kind: 'completed' });
  });

  it('S3: keeps the undo of its order open until it is final, and for a person when it fails again and again', async () => {
    await cards.sandbox.setFaults(MINUTES);
    const order = await charged('pm_card_pendingRefund');
    for (let refused = 0; refused < 3; refused++) {
      expect(await cards.undo(order)).toMatchObject({
        reason: 'OUTCOME_UNKNOWN',
        message: expect.stringContaining('pending'),
      });
      await bankSays(order, 'fail');
    }
    cards.line.seen.length = 0;
    const message = expect.stringMatching(/refund failed .*expired_or_canceled_card.*resume the saga/);
    expect(await cards.undo(order)).toMatchObject({ reason: 'OUTCOME_UNKNOWN', message });
    expect(cards.line.seen).not.toContain('refund');
    // Given back by hand at the provider: then the undo finds nothing left to do.
    await refundThere(order, AMOUNT);
    await bankSays(order, 'succeed');
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
  });
});

describe('giving back to an account', () => {
  it('credits it once, whatever is repeated, also when the claims are gone', async () => {
    const order = await chargedAccount();
    const refundId = newRefund();
    await reserve(order, refundId, 200);
    const given = await give(order, refundId);
    expect(given).toMatchObject({ ...GIVEN, message: { amount: 200 } });
    await cards.payment.database.pool.query('delete from holdfast.claims where scope = $1', [refundId]);
    expect(await give(order, refundId)).toMatchObject(GIVEN);
    expect(await reserve(order, refundId, 200)).toMatchObject({ kind: 'completed' });
    expect(await balanceOf(order.customerId)).toBe(200);
    expect(await sums(order)).toEqual({ refunded: 200, refunding: 0 });
  });

  it('M1: an undo of the order gives back what is left, and takes back what is only set aside', async () => {
    const order = await chargedAccount();
    const [given, open] = [newRefund(), newRefund()];
    await reserve(order, given, 200);
    await give(order, given);
    await reserve(order, open, 300);
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed' });
    expect(await give(order, open)).toMatchObject(FAILED);
    expect(await balanceOf(order.customerId)).toBe(AMOUNT);
    expect(await sums(order)).toEqual({ refunded: AMOUNT, refunding: 0 });
  });

  it('M1: many refunds and an undo at once give back what was taken, exactly', async () => {
    const other = await cards.replica();
    for (let round = 0; round < 8; round++) {
      const order = await chargedAccount();
      const refund = async (by: PaymentClient) => {
        const refundId = newRefund();
        const reserved = await untilKnown(() => reserve(order, refundId, 300, by));
        if (reserved.kind === 'completed') await untilKnown(() => give(order, refundId, by));
      };
      await Promise.all([
        refund(cards.payment.client),
        refund(other),
        refund(other),
        untilKnown(() => cards.undo(order)),
      ]);
      expect(await balanceOf(order.customerId)).toBe(AMOUNT);
      expect(await sums(order)).toEqual({ refunded: AMOUNT, refunding: 0 });
    }
  });
});

describe('learning from the provider', () => {
  it('M1: finds what was refunded there, records it once, and tells of it until it is heard', async () => {
    const order = await charged();
    const id = await refundThere(order, 250);
    await look();
    await look();
    expect(await rowsOf(order)).toEqual([
      { refund_id: id, origin: 'provider', amount: 250, state: 'succeeded', reason: null },
    ]);
    expect(await sums(order)).toEqual({ refunded: 250, refunding: 0 });
    const news = await newsOf(order);
    expect(news).toMatchObject([{ refundId: id, origin: 'provider', amount: 250, state: 'REFUND_STATUS_SUCCEEDED' }]);
    expect(await newsOf(order)).toEqual(news);
    await cards.payment.client.ForgetRefundNews({ news }, { timeoutMs: 5_000 });
    expect(await newsOf(order)).toEqual([]);
  });

  it('is sure of our own refunds as well, and changes nothing of those that have ended', async () => {
    const order = await charged();
    const refundId = newRefund();
    await reserve(order, refundId, 100);
    await give(order, refundId);
    const before = await rowsOf(order);
    await look();
    expect(await rowsOf(order)).toEqual(before);
  });
});

async function newsOf({ orderId }: TestOrder) {
  const listed = await cards.payment.client.ListRefundNews({ limit: 500 }, { timeoutMs: 5_000 });
  if (listed.kind !== 'completed') throw new Error(listed.reason);
  return listed.message.news.filter((one) => one.orderId === orderId);
}
