/**
 * Customers who keep ordering while things break: each order under one key, sent again for as long as the answer says
 * that it may be. Whatever else a customer is told is a complaint.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { API_KEY, type ContainerSystem } from './system.ts';

export interface Customers {
  /** Waits until so many more orders have been accepted. */
  untilAccepted(more: number): Promise<void>;
  /** No new orders; returns when every order that was begun has been answered. */
  leave(): Promise<Visit>;
}

export interface Visit {
  /** Ids of the accepted orders. */
  accepted: string[];
  /** Requests that were sent again. */
  retries: number;
  complaints: string[];
  /** Accepted orders per second. */
  rate: number;
}

const PATIENCE_MS = 120_000;
const REQUEST_TIMEOUT_MS = 15_000;
const BACKOFF_MS = 200;
const MOST_AT_ONCE = 24;

/** @param rate orders per second at most; fewer when the system is slower than that */
export function letCustomersIn(system: ContainerSystem, runName: string, rate: number): Customers {
  const accepted: string[] = [];
  const complaints: string[] = [];
  const open = new Set<Promise<void>>();
  const startedAtMs = performance.now();
  let [retries, number, left] = [0, 0, false];

  async function order(at: number): Promise<void> {
    const key = `${runName}-${String(at).padStart(8, '0')}`;
    const body = JSON.stringify(orderOf(at));
    const deadlineAtMs = performance.now() + PATIENCE_MS;
    for (let attempt = 0; performance.now() < deadlineAtMs; attempt++) {
      const answer = await send(system, attempt + at, 'POST', '/v1/orders', { key, body });
      if (answer?.status === 201) {
        accepted.push((JSON.parse(answer.text) as { id: string }).id);
        return;
      }
      if (answer !== undefined && !isRetryable(answer)) {
        complaints.push(`${key}: ${answer.status} ${answer.text.slice(0, 300)}`);
        return;
      }
      retries += 1;
      await delay(BACKOFF_MS);
    }
    complaints.push(`${key}: no definite answer in ${PATIENCE_MS} ms`);
  }

  const arriving = (async () => {
    while (!left) {
      const dueAtMs = startedAtMs + (number * 1_000) / rate;
      await delay(Math.max(0, dueAtMs - performance.now()));
      while (open.size >= MOST_AT_ONCE) await Promise.race(open);
      if (left) return;
      const placing = order(number++).finally(() => open.delete(placing));
      open.add(placing);
    }
  })();

  return {
    async untilAccepted(more) {
      const wanted = accepted.length + more;
      const deadlineAtMs = performance.now() + PATIENCE_MS;
      while (accepted.length < wanted) {
        if (performance.now() > deadlineAtMs) throw new Error(`${accepted.length} accepted, ${wanted} wanted`);
        await delay(50);
      }
    },
    async leave() {
      left = true;
      await arriving;
      const seconds = (performance.now() - startedAtMs) / 1_000;
      await Promise.all(open);
      return { accepted, retries, complaints, rate: accepted.length / seconds };
    },
  };
}

interface Answer {
  status: number;
  text: string;
}

/** One attempt, at one of the APIs that are up. @returns undefined when the connection broke or no answer came */
async function send(
  system: ContainerSystem,
  turn: number,
  method: string,
  path: string,
  { key, body }: { key?: string; body?: string } = {},
): Promise<Answer | undefined> {
  const api = system.apis[turn % Math.max(system.apis.length, 1)];
  if (api === undefined) return undefined;
  try {
    const response = await fetch(api + path, {
      method,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    // Whatever broke: nobody can know whether the request arrived. The same key is what makes that harmless.
    return undefined;
  }
}

function isRetryable({ status, text }: Answer): boolean {
  if (status < 400) return false;
  try {
    return (JSON.parse(text) as { retryable?: boolean }).retryable === true;
  } catch {
    return false;
  }
}

function orderOf(at: number): object {
  return {
    customerId: `customer-${at % 20}`,
    currency: 'EUR',
    items: [
      { sku: `item-${at % 50}`, quantity: 2 },
      { sku: `item-${(at % 50) + 50}`, quantity: 1 },
    ],
    payment: { method: at % 4 === 0 ? 'pm_card_visa' : 'balance' },
    shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
  };
}

/** Items and accounts for every order that customers place. */
export async function openShop(system: ContainerSystem): Promise<void> {
  const put = async (path: string, body: object) => {
    const answer = await send(system, 0, 'PUT', path, { body: JSON.stringify(body) });
    expect(answer?.status, answer?.text).toBe(200);
  };
  for (let item = 0; item < 100; item++) {
    await put(`/v1/stock/item-${item}`, { onHand: 1_000_000, unitPrice: 100 + item, currency: 'EUR' });
  }
  for (let customer = 0; customer < 20; customer++) {
    await put(`/v1/accounts/customer-${customer}`, { balance: 1_000_000_000, currency: 'EUR' });
  }
}

/** Nothing lost, nothing told wrongly, and the books add up (A1). */
export async function expectNothingLost(system: ContainerSystem, visit: Visit): Promise<void> {
  expect(visit.complaints).toEqual([]);
  expect(new Set(visit.accepted).size, 'every key has an order of its own').toBe(visit.accepted.length);
  const ends = new Map<string, number>();
  const ids = visit.accepted.values();
  await Promise.all(
    Array.from({ length: ASKED_AT_ONCE }, async () => {
      for (const id of ids) {
        const end = await endOf(system, id);
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }
    }),
  );
  // Enough stock, enough money, working cards: there is no business reason to fail.
  expect([...ends.keys()], JSON.stringify([...ends])).toEqual(visit.accepted.length === 0 ? [] : ['completed']);
  const report = await system.audit();
  expect(report.violations, JSON.stringify(report.checks, null, 2)).toBe(0);
}

const END_WITHIN_MS = 120_000;
const ASKED_AT_ONCE = 8;

async function endOf(system: ContainerSystem, id: string): Promise<string> {
  const deadlineAtMs = performance.now() + END_WITHIN_MS;
  let last = 'nothing';
  while (performance.now() < deadlineAtMs) {
    const answer = await send(system, 0, 'GET', `/v1/orders/${id}`);
    last = `${answer?.status} ${answer?.text}`;
    if (answer?.status === 404) return 'lost';
    const order =
      answer?.status === 200 ? (JSON.parse(answer.text) as { status: string; failure: unknown }) : undefined;
    if (order !== undefined && ['completed', 'failed', 'cancelled', 'parked'].includes(order.status)) {
      return order.status === 'completed' ? 'completed' : `${order.status}: ${JSON.stringify(order.failure)}`;
    }
    await delay(100);
  }
  throw new Error(`order ${id} has not ended within ${END_WITHIN_MS} ms: ${last}`);
}
