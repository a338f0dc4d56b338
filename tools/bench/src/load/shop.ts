import { randomUUID } from 'node:crypto';
import type { Cluster } from '@holdfast/cluster';
import { type Dispatcher, Pool } from 'undici';
import { CURRENCY, CUSTOMERS, catalogue, customerOf, type MakeKey, type OrderRequest } from './workload.ts';

const PLENTY = 1_000_000_000;
const RICH = 100_000_000_000;
const REQUEST_TIMEOUT_MS = 30_000;
const AT_ONCE = 16;

export type Sold = { kind: 'ended'; status: string } | { kind: 'failed'; why: string };

/** The system under load, as its customers see it. One connection per customer at most. */
export interface Shop {
  /** Places an order and waits for its end. Counts as ended only when its terminal status was told. */
  place(order: OrderRequest, key?: string): Promise<Sold>;
  close(): Promise<void>;
}

export function openShop(
  { http, apiKey }: Pick<Cluster['run'], 'http' | 'apiKey'>,
  connections: number,
  makeKey: MakeKey,
): Shop {
  const pool = new Pool(http, {
    connections,
    headersTimeout: REQUEST_TIMEOUT_MS,
    bodyTimeout: REQUEST_TIMEOUT_MS,
  });
  const authorization = `Bearer ${apiKey}`;
  return {
    async place(order, key = makeKey()) {
      const { statusCode, text } = await send(pool, {
        path: '/v1/orders',
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', 'idempotency-key': key, prefer: 'wait=20' },
        body: JSON.stringify(order),
      });
      if (statusCode !== 201) return { kind: 'failed', why: `${statusCode} ${text.slice(0, 300)}` };
      const { status } = JSON.parse(text) as { status: string };
      return TERMINAL.has(status) ? { kind: 'ended', status } : { kind: 'failed', why: `the order is still ${status}` };
    },
    close: () => pool.close(),
  };
}

/** As `pool.request`, without its streams: a load generator takes its share of the machine that it measures. */
function send(pool: Pool, request: Dispatcher.DispatchOptions): Promise<{ statusCode: number; text: string }> {
  return new Promise((resolve, reject) => {
    let statusCode = 0;
    const chunks: Buffer[] = [];
    pool.dispatch(request, {
      onRequestStart() {},
      onResponseStart(_controller, status) {
        statusCode = status;
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk);
      },
      onResponseEnd() {
        const [first, ...rest] = chunks;
        resolve({ statusCode, text: (rest.length === 0 && first ? first : Buffer.concat(chunks)).toString() });
      },
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

const TERMINAL = new Set(['completed', 'failed', 'cancelled']);

/** Lists everything that the workloads order and opens their customers' accounts. @throws Error when that is refused */
export async function stockUp(cluster: Cluster): Promise<void> {
  const puts: [string, object][] = [];
  for (const sku of catalogue()) {
    puts.push([`/v1/stock/${sku}`, { onHand: PLENTY, unitPrice: 100, currency: CURRENCY }]);
  }
  for (let customer = 0; customer < CUSTOMERS; customer++) {
    puts.push([`/v1/accounts/${customerOf(customer, false)}`, { balance: RICH, currency: CURRENCY }]);
    puts.push([`/v1/accounts/${customerOf(customer, true)}`, { balance: 0, currency: CURRENCY }]);
  }
  const pool = new Pool(cluster.run.http, { connections: AT_ONCE });
  const next = puts.values();
  const worker = async () => {
    for (const [path, body] of next) {
      const reply = await pool.request({
        path,
        method: 'PUT',
        headers: {
          authorization: `Bearer ${cluster.run.apiKey}`,
          'content-type': 'application/json',
          'idempotency-key': `stock-up-${randomUUID()}`,
        },
        body: JSON.stringify(body),
      });
      const text = await reply.body.text();
      if (reply.statusCode !== 200) throw new Error(`PUT ${path} was answered ${reply.statusCode} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await pool.close();
}

/** Places that many, a few at a time, and waits for their ends. @throws Error when one does not end */
export async function placeAll(
  cluster: Cluster,
  source: Iterator<OrderRequest>,
  { count, makeKey }: { count: number; makeKey: MakeKey },
): Promise<void> {
  const shop = openShop(cluster.run, AT_ONCE, makeKey);
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const sold = await shop.place(source.next().value);
      if (sold.kind === 'failed') throw new Error(`an order could not be placed: ${sold.why}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    await shop.close();
  }
}
