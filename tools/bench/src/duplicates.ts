/**
 * `node tools/bench/src/duplicates.ts`: many keys, each sent many times at once over two replicas. Shows that every key has one
 * effect, how many duplicates got the real answer, and how long a request that has nothing to do with them waits, and anybody for a connection to the database.
 *
 *   --keys N (1000)  --copies N (100)  --rate N  requests a second (600); bursts of one key's copies are spread evenly
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from '@holdfast/cluster';
import { Pool } from 'undici';
import { percentile } from './load/loops.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000' },
    copies: { type: 'string', default: '100' },
    rate: { type: 'string', default: '600' },
  },
});
const KEYS = Number(values.keys);
const COPIES = Number(values.copies);
const RATE = Number(values.rate);
const IDLE_MS = 5_000;
/** Of each replica, to its database. */
const POOL = '16';
const CONNECTIONS = 256;

const WAIT_BUCKET = /^holdfast_database_wait_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\d+)$/gm;

class Waits {
  readonly counts: ReadonlyMap<number, number>;
  constructor(counts: ReadonlyMap<number, number>) {
    this.counts = counts;
  }
  minus(before: Waits): Waits {
    return new Waits(
      new Map([...this.counts].map(([bound, count]) => [bound, count - (before.counts.get(bound) ?? 0)])),
    );
  }
  get total(): number {
    return this.counts.get(Number.POSITIVE_INFINITY) ?? 0;
  }
  /** The bound that so many of all stay within, in milliseconds. */
  withinMs(share: number): number {
    const bounds = [...this.counts].toSorted(([a], [b]) => a - b);
    return 1_000 * (bounds.find(([, count]) => count >= share * this.total)?.[0] ?? Number.POSITIVE_INFINITY);
  }
}

interface Answer {
  status: number;
  text: string;
  replayed: boolean;
}

const stateDir = mkdtempSync(join(tmpdir(), 'holdfast-duplicates-'));
// Postgres, which root has to run as another user, would keep its data elsewhere otherwise, and leave it there.
chmodSync(stateDir, 0o755);
const cluster = await startCluster({
  stateDir,
  httpPort: 0,
  orchestrators: 2,
  participants: 2,
  env: { orchestrator: { DATABASE_POOL: POOL } },
});
const urls = cluster.run.services.flatMap(({ name, http }) => (name === 'orchestrator' ? [http] : []));
const opsUrls = cluster.run.services.flatMap(({ name, ops }) => (name === 'orchestrator' ? [ops] : []));
const replicas = urls.map((url) => new Pool(url, { connections: CONNECTIONS }));
try {
  process.exitCode = await measure(cluster);
} finally {
  await Promise.all(replicas.map((replica) => replica.close()));
  await cluster.stop();
  rmSync(stateDir, { recursive: true, force: true });
}

