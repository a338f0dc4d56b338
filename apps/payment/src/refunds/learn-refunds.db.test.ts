import { createLog, createMetrics } from '@holdfast/service';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { AMOUNT, newOrder, startTestCards, type TestCards, untilKnown } from '../../test/test-provider.ts';
import { cardsFor, providerFor } from '../card.ts';
import { lookOnce } from './learn-refunds.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());

/** How often the provider’s list was asked for. */
const looks = () => cards.line.seen.filter((call) => call === 'list-refunds').length;

it('a service looks at the provider’s refunds whether it charges or not, and once, however often it charges', async () => {
  // Longer than the test: each loop that is begun looks once.
  const client = await cards.replica({ PROVIDER_LOOK_MS: 3_600_000 });
  await vi.waitUntil(() => looks() === 1, 10_000);
  for (let charges = 0; charges < 5; charges++) await untilKnown(() => cards.charge(newOrder(), client));
  expect(looks()).toBe(1);
});

it('M1: the refund of a turned-back order that fails after it had succeeded is told to a person, once', async () => {
  const log = createLog('look', 'silent');
  const participant = { ...cards.payment.participant, metrics: createMetrics('look'), log };
  const { refunds } = cardsFor(providerFor(cards.settings, participant), cards.settings, { hearsWebhooks: false });
  const told: string[] = [];
  const onUndoFailed = ({ orderId }: { orderId: string }) => told.push(orderId);
  const look = () => lookOnce({ pool: cards.payment.database.pool, refunds, onUndoFailed, log }, null);
  await cards.sandbox.setFaults({ bank: { refundMs: 600_000 } });
  const order = newOrder();
  await untilKnown(() => cards.charge(order, undefined, 'pm_card_refundFail'));
  expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
  await look();
  expect(told).toEqual([]);
  const payment_intent = (await cards.recorded(order)).intent_id ?? '';
  const [made] = (await cards.sandbox.stripe.refunds.list({ payment_intent })).data;
  await cards.sandbox.play('/bank/refunds', { refund: made?.id ?? '', outcome: 'fail' });
  await look();
  await look();
  expect(told).toEqual([order.orderId]);
});
