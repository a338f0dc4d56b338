/** `npm run chaos`: real orders on real processes, under random faults of every kind; the auditor decides. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { auditSystem, auditTable, booksAt } from '@holdfast/auditor';
import { type Cluster, startCluster } from '@holdfast/cluster';
import { type FaultProxy, isRedisInstalled, startFaultProxy } from '@holdfast/testing';
import pg from 'pg';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { ChaosMonkey, PARTICIPANTS } from './faults.ts';
import { Clients } from './orders.ts';

const USAGE =
  'npm run chaos -- [--sagas N] [--seed S] [--concurrency C] [--in-flight N] [--lease MS] [--waiting PERCENT] [--refunded PERCENT] [--captured PERCENT]';
const EXIT_USAGE = 64;
const ORCHESTRATORS = 2;
const START_TIMEOUT_MS = 180_000;
const SAY_EVERY_MS = 5_000;
const COUNT_EVERY_MS = 200;
const ENDS_WITHIN_MS = 300_000;
/** How long a customer has to answer the bank. */
const PAYMENT_WINDOW_MS = 15_000;
const WEBHOOK_FAULTS = { lost: 0.2, doubled: 0.1, late: 0.2, lateMs: 1_000, beforeAnswer: 0.1 };
const EVENTS = isRedisInstalled() ? { ORDER_EVENTS: 'true' } : {};
const PROVIDER_FAULTS = { lostAnswer: 0.02, slow: 0.01, slowMs: 300, error500: 0.02, refused: 0.005 };
const UNENDED = `select count(*) as n from holdfast.sagas where ended_at is null`;
const SAGAS = `select concat_ws(' ', state, failure ->> 'reason') as state, count(*) as n
                 from holdfast.sagas group by 1 order by 2 desc`;

interface Options {
  sagas: number;
  seed: number;
  concurrency: number;
  /** Orders that have not ended, at most; about, since they are counted every COUNT_EVERY_MS. */
  inFlight: number;
  leaseMs: number;
  /** Of a hundred orders: whose customer has to answer the bank, and that are given back in parts. */
  waiting: number;
  refunded: number;
  captured: number;
}

// The cluster ends its processes when this one exits in an orderly way, which a signal is not by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const options = parse();
// Not by `process.exitCode`: Node was seen to spin for ever in closing connections that a fault had left half open, after
// everything here had ended.
process.exit(options === undefined ? EXIT_USAGE : await chaos(options));

function parse(): Options | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      options: {
        sagas: text,
        seed: text,
        concurrency: text,
        'in-flight': text,
        lease: text,
        waiting: text,
        refunded: text,
        captured: text,
      },
    });
    const parsed = {
      sagas: Number(values.sagas ?? 10_000),
      seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
      concurrency: Number(values.concurrency ?? 128),
      inFlight: Number(values['in-flight'] ?? 300),
      leaseMs: Number(values.lease ?? 1_500),
      waiting: Number(values.waiting ?? 33),
      refunded: Number(values.refunded ?? 33),
      captured: Number(values.captured ?? 20),
    };
    if (Object.values(parsed).every((n) => Number.isSafeInteger(n) && n >= 0)) return parsed;
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(USAGE);
  return undefined;
}

