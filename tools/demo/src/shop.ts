import { setTimeout as delay } from 'node:timers/promises';
import { confirmPayment } from './customer.ts';
import type { NewOrder } from './orders/new-order.ts';
import type { OrderBody, OrderStatus } from './orders/order-body.ts';
import { PATIENCE_MS, request, type Shop } from './requests.ts';

const REFUND_POLL_MS = 200;
const TERMINAL: ReadonlySet<OrderStatus> = new Set(['completed', 'failed', 'cancelled']);

/**
 * One customer's order from the first click to its end: sent (several times at once, when the customer is impatient)
 * under one key, sent again under the same key for as long as no definite answer has come, and followed to its end.
 * @returns the order's id; undefined when it could not be placed, which is a complaint
 */
export async function buy(shop: Shop, order: NewOrder): Promise<string | undefined> {
  const startedAtMs = performance.now();
  const key = `${shop.runId}-order-${String(order.number).padStart(8, '0')}`;
  const answers = await Promise.all(Array.from({ length: order.copies }, () => place(shop, order, key)));
  const bodies = new Set(answers.filter((answer) => answer !== undefined));
  if (bodies.size > 1)
    shop.progress.complaints.push(`${key}: one key was answered with ${bodies.size} different orders`);
  const [body] = bodies;
  if (body === undefined) return undefined;
  const placed = JSON.parse(body) as OrderBody;
  if (order.cancel) await request(shop, 'POST', `/v1/orders/${placed.id}/cancel`);
  await confirmPayment(shop, order, placed);
  const ended = TERMINAL.has(placed.status) ? placed : await follow(shop, placed.id);
  if (ended?.status === 'completed' && order.refunded > 0) await giveBack(shop, order, ended);
  if (ended !== undefined) {
    shop.progress.orderEnded(ended.status, ended.failure?.reason, performance.now() - startedAtMs);
  }
  return placed.id;
}

/** A part of a completed order, under one key, followed to its end. */
async function giveBack(shop: Shop, order: NewOrder, { id, total }: OrderBody): Promise<void> {
  const amount = Math.max(1, Math.floor((total ?? 0) * order.refunded));
  const key = `${shop.runId}-refund-${String(order.number).padStart(8, '0')}`;
  const path = `/v1/orders/${id}/refunds`;
  const made = await request(shop, 'POST', path, { body: { amount }, headers: { 'idempotency-key': key } });
  if (made?.status !== 201) {
    if (made !== undefined)
      shop.progress.complaints.push(`${key}: answered ${made.status}: ${made.text.slice(0, 300)}`);
    return;
  }
  const { id: refundId } = JSON.parse(made.text) as { id: string };
  const deadlineAtMs = performance.now() + PATIENCE_MS;
  while (performance.now() < deadlineAtMs && !shop.signal.aborted) {
    const seen = await request(shop, 'GET', `${path}/${refundId}`);
    const status = seen && (JSON.parse(seen.text) as { status?: string }).status;
    if (status === 'succeeded') {
      shop.progress.refunds += 1;
      return;
    }
    if (status === 'failed')
      shop.progress.complaints.push(`${key}: the refund has failed: ${seen?.text.slice(0, 300)}`);
    if (status === 'failed') return;
    await delay(REFUND_POLL_MS);
  }
  if (!shop.signal.aborted) shop.progress.complaints.push(`${key}: the refund has not ended`);
}

async function place(shop: Shop, order: NewOrder, key: string): Promise<string | undefined> {
  const reply = await request(shop, 'POST', '/v1/orders', {
    body: order.request,
    headers: { 'idempotency-key': key, ...(order.waitSeconds > 0 && { prefer: `wait=${order.waitSeconds}` }) },
  });
  if (reply?.status === 201) return reply.text;
  if (reply !== undefined)
    shop.progress.complaints.push(`${key}: answered ${reply.status}: ${reply.text.slice(0, 300)}`);
  return undefined;
}

/** Listens to the order's events; when the stream breaks off before the end, listens again. */
async function follow(shop: Shop, id: string): Promise<OrderBody | undefined> {
  const deadlineAtMs = performance.now() + PATIENCE_MS;
  while (performance.now() < deadlineAtMs && !shop.signal.aborted) {
    const reply = await request(shop, 'GET', `/v1/orders/${id}/events`);
    const last = reply?.text.split('\n').findLast((line) => line.startsWith('data: '));
    const order = last === undefined ? undefined : (JSON.parse(last.slice('data: '.length)) as OrderBody);
    if (order !== undefined && TERMINAL.has(order.status)) return order;
  }
  if (!shop.signal.aborted) shop.progress.complaints.push(`${id}: has not ended within ${PATIENCE_MS / 1_000} s`);
  return undefined;
}
