import { setTimeout as delay } from 'node:timers/promises';
import { confirmPayment } from './customer.ts';
import type { NewOrder } from './orders/new-order.ts';
import type { OrderBody, OrderStatus } from './orders/order-body.ts';
import type { Random } from './orders/random.ts';
import type { Progress } from './progress.ts';

export interface Shop {
  http: string;
  apiKey: string;
  /** Unique to the run; a key is the run's and the order's number. */
  runId: string;
  random: Random;
  /** Of the sandbox, where customers' browsers confirm payments. */
  sandbox: string;
  /** Whether payments that nobody confirms end soon; else a customer who leaves cancels. */
  endsUnconfirmed: boolean;
  progress: Progress;
  signal: AbortSignal;
}

interface Reply {
  status: number;
  text: string;
  retryAfterMs: number;
}

const REQUEST_TIMEOUT_MS = 20_000;
/** How long a customer keeps trying before it is a complaint. */
const PATIENCE_MS = 90_000;
const REFUND_POLL_MS = 200;
const BACKOFF = { baseMs: 50, capMs: 1_000 };
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

export interface RequestOptions {
  body?: object;
  headers?: Record<string, string>;
}

/**
 * Sends a request until it has a definite answer: lost connections, time-outs and retryable problems are sent again,
 * after a random pause, the same in every byte.
 * @returns undefined when patience ran out, which is a complaint, or when the run was interrupted
 */
export async function request(
  shop: Shop,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<Reply | undefined> {
  const deadlineAtMs = performance.now() + PATIENCE_MS;
  for (let attempt = 0; performance.now() < deadlineAtMs && !shop.signal.aborted; attempt++) {
    const reply = await once(shop, method, path, options);
    if (reply !== undefined && !isRetryable(reply)) return reply;
    shop.progress.retries += 1;
    const jitterMs = shop.random.fraction() * Math.min(BACKOFF.capMs, BACKOFF.baseMs * 2 ** attempt);
    await delay(Math.max(jitterMs, (reply?.retryAfterMs ?? 0) * shop.random.fraction()));
  }
  if (!shop.signal.aborted) shop.progress.complaints.push(`${method} ${path}: no answer in ${PATIENCE_MS / 1_000} s`);
  return undefined;
}

/** @returns undefined when the connection was refused or lost, or no answer came in time */
async function once(shop: Shop, method: string, path: string, options: RequestOptions): Promise<Reply | undefined> {
  try {
    const response = await fetch(shop.http + path, {
      method,
      headers: {
        authorization: `Bearer ${shop.apiKey}`,
        ...(options.body && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body && { body: JSON.stringify(options.body) }),
      signal: AbortSignal.any([shop.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1_000;
    return { status: response.status, text: await response.text(), retryAfterMs };
  } catch {
    // Whatever broke: the client can't know whether the request arrived. The same key is what makes that harmless.
    return undefined;
  }
}

function isRetryable(reply: Reply): boolean {
  if (reply.status < 400) return false;
  try {
    return (JSON.parse(reply.text) as { retryable?: boolean }).retryable === true;
  } catch {
    // Not one of our answers, so it came from something on the way.
    return reply.status >= 500;
  }
}
