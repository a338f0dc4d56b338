/** `npm run contrast`: the same orders and faults, run by Holdfast and by three common patterns; how many end wrong? */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { auditSystem, booksAt } from '@holdfast/auditor';
import { type Cluster, startCluster } from '@holdfast/cluster';
import { createPool } from '@holdfast/postgres';
import { ACTIVITIES_SCHEMA } from './activities.ts';
import { STRIKES_SCHEMA } from './bad-network.ts';
import { judge, type Verdict } from './judge.ts';
import { CUSTOMER_ID, IN_STOCK, SOLD_OUT } from './orders.ts';
import { WAYS, type Way } from './patterns.ts';
import { faultTable, wrongTable } from './tables.ts';

const USAGE = 'npm run contrast -- [--orders N] [--seed S]';
const EXIT_USAGE = 64;
const START_TIMEOUT_MS = 180_000;
const RUN_TIMEOUT_MS = 600_000;
const PROGRAM = fileURLToPath(new URL('./orchestrator.ts', import.meta.url));

let running: ChildProcess | undefined;
// The cluster ends its processes when this one exits in an orderly way, which a signal is not by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.once('exit', () => running?.kill('SIGKILL'));

const options = parse();
process.exitCode = options === undefined ? EXIT_USAGE : await contrast(options);

interface Options {
  orders: number;
  seed: number;
}

function parse(): Options | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { orders: text, seed: text } });
    const parsed = {
      orders: Number(values.orders ?? 500),
      seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    };
    if (Object.values(parsed).every((n) => Number.isSafeInteger(n) && n >= 0) && parsed.orders > 0) return parsed;
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  return undefined;
}

/** @returns the exit code: 0 when Holdfast has no order that ended wrong */
async function contrast(options: Options): Promise<number> {
  const { orders, seed } = options;
  console.log(`${orders} orders each, seed ${seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-contrast-'));
  chmodSync(folder, 0o755);
  const cluster = await startCluster({
    stateDir: folder,
    httpPort: 0,
    startTimeoutMs: START_TIMEOUT_MS,
    // Processes die here, never the machine.
    databaseSettings: { fsync: 'off' },
  });
  try {
    await prepare(cluster, orders);
    const verdicts = new Map<Way, Verdict>();
    for (const way of WAYS) {
      const { deaths, tookMs } = await runOrders(cluster, way, options);
      const verdict = await judge(cluster, way, seed, orders);
      verdicts.set(way, verdict);
      const violations = await audit(cluster);
      console.log(
        `  ${way}: ${verdict.struck} orders struck, ${deaths} deaths, ${Math.round(tookMs / 1_000)} s; ` +
          `${verdict.wrong} wrong (the auditor's violations so far: ${violations})`,
      );
      // Holdfast comes first: the books of all services are its own until then.
      if (way === 'holdfast' && violations > 0) return 1;
    }
    console.log(`\n${[...wrongTable(verdicts), '', ...faultTable(verdicts)].join('\n')}`);
    return verdicts.get('holdfast')?.wrong === 0 ? 0 : 1;
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Stock and money enough for all, and the tables of the run. */
async function prepare(cluster: Cluster, orders: number): Promise<void> {
  const put = async (path: string, body: object) => {
    const response = await fetch(cluster.run.http + path, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${cluster.run.apiKey}`,
        'content-type': 'application/json',
        'idempotency-key': `stock-up-${randomUUID()}`,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`PUT ${path} was refused: ${response.status} ${await response.text()}`);
  };
  const item = { unitPrice: 250, currency: 'EUR' };
  await put(`/v1/stock/${IN_STOCK}`, { ...item, onHand: orders * WAYS.length });
  await put(`/v1/stock/${SOLD_OUT}`, { ...item, onHand: 0 });
  await put(`/v1/accounts/${CUSTOMER_ID}`, { balance: 1_000_000_000, currency: 'EUR' });
  const pool = createPool({ databaseUrl: cluster.databaseUrl('orchestrator'), applicationName: 'contrast', max: 1 });
  try {
    await pool.query(`create schema contrast; ${STRIKES_SCHEMA}; ${ACTIVITIES_SCHEMA}`);
  } finally {
    await pool.end();
  }
}

/** Starts the program again as often as it dies of its plan. @throws Error when it ends otherwise, or not in time */
async function runOrders(cluster: Cluster, way: Way, { orders, seed }: Options) {
  const startedAt = performance.now();
  const addressOf = (name: string) => cluster.run.services.find((service) => service.name === name)?.grpc ?? '';
  const env = {
    PATH: process.env.PATH,
    WAY: way,
    SEED: String(seed),
    ORDERS: String(orders),
    DATABASE_URL: cluster.databaseUrl('orchestrator'),
    INVENTORY_ADDR: addressOf('inventory'),
    PAYMENT_ADDR: addressOf('payment'),
    SHIPPING_ADDR: addressOf('shipping'),
    TLS_FILES: JSON.stringify(cluster.run.tls),
  };
  for (let deaths = 0; ; deaths++) {
    const leftMs = RUN_TIMEOUT_MS - (performance.now() - startedAt);
    const how = await ended(env, leftMs);
    if (how === 0) return { deaths, tookMs: performance.now() - startedAt };
    if (how !== 'SIGKILL' || leftMs <= 0) throw new Error(`${way}: the orchestrator ended with ${how}`);
  }
}

function ended(env: NodeJS.ProcessEnv, timeoutMs: number): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve, reject) => {
    running = spawn(process.execPath, [PROGRAM], { env, stdio: 'inherit' });
    const timer = setTimeout(() => running?.kill('SIGTERM'), Math.max(0, timeoutMs));
    running.once('error', reject);
    running.once('exit', (code, signal) => {
      clearTimeout(timer);
      running = undefined;
      resolve(signal ?? code);
    });
  });
}

async function audit(cluster: Cluster): Promise<number> {
  const { violations } = await auditSystem(booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox));
  return violations;
}
