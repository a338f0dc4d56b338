/* Orders that are under way when a process dies: placed, accepted, and held up at the card provider. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@holdfast/cluster';

const REQUEST_TIMEOUT_MS = 20_000;
const RETRY_MS = 50;
const AT_ONCE = 40;
/** What holds orders under way until they are let go. */
export const HOLD_MS = 1_500;

export interface Order {
  total: number | null;
}

export const INPUT = {
  customerId: 'ann',
  currency: 'EUR',
  items: [{ sku: 'apple', quantity: 1 }],
  payment: { method: 'pm_card_visa' },
  shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
};

/** @throws Error when stock or account could not be set */
export async function stockUp(cluster: Cluster): Promise<void> {
  for (const [path, body] of [
    ['/v1/stock/apple', { onHand: 10_000_000, unitPrice: 250, currency: 'EUR' }],
    ['/v1/accounts/ann', { balance: 1_000_000_000, currency: 'EUR' }],
  ] as const) {
    const answer = await send(cluster, 0, 'PUT', path, { body, key: `stock-up-${randomUUID()}` });
    if (answer?.status !== 200) throw new Error(`${path} could not be set: ${answer?.status}`);
  }
}

/** Cards answer late, or no longer late, from now on. @throws Error when the sandbox does not take it */
export async function holdCards(cluster: Cluster, hold: boolean): Promise<void> {
  const none = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };
  const response = await fetch(`${cluster.run.sandbox}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      seed: 1,
      payments: { ...none, slow: hold ? 1 : 0, slowMs: hold ? HOLD_MS : 0 },
      carrier: none,
    }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`the sandbox refused its faults: ${await response.text()}`);
}

/** Places so many orders at one orchestrator. @returns their ids */
export async function placeAt(cluster: Cluster, replica: number, amount: number): Promise<string[]> {
  const ids: string[] = [];
  let left = amount;
  const client = async () => {
    while (left-- > 0) ids.push((await untilAccepted(cluster, () => replica, INPUT)).id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return ids;
}

/** Clients that place one order after the other, at any orchestrator that answers, until they are told to stop. */
export function keepBusy(cluster: Cluster, clients: number, orchestrators: number): { stop(): Promise<number> } {
  let over = false;
  let placed = 0;
  const input = { ...INPUT, payment: { method: 'balance' } };
  const client = async (at: number) => {
    let turn = at;
    while (!over) {
      await untilAccepted(cluster, () => turn++ % orchestrators, input, 'wait=5');
      placed += 1;
    }
  };
  const running = Promise.all(Array.from({ length: clients }, (_, at) => client(at)));
  return {
    async stop() {
      over = true;
      await running;
      return placed;
    },
  };
}

/** Under one key until it is accepted, whoever dies meanwhile. */
async function untilAccepted(
  cluster: Cluster,
  replica: () => number,
  body: object,
  prefer?: string,
): Promise<{ id: string }> {
  const key = `failover-${randomUUID()}`;
  for (;;) {
    const answer = await send(cluster, replica(), 'POST', '/v1/orders', { body, key, ...(prefer && { prefer }) });
    if (answer?.status === 201) return answer.body as { id: string };
    if (answer !== undefined && answer.status < 500 && ![409, 429].includes(answer.status)) {
      throw new Error(`an order was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    await delay(RETRY_MS);
  }
}

/** @returns undefined when nobody answered */
export async function send(
  cluster: Cluster,
  replica: number,
  method: string,
  path: string,
  { body, key, prefer }: { body?: object; key?: string; prefer?: string } = {},
): Promise<{ status: number; body: unknown } | undefined> {
  const { http } = cluster.run.services.filter(({ name }) => name === 'orchestrator')[replica] as { http: string };
  try {
    const response = await fetch(http + path, {
      method,
      headers: {
        authorization: `Bearer ${cluster.run.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(prefer !== undefined && { prefer }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    // Killed, or standing still: the request is sent again under the same key.
    return undefined;
  }
}
