import { createLog, createMetrics } from '@holdfast/service';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  AMOUNT,
  newOrder,
  startTestCards,
  type TestCards,
  type TestOrder,
  untilKnown,
} from '../../test/test-provider.ts';
import { providerFor } from '../card.ts';
import { lookAtDisputes } from './learn-disputes.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());

const log = createLog('look', 'silent');

function looker() {
  const { pool } = cards.payment.database;
  const participant = { ...cards.payment.participant, metrics: createMetrics('look'), log };
  const provider = providerFor(cards.settings, participant);
  if (provider === null) throw new Error('no provider is set up');
  const counted: string[] = [];
  const onDispute = (status: string) => counted.push(status);
  const look = { pool, provider, publishes: true, onDispute, log };
  return { counted, look: () => lookAtDisputes(look, null) };
}

async function recorded({ orderId }: TestOrder) {
  const { pool } = cards.payment.database;
  const disputes = await pool.query('select amount, currency, reason, status from disputes where order_id = $1', [
    orderId,
  ]);
  const told = await pool.query<{ kind: string }>('select kind from holdfast.outbox where order_id = $1 order by at', [
    orderId,
  ]);
  return { disputes: disputes.rows, told: told.rows.map(({ kind }) => kind) };
}

it('M1: a dispute that no webhook tells of is recorded, counted and published, once, and so is its end', async () => {
  const { counted, look } = looker();
  const order = newOrder();
  await untilKnown(() => cards.charge(order));
  const { intent_id: paymentIntent } = await cards.recorded(order);
  const opened = await cards.sandbox.play('/bank/disputes', { paymentIntent: paymentIntent ?? '' });
  await look();
  await look();
  const entry = { amount: AMOUNT, currency: 'EUR', reason: 'fraudulent' };
  const first = `disputed:${opened.id}:needs_response`;
  expect(await recorded(order)).toEqual({ disputes: [{ ...entry, status: 'needs_response' }], told: [first] });
  expect(counted).toEqual(['needs_response']);

  await cards.sandbox.play('/bank/disputes/close', { dispute: String(opened.id), outcome: 'lost' });
  await look();
  await look();
  const told = [first, `disputed:${opened.id}:lost`];
  expect(await recorded(order)).toEqual({ disputes: [{ ...entry, status: 'lost' }], told });
  expect(counted).toEqual(['needs_response', 'lost']);
});
