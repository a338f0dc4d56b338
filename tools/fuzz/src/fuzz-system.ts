import { setTimeout as delay } from 'node:timers/promises';
import { auditSystem, booksAt } from '@holdfast/auditor';
import type { Cluster } from '@holdfast/cluster';
import { Findings, Tally } from './findings.ts';
import { fuzzHttp, fuzzWire, type HttpTarget } from './http-fuzz.ts';
import type { Known } from './schema-values.ts';

export interface FuzzOptions {
  seed: number;
  /** Of each part. */
  seconds: number;
  concurrency?: number;
  say?: (line: string) => void;
}

export interface FuzzReport {
  findings: Findings;
  http: Tally;
  wire: Tally;
  /** What the auditor found wrong afterwards. */
  violations: number;
}

/** What the system must be started with: payments that nobody confirms must end before the audit. */
export const FUZZED_ENV = {
  orchestrator: { ORDER_DEADLINE_MS: '10000', PAYMENT_WAIT_MS: '10000' },
  payment: { PAYMENT_WINDOW_MS: '2000' },
};

const KNOWN: Known = {
  sku: ['apple', 'pear', 'unlisted'],
  customerId: ['ann', 'poor', 'unopened'],
  currency: ['EUR', 'EUR', 'USD'],
  method: ['balance', 'balance', 'pm_card_visa', 'pm_card_chargeDeclined', 'card'],
  country: ['DE', 'HK', 'US'],
};
const CATALOGUE = [
  ['/v1/stock/apple', { onHand: 1_000_000, unitPrice: 250, currency: 'EUR' }],
  ['/v1/stock/pear', { onHand: 1_000_000, unitPrice: 99, currency: 'EUR' }],
  ['/v1/accounts/ann', { balance: 100_000_000, currency: 'EUR' }],
  ['/v1/accounts/poor', { balance: 10, currency: 'EUR' }],
] as const;
const ORDERS = 10;
const ENDS_WITHIN_MS = 60_000;
const POLL_MS = 200;

/** Fuzzes a running system part by part, waits until its orders have ended, and has it audited. */
export async function fuzzSystem(cluster: Cluster, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, seconds, concurrency = 16, say = () => {} } = options;
  const run = { seed, seconds, concurrency };
  const { http, apiKey } = cluster.run;
  const [findings, httpTally, wireTally] = [new Findings(), new Tally(), new Tally()];
  const target: HttpTarget = { http, apiKey, known: { ...KNOWN, id: await setUp(cluster) } };
  await fuzzHttp(target, run, findings, httpTally);
  say(`HTTP: ${httpTally.total} requests (${httpTally})`);
  await fuzzWire(target, run, findings, wireTally);
  say(`bytes: ${wireTally.total} requests (${wireTally})`);
  await untilEnded(cluster);
  const violations = await audited(cluster);
  say(`audit: ${violations} violations`);
  return { findings, http: httpTally, wire: wireTally, violations };
}

/** @returns the ids of orders that there are */
async function setUp({ run }: Cluster): Promise<string[]> {
  const send = async (method: string, path: string, body: object, headers: object = {}) => {
    const response = await fetch(run.http + path, {
      method,
      headers: { authorization: `Bearer ${run.apiKey}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { id: string };
  };
  for (const [path, body] of CATALOGUE) await send('PUT', path, body);
  const order = {
    customerId: 'ann',
    currency: 'EUR',
    items: [{ sku: 'apple', quantity: 1 }],
    payment: { method: 'balance' },
    shipTo: { name: 'Ann', line1: 'Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
  };
  const keys = Array.from({ length: ORDERS }, (_, at) => `fuzz-order-0123456789-${at}`);
  const placed = keys.map((key) => send('POST', '/v1/orders', order, { 'idempotency-key': key, prefer: 'wait=20' }));
  return (await Promise.all(placed)).map(({ id }) => id);
}

/** @throws Error when an order does not end by itself */
async function untilEnded({ run }: Cluster): Promise<void> {
  const headers = { authorization: `Bearer ${run.apiKey}` };
  const isLive = async (status: string) => {
    const response = await fetch(`${run.http}/v1/sagas?limit=1&status=${status}`, { headers });
    const { sagas } = (await response.json()) as { sagas: unknown[] };
    return sagas.length > 0;
  };
  const endsAtMs = performance.now() + ENDS_WITHIN_MS;
  for (const status of ['processing', 'waiting', 'compensating']) {
    while (await isLive(status)) {
      if (performance.now() > endsAtMs) throw new Error(`orders are still ${status} after ${ENDS_WITHIN_MS} ms`);
      await delay(POLL_MS);
    }
  }
}

async function audited(cluster: Cluster): Promise<number> {
  const report = await auditSystem(booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox));
  return report.violations;
}