/** @returns the exit code: 0 when every key has one effect */
async function measure({ run }: Cluster): Promise<number> {
  await put('/v1/stock/tea', { onHand: 10 * KEYS, unitPrice: 1, currency: 'EUR' });
  await put('/v1/accounts/ada', { balance: 10 * KEYS, currency: 'EUR' });
  const stranger = await send(0, `stranger-${Date.now()}`, 'wait=5');
  const orderId = (JSON.parse(stranger.text) as { id: string }).id;
  const idle = await unrelated(urls, run.apiKey, orderId, () => delay(IDLE_MS));
  const waitsBefore = await poolWaits();
  const startedMs = performance.now();
  let answers: Answer[][] = [];
  const beside = await unrelated(urls, run.apiKey, orderId, async () => {
    answers = await sendAll();
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  return await report(answers, { idle, beside }, (await poolWaits()).minus(waitsBefore), seconds);
}

/** Of all callers of both replicas' pools, how many have had a connection within so many seconds. */
async function poolWaits(): Promise<Waits> {
  const pages = await Promise.all(opsUrls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
  const counts = new Map<number, number>();
  for (const [, bound = '', count = ''] of pages.join('\n').matchAll(WAIT_BUCKET)) {
    const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    counts.set(seconds, (counts.get(seconds) ?? 0) + Number(count));
  }
  return new Waits(counts);
}

/** Every key's copies at once, over both replicas; one key after the other at the given rate. */
async function sendAll(): Promise<Answer[][]> {
  const startedMs = performance.now();
  const keys = Array.from({ length: KEYS }, async (_, at) => {
    await delay(Math.max((at * COPIES * 1_000) / RATE - (performance.now() - startedMs), 1));
    const key = `duplicates-${startedMs}-${at}`;
    return await Promise.all(Array.from({ length: COPIES }, (_, copy) => send(copy, key, 'wait=5')));
  });
  return await Promise.all(keys);
}

async function send(replica: number, key: string, prefer: string): Promise<Answer> {
  const { statusCode, headers, body } = await poolOf(replica).request({
    method: 'POST',
    path: '/v1/orders',
    headers: { ...authorized(), 'idempotency-key': key, prefer },
    body: JSON.stringify({
      customerId: 'ada',
      currency: 'EUR',
      items: [{ sku: 'tea', quantity: 1 }],
      payment: { method: 'balance' },
      shipTo: { name: 'Ada', line1: 'Main Street 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
    }),
  });
  return { status: statusCode, text: await body.text(), replayed: headers['idempotent-replayed'] === 'true' };
}

async function put(path: string, body: object): Promise<void> {
  const headers = { ...authorized(), 'idempotency-key': `stock-up-${randomUUID()}` };
  const reply = await poolOf(0).request({ method: 'PUT', path, headers, body: JSON.stringify(body) });
  if (reply.statusCode !== 200) throw new Error(`PUT ${path}: ${reply.statusCode} ${await reply.body.text()}`);
  await reply.body.dump();
}

async function get<T>(path: string): Promise<T> {
  const { body } = await poolOf(0).request({ method: 'GET', path, headers: authorized() });
  return (await body.json()) as T;
}

function poolOf(replica: number): Pool {
  const pool = replicas[replica % replicas.length];
  if (pool === undefined) throw new Error('no orchestrator runs');
  return pool;
}

function authorized(): Record<string, string> {
  return { authorization: `Bearer ${cluster.run.apiKey}`, 'content-type': 'application/json' };
}

/** Latencies in milliseconds of a query that runs beside `work`, from a process of its own, sorted. */
async function unrelated(of: string[], apiKey: string, id: string, work: () => Promise<unknown>): Promise<number[]> {
  const prober: ChildProcess = fork(fileURLToPath(new URL('./keys/unrelated.ts', import.meta.url)), [
    apiKey,
    id,
    ...of,
  ]);
  await once(prober, 'message');
  await work();
  prober.send('stop');
  const [latencies] = (await once(prober, 'message')) as [number[]];
  await once(prober, 'exit');
  return latencies.toSorted((a, b) => a - b);
}

async function report(
  answers: Answer[][],
  { idle, beside }: { idle: number[]; beside: number[] },
  waits: Waits,
  seconds: number,
): Promise<number> {
  await delay(1_000);
  const stock = await get<{ reserved: number }>('/v1/stock/tea');
  const account = await get<{ balance: number }>('/v1/accounts/ada');
  const wrong = answers.filter((copies) => {
    const done = copies.filter(({ status }) => status === 201);
    const isOnce = done.filter(({ replayed }) => !replayed).length === 1;
    return !isOnce || new Set(done.map(({ text }) => text)).size !== 1;
  });
  const duplicates = answers.flatMap((copies) => copies.filter(({ status, replayed }) => status !== 201 || replayed));
  const real = duplicates.filter(({ status }) => status === 201).length;
  const [held, spent] = [stock.reserved - 1, 10 * KEYS - account.balance - 1];
  const line = (name: string, latencies: number[]) =>
    `  ${name}: p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${percentile(latencies, 0.99).toFixed(1)} ms (${latencies.length})`;
  console.log(
    [
      `${KEYS} keys, ${COPIES} copies each, over two replicas: ${KEYS * COPIES} requests in ${seconds.toFixed(1)} s`,
      `  effects: ${held} reserved, ${spent} charged; keys that were not answered as one: ${wrong.length}`,
      `  duplicates that got the real answer: ${real} of ${duplicates.length} (${((100 * real) / duplicates.length).toFixed(2)} %)`,
      line('an unrelated GET over HTTP, idle', idle),
      line('an unrelated GET over HTTP, beside them', beside),
      `  a connection of the pool of ${POOL}: 99 % within ${waits.withinMs(0.99)} ms, 99.9 % within ${waits.withinMs(0.999)} ms (${waits.total})`,
    ].join('\n'),
  );
  return held === KEYS && spent === KEYS && wrong.length === 0 ? 0 : 1;
}
