import { createLog, createMetrics } from '@holdfast/service';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  AMOUNT,
  newOrder,
  startTestCards,
  TENANT,
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
  return { counted, look: (after: string | null = null) => lookAtDisputes(look, after) };
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

it('M1: one that stands behind a whole page of newer ones is found by the next looks', async () => {
  const { counted, look } = looker();
  const order = newOrder();
  await untilKnown(() => cards.charge(order));
  const { intent_id: paymentIntent } = await cards.recorded(order);
  const { pool } = cards.sandbox.db;
  const opened = await cards.sandbox.play('/bank/disputes', { paymentIntent: paymentIntent ?? '' });
  // Of payments of another shop: more than two pages of them are newer.
  const other = await cards.sandbox.stripe.paymentIntents.create({ amount: 700, currency: 'eur' });
  await pool.query(
    `insert into disputes (intent_id, dispute_id, charge_id, amount, currency, reason, status, created_at)
     select $1, 'du_' || substr($1, 4) || lpad(to_hex(n), 8, '0'), 'ch_other', 1, 'eur', 'general', 'lost', clock_timestamp()
       from generate_series(1, 230) n`,
    [other.id],
  );
  let after = await look();
  expect(after).not.toBeNull();
  expect(counted).toEqual([]);
  for (let turn = 1; turn <= 3 && after !== null; turn++) after = await look(after);
  expect(counted).toEqual(['needs_response']);
  expect((await recorded(order)).told).toEqual([`disputed:${opened.id}:needs_response`]);
});

it('E2: is told until it was taken in, each change by its number', async () => {
  const { look } = looker();
  const order = newOrder();
  await untilKnown(() => cards.charge(order));
  const { intent_id: paymentIntent } = await cards.recorded(order);
  const opened = await cards.sandbox.play('/bank/disputes', { paymentIntent: paymentIntent ?? '' });
  await look();
  const { client } = cards.payment;
  const options = { timeoutMs: 5_000, tenantId: TENANT };
  const news = async () => {
    const listed = await client.ListOrderNews({ limit: 500 }, options);
    return listed.kind === 'completed' ? listed.message.news.filter(({ orderId }) => orderId === order.orderId) : [];
  };
  const forget = (revision: number) =>
    client.ForgetOrderNews(
      { news: [{ tenantId: TENANT, orderId: order.orderId, disputeId: String(opened.id), revision }] },
      options,
    );
  const dispute = { disputeId: opened.id, amount: AMOUNT, currency: 'EUR', reason: 'fraudulent' };
  const first = { revision: 1, dispute: { ...dispute, status: 'needs_response' } };
  expect(await news()).toMatchObject([first]);
  expect(await news()).toMatchObject([first]);
  await cards.sandbox.play('/bank/disputes/close', { dispute: String(opened.id), outcome: 'won' });
  await look();
  // What was taken in is older than what there is now.
  await forget(1);
  expect(await news()).toMatchObject([{ revision: 2, dispute: { ...dispute, status: 'won' } }]);
  await forget(2);
  expect(await news()).toEqual([]);
});
