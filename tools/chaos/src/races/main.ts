/** `npm run races`: orders by card whose customer, provider, clock and shop all act at once, on real processes. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { auditSystem, auditTable, booksAt } from '@holdfast/auditor';
import { type Cluster, startCluster } from '@holdfast/cluster';
import { isRedisInstalled } from '@holdfast/testing';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { raceOrders } from './race-orders.ts';

const USAGE = 'npm run races -- [--orders N] [--seed S] [--concurrency C]';
const EXIT_USAGE = 64;
const WINDOW_MS = 2_000;
const SPAN_MS = 2_500;
const EVENTS = { ORDER_EVENTS: 'true' };
const WEBHOOKS = { lost: 0.2, doubled: 0.2, late: 0.3, lateMs: 3_000, beforeAnswer: 0.2 };
const PAYMENTS = { lostAnswer: 0.02, slow: 0.02, slowMs: 300, error500: 0.02, refused: 0.005 };
const NONE = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const options = parse();
process.exit(options === undefined ? EXIT_USAGE : await main(options));

interface Options {
  orders: number;
  seed: number;
  concurrency: number;
}

function parse(): Options | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { orders: text, seed: text, concurrency: text } });
    const parsed = {
      orders: Number(values.orders ?? 10_000),
      seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
      concurrency: Number(values.concurrency ?? 256),
    };
    if (Object.values(parsed).every((n) => Number.isSafeInteger(n) && n >= 0)) return parsed;
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  return undefined;
}

/** @returns the exit code */
async function main({ orders, seed, concurrency }: Options): Promise<number> {
  const withRedis = isRedisInstalled();
  const how = withRedis ? 'webhooks and events on' : 'without Redis: webhooks off, asking by itself only';
  console.log(`${orders} races, seed ${seed}, ${concurrency} at a time, ${how}`);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-races-'));
  chmodSync(folder, 0o755);
  const cluster = await start(folder, withRedis);
  try {
    await setFaults(cluster, seed);
    const generator = xoroshiro128plus(seed);
    const startedAtMs = performance.now();
    const result = await raceOrders(
      { http: cluster.run.http, apiKey: cluster.run.apiKey, sandbox: cluster.run.sandbox },
      { orders, concurrency, name: `seed-${seed}`, spanMs: SPAN_MS, random: () => uniformFloat64(generator) },
    );
    console.log(`${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s`);
    for (const [status, count] of [...result.ended].sort(([, a], [, b]) => b - a)) console.log(`${count} ${status}`);
    console.log(`${result.givenBack} charges were taken and given back`);
    for (const wrong of result.wrong.slice(0, 20)) console.log(`✘ ${wrong}`);
    const audit = await auditSystem(booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox));
    for (const line of auditTable(audit, process.stdout.columns ?? 120)) console.log(line);
    return result.wrong.length === 0 && audit.violations === 0 ? 0 : 1;
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(stateDir: string, withRedis: boolean): Promise<Cluster> {
  const events = withRedis ? EVENTS : {};
  return startCluster({
    stateDir,
    httpPort: 0,
    orchestrators: 2,
    participants: 2,
    redis: withRedis,
    env: {
      orchestrator: events,
      inventory: events,
      shipping: events,
      payment: { ...events, PAYMENT_WINDOW_MS: String(WINDOW_MS) },
    },
  });
}

async function setFaults(cluster: Cluster, seed: number): Promise<void> {
  const settings = { seed: seed % 2 ** 31, payments: PAYMENTS, carrier: NONE, webhooks: WEBHOOKS };
  const response = await fetch(`${cluster.run.sandbox}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...settings, bank: { settleMs: 800, refundMs: 500 } }),
  });
  if (!response.ok) throw new Error(`the sandbox refused its faults: ${await response.text()}`);
}