/** @returns the exit code */
async function chaos(options: Options): Promise<number> {
  const { sagas, seed, concurrency, inFlight, leaseMs, waiting, refunded, captured } = options;
  console.log(`${sagas} sagas, seed ${seed}, ${concurrency} clients, ${inFlight} in flight, leases of ${leaseMs} ms`);
  console.log(
    `${waiting}% wait for their customer, ${refunded}% are given back in parts, ${captured}% of the cards are captured at dispatch`,
  );
  const generator = xoroshiro128plus(seed);
  const nextStream = () => {
    const stream = generator.clone();
    generator.jump();
    return stream;
  };
  const proxies = await startProxies(nextStream());
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'));
  chmodSync(folder, 0o755);
  const cluster = await start(folder, proxies, leaseMs);
  try {
    const monkey = new ChaosMonkey(
      { cluster, proxies: proxies.byName, leaseMs, orchestrators: ORCHESTRATORS, say: console.log },
      nextStream(),
    );
    const shares = { waiting: waiting / 100, refunded: refunded / 100, captured: captured / 100 };
    const clients = new Clients(cluster, nextStream(), seed, shares);
    await clients.stockUp(sagas);
    await setProviderFaults(cluster, seed);
    const startedAt = performance.now();
    const watch = setInterval(() => console.log(progress(clients, monkey, startedAt)), SAY_EVERY_MS);
    monkey.start();
    const gate = openGate(cluster, inFlight);
    await clients.placeAll(sagas, concurrency, gate.room);
    gate.close();
    await monkey.stop();
    await clients.settled();
    clearInterval(watch);
    return await conclude(cluster, clients, monkey, startedAt);
  } finally {
    await cluster.stop();
    for (const proxy of proxies.byName.values()) await proxy.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Gate {
  room: () => Promise<void>;
  close: () => void;
}

/** Lets orders in while fewer than `inFlight` have not ended. */
function openGate(cluster: Cluster, inFlight: number): Gate {
  const closed = new AbortController();
  let places = inFlight;
  void (async () => {
    while (!closed.signal.aborted) {
      // While Postgres is away nobody ends, and those who have a place already are busy trying.
      const unended = await query<{ n: number }>(cluster, UNENDED).then(
        ([row]) => row?.n ?? inFlight,
        () => inFlight,
      );
      places = inFlight - unended;
      await delay(COUNT_EVERY_MS);
    }
  })();
  return {
    async room() {
      while (places <= 0) await delay(COUNT_EVERY_MS / 4);
      places -= 1;
    },
    close: () => closed.abort(),
  };
}

interface Proxies {
  byName: Map<string, FaultProxy>;
  targets: Map<string, number>;
}

/** They are there before what they stand for: its port is filled in later. */
async function startProxies(random: ReturnType<typeof xoroshiro128plus>): Promise<Proxies> {
  const [byName, targets] = [new Map<string, FaultProxy>(), new Map<string, number>()];
  for (const name of PARTICIPANTS) {
    const target = () => ({ host: '127.0.0.1', port: targets.get(name) ?? 0 });
    byName.set(name, await startFaultProxy({ target, random: () => uniformFloat64(random) }));
  }
  return { byName, targets };
}

async function start(folder: string, { byName, targets }: Proxies, leaseMs: number): Promise<Cluster> {
  const addressOf = (name: string) => byName.get(name)?.address;
  const cluster = await startCluster({
    stateDir: folder,
    orchestrators: ORCHESTRATORS,
    httpPort: 0,
    leaseMs,
    restartAtOnce: true,
    startTimeoutMs: START_TIMEOUT_MS,
    // Postgres is killed here, never the machine: what it has written is there, whether the disk has it or not.
    databaseSettings: { fsync: 'off' },
    // Webhooks bring orders forward by a stream in Redis; without it payment is asked.
    redis: isRedisInstalled(),
    env: {
      inventory: EVENTS,
      shipping: EVENTS,
      payment: { ...EVENTS, PAYMENT_WINDOW_MS: String(PAYMENT_WINDOW_MS) },
      orchestrator: {
        ...EVENTS,
        INVENTORY_ADDR: addressOf('inventory'),
        PAYMENT_ADDR: addressOf('payment'),
        SHIPPING_ADDR: addressOf('shipping'),
      },
    },
    say: (line) => console.log(line),
  });
  for (const { name, grpc } of cluster.run.services) targets.set(name, Number(grpc?.split(':')[1] ?? 0));
  return cluster;
}

async function setProviderFaults(cluster: Cluster, seed: number): Promise<void> {
  const response = await fetch(`${cluster.run.sandbox}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      seed: seed % 2 ** 31,
      payments: PROVIDER_FAULTS,
      carrier: PROVIDER_FAULTS,
      webhooks: WEBHOOK_FAULTS,
    }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`the sandbox refused its faults: ${await response.text()}`);
}

function progress(clients: Clients, monkey: ChaosMonkey, startedAt: number): string {
  const seconds = (performance.now() - startedAt) / 1_000;
  const faults = [...monkey.counts.values()].reduce((sum, n) => sum + n, 0);
  const rate = Math.round(clients.accepted / seconds);
  return `  ${seconds.toFixed(0).padStart(5)} s  ${clients.accepted} accepted (${rate}/s), ${faults} faults, ${clients.repeated} requests repeated`;
}

/** Waits for the last saga and audits. @returns the exit code */
async function conclude(cluster: Cluster, clients: Clients, monkey: ChaosMonkey, startedAt: number): Promise<number> {
  const calmAt = performance.now();
  const left = await untilAllEnded(cluster);
  const endedAt = performance.now();
  const report = await auditSystem(booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox));
  console.log(auditTable(report).join('\n'));
  const states = await query<{ state: string; n: number }>(cluster, SAGAS);
  const faults = [...monkey.counts]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, n]) => `  ${String(n).padStart(6)} ${kind}`);
  console.log(`faults\n${faults.join('\n')}`);
  console.log(`requests repeated ${clients.repeated}, cancels ${clients.cancels}`);
  console.log(
    `banks answered ${clients.answered}, refunds accepted ${clients.refunds}, authorised orders settled ${clients.settlements}`,
  );
  console.log(`sagas ${clients.accepted}: ${states.map(({ state, n }) => `${n} ${state}`).join(', ')}`);
  const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(1);
  console.log(
    `took ${seconds(startedAt, calmAt)} s under faults, then ${seconds(calmAt, endedAt)} s until all had ended`,
  );
  console.log(`not ended ${left}\nviolations ${report.violations}`);
  return report.violations === 0 && left === 0 ? 0 : 1;
}

/** @returns how many have not ended after all (S1) */
async function untilAllEnded(cluster: Cluster): Promise<number> {
  const deadlineAt = performance.now() + ENDS_WITHIN_MS;
  for (;;) {
    const left = await query<{ n: number }>(cluster, UNENDED).then(
      ([row]) => row?.n ?? -1,
      (error: Error) => {
        // Postgres may still be starting again from the last fault.
        console.log(`  the sagas could not be counted: ${error.message}`);
        return -1;
      },
    );
    if (left === 0 || performance.now() > deadlineAt) return left;
    await delay(500);
  }
}

async function query<Row extends object>(cluster: Cluster, text: string): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: cluster.databaseUrl('orchestrator'),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Row>(text);
    return rows.map((row) => ({ ...row, ...('n' in row && { n: Number(row.n) }) }));
  } finally {
    await client.end();
  }
}
