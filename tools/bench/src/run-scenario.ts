import type { Cluster } from '@holdfast/cluster';
import { startBare } from './bare.ts';
import { createDirect } from './direct.ts';
import { closedLoop, type Once, openLoop, percentile, type Seen } from './loops.ts';
import { type Beside, type Cost, Meter } from './meter.ts';
import type { Scenario } from './scenarios.ts';
import { openShop, type Shop } from './shop.ts';
import { createStatements } from './statements.ts';
import { keyMaker, type MakeKey, orders } from './workload.ts';

/** One run of one scenario. */
export interface Run {
  scenario: string;
  /** Orders (or replays) that ended, a second. */
  perSecond: number;
  ended: number;
  failed: number;
  firstFailure: string | null;
  statuses: Record<string, number>;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  mostMs: number;
  /** CPU microseconds an order, by process. */
  cpuUs: Record<string, number>;
  /** Of Postgres' part of it: by database, and by process of its own. */
  postgresUs: Record<string, number>;
  commits: number;
  fsyncs: number;
  walBytes: number;
  fullPages: number;
  residentMb: Record<string, number>;
}

export interface Pacing {
  seconds: number;
  warmUpSeconds: number;
  seed: number;
  /** Keys that carry no time. */
  randomKeys: boolean;
  /** For paced scenarios: requests a second. */
  perSecond: number;
}

// Enough that none is answered from a processor's cache alone.
const KNOWN_KEYS = 2_000;

/** Warms up, then measures. @throws Error when the load can't be sent at all */
export async function runScenario(cluster: Cluster, scenario: Scenario, pacing: Pacing): Promise<Run> {
  const { once, close, beside } = await driverOf(cluster, scenario, pacing);
  const meter = new Meter(cluster, beside);
  try {
    const load = (seconds: number): Promise<Seen> =>
      scenario.drive === 'paced'
        ? openLoop(once, pacing.perSecond, seconds)
        : closedLoop(once, scenario.clients, seconds);
    if (pacing.warmUpSeconds > 0) await load(pacing.warmUpSeconds);
    await meter.start();
    const seen = await load(pacing.seconds);
    return runOf(scenario, seen, await meter.lap());
  } finally {
    await meter.close();
    await close();
  }
}

async function driverOf(
  cluster: Cluster,
  scenario: Scenario,
  { seed, randomKeys }: Pacing,
): Promise<{ once: Once; close: () => Promise<void>; beside?: Beside }> {
  const source = orders({ ...scenario.workload, seed });
  const next = () => source.next().value;
  const makeKey = keyMaker(randomKeys);
  switch (scenario.drive) {
    case 'direct':
    case 'statements': {
      const direct =
        scenario.drive === 'direct' ? createDirect(cluster, makeKey) : await createStatements(cluster, makeKey);
      return { once: () => direct.place(next()), close: async () => direct.close() };
    }
    case 'bare': {
      const bare = await startBare();
      const shop = openShop({ ...cluster.run, http: bare.http }, scenario.clients, makeKey);
      const close = () => shop.close().finally(() => bare.close());
      return { once: () => shop.place(next()), close, beside: { bare: bare.pid } };
    }
    case 'replays': {
      const shop = openShop(cluster.run, scenario.clients, makeKey);
      return { once: await replaysOf(shop, next, makeKey), close: () => shop.close() };
    }
    case 'orders':
    case 'paced': {
      const shop = openShop(cluster.run, scenario.clients, makeKey);
      return { once: () => shop.place(next()), close: () => shop.close() };
    }
  }
}

/** Places some orders, and then sends their keys again and again. */
async function replaysOf(
  shop: Shop,
  next: () => ReturnType<ReturnType<typeof orders>['next']>['value'],
  makeKey: MakeKey,
): Promise<Once> {
  const known = Array.from({ length: KNOWN_KEYS }, () => ({ key: makeKey(), order: next() }));
  const waiting = known.values();
  const worker = async () => {
    for (const { key, order } of waiting) {
      const sold = await shop.place(order, key);
      if (sold.kind === 'failed') throw new Error(`an order to be replayed could not be placed: ${sold.why}`);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  let at = 0;
  return () => {
    const { key, order } = known[at++ % known.length] as (typeof known)[number];
    return shop.place(order, key);
  };
}

function runOf(scenario: Scenario, seen: Seen, cost: Cost): Run {
  const sorted = seen.latenciesMs.toSorted((a, b) => a - b);
  const ended = sorted.length;
  const each = (value: number) => value / Math.max(1, ended);
  const microsecondsEach = (used: Record<string, number>) =>
    Object.fromEntries(Object.entries(used).map(([name, seconds]) => [name, each(seconds * 1e6)]));
  return {
    scenario: scenario.name,
    perSecond: ended / seen.seconds,
    ended,
    failed: seen.failures.count,
    firstFailure: seen.failures.first,
    statuses: seen.statuses,
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
    mostMs: sorted.at(-1) ?? Number.NaN,
    cpuUs: microsecondsEach(cost.cpuSeconds),
    postgresUs: microsecondsEach(cost.postgresSeconds),
    commits: each(cost.commits),
    fsyncs: each(cost.fsyncs),
    walBytes: each(cost.walBytes),
    fullPages: each(cost.fullPages),
    residentMb: cost.residentMb,
  };
}
