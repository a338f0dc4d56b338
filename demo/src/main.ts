/** `npm run demo`: the whole system, real orders, real kills; and at the end, do the books add up? */
import { setTimeout as delay } from 'node:timers/promises';
import { auditSystem, type Cluster, startCluster } from '@holdfast/testkit';
import { DEMO_USAGE, type DemoOptions, parseDemoArguments } from './arguments.ts';
import { openShop } from './catalogue.ts';
import { Chaos, planKills, providerFaultCounts, setProviderFaults } from './chaos.ts';
import { showProgress } from './live-view.ts';
import { newOrders, SHOP_SIZE } from './new-order.ts';
import { Progress } from './progress.ts';
import { type RandomStreams, randomStreams } from './random.ts';
import { findings, type RunResult, reportLines } from './report.ts';
import { buy, request, type Shop } from './shop.ts';

/** `EX_USAGE` of sysexits.h. */
const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;
const LEASE_MS = 2_000;
const SETTLE_TIMEOUT_MS = 60_000;
const SETTLE_POLL_MS = 200;
const PAGE = 100;

const say = (line = '') => console.log(line);
const parsed = parseDemoArguments(process.argv.slice(2));
if (parsed.kind === 'help') {
  say(DEMO_USAGE);
} else if (parsed.kind === 'wrong') {
  console.error(`${parsed.message}\n\n${DEMO_USAGE}`);
  process.exitCode = EXIT_USAGE;
} else {
  process.exit(await demo(parsed.options));
}

/** @returns the exit code */
async function demo(options: DemoOptions): Promise<number> {
  const startedAtMs = performance.now();
  const interrupted = onInterrupt();
  say(`Holdfast demo: ${options.orders} orders, ${options.concurrency} customers at a time, seed ${options.seed}`);
  say('starting Postgres and five services …');
  let cluster: Cluster;
  try {
    cluster = await startCluster({ clean: true, leaseMs: LEASE_MS, say, signal: interrupted });
  } catch (error) {
    if (interrupted.aborted) return EXIT_INTERRUPTED;
    console.error(`could not start: ${(error as Error).message}`);
    return 1;
  }
  try {
    const result = await run(cluster, options, interrupted);
    if (interrupted.aborted) return EXIT_INTERRUPTED;
    const found = findings(result);
    say();
    for (const line of reportLines(result, process.stdout.columns ?? 120)) say(line);
    say();
    for (const finding of found.slice(0, 20)) say(`✘ ${finding}`);
    say(verdict(found, options, (performance.now() - startedAtMs) / 1_000, cluster.stateDir));
    if (options.stay) await stayUp(cluster, interrupted);
    return found.length === 0 ? 0 : 1;
  } finally {
    await cluster.stop();
  }
}

function verdict(found: string[], options: DemoOptions, seconds: number, stateDir: string): string {
  if (found.length === 0)
    return `Nothing charged twice, nothing oversold, nothing lost. ${seconds.toFixed(0)} s in all.`;
  return [
    `${found.length} findings with seed ${options.seed}. All state is kept in ${stateDir}:`,
    '  npm run up      starts the system on it again',
    '  npm run audit   (in another terminal) checks the books again',
    `  ${stateDir}/logs holds what every process said`,
  ].join('\n');
}

function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    // The second time somebody is impatient; what still runs ends with this process.
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

async function run(cluster: Cluster, options: DemoOptions, signal: AbortSignal): Promise<RunResult> {
  const streams = randomStreams(options.seed);
  const shopOf = (progress: Progress): Shop => ({
    http: cluster.run.http,
    apiKey: cluster.run.apiKey,
    runId: `demo-${options.seed}`,
    random: streams.retries,
    progress,
    signal,
  });
  say(`listing ${SHOP_SIZE.items} items and opening ${SHOP_SIZE.customers} accounts …`);
  await openShop(shopOf(new Progress(0)), streams.catalogue, SHOP_SIZE);
  await setProviderFaults(cluster.run.sandbox, streams.faults, options.faults);
  const progress = new Progress(options.orders);
  const shop = shopOf(progress);
  const answered = await buyAll(cluster, shop, options, streams);
  await setProviderFaults(cluster.run.sandbox, streams.faults, false);
  const unfinished = await settle(shop);
  say('checking the books …');
  return {
    progress,
    answered,
    unfinished,
    booked: (await listIds(shop, '')).length,
    faults: await providerFaultCounts(cluster.run.sandbox),
    audit: await auditSystem({
      orchestrator: cluster.databaseUrl('orchestrator'),
      inventory: cluster.databaseUrl('inventory'),
      payment: cluster.databaseUrl('payment'),
      shipping: cluster.databaseUrl('shipping'),
      sandboxUrl: cluster.run.sandbox,
    }),
  };
}

/** @returns how many orders were answered with an order */
async function buyAll(cluster: Cluster, shop: Shop, options: DemoOptions, streams: RandomStreams): Promise<number> {
  const { progress } = shop;
  const chaos = new Chaos(cluster, progress, options.faults ? planKills(streams.kills, options.orders) : []);
  const orders = newOrders(streams.orders, options.orders);
  const ids = new Set<string>();
  const endView = showProgress(progress, process.stdout);
  const customer = async () => {
    for (const order of orders) {
      if (shop.signal.aborted) return;
      progress.begun += 1;
      chaos.orderBegun();
      const id = await buy(shop, order);
      if (id !== undefined) ids.add(id);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency }, customer));
    await chaos.ended();
  } finally {
    endView();
  }
  return ids.size;
}

/** Waits until no order is under way. @returns those that still are when the wait is given up */
async function settle(shop: Shop): Promise<string[]> {
  const deadlineAtMs = performance.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const open = [...(await listIds(shop, 'status=processing')), ...(await listIds(shop, 'status=compensating'))];
    if (open.length === 0 || performance.now() > deadlineAtMs || shop.signal.aborted) return open;
    await delay(SETTLE_POLL_MS);
  }
}

async function listIds(shop: Shop, filter: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ''; cursor !== null && !shop.signal.aborted; ) {
    const query = [`limit=${PAGE}`, filter, cursor && `cursor=${cursor}`].filter(Boolean).join('&');
    const reply = await request(shop, 'GET', `/v1/orders?${query}`);
    if (reply?.status !== 200) throw new Error(`the orders can’t be listed: ${reply?.text ?? 'no answer'}`);
    const page = JSON.parse(reply.text) as { orders: { id: string }[]; nextCursor: string | null };
    ids.push(...page.orders.map((order) => order.id));
    cursor = page.nextCursor;
  }
  return ids;
}

async function stayUp(cluster: Cluster, interrupted: AbortSignal): Promise<void> {
  say(
    `\nThe system stays up at ${cluster.run.http} until Ctrl-C; ${cluster.stateDir}/run.json tells where everything is.`,
  );
  await new Promise<void>((resolve) => {
    if (interrupted.aborted) resolve();
    else interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
}
