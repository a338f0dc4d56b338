/** The demo's load against a running system, wherever it runs: opens the shop, places orders while things break, checks the books. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AuditSources, auditSystem } from '@holdfast/auditor';
import type { DemoOptions } from './arguments.ts';
import { Chaos, planKills, providerFaultCounts, type Strikes, setProviderFaults } from './chaos.ts';
import { showProgress } from './live-view.ts';
import { openShop } from './orders/catalogue.ts';
import { newOrders, SHOP_SIZE } from './orders/new-order.ts';
import type { OrderStatus } from './orders/order-body.ts';
import { type RandomStreams, randomStreams } from './orders/random.ts';
import { Progress } from './progress.ts';
import type { RunResult } from './report.ts';
import { request, type Shop } from './requests.ts';
import { buy } from './shop.ts';

/** The system that is loaded. */
export interface Target {
  /** Of the API. */
  http: string;
  apiKey: string;
  /** Begins every key, beside the seed: another name places the same orders anew. */
  runName: string;
  /** Of the sandbox. */
  sandbox: string;
  /** Whether payments that nobody confirms end within seconds. */
  endsUnconfirmed: boolean;
  books: AuditSources;
  chaos: Strikes;
}

const SETTLE_TIMEOUT_MS = 60_000;
const SETTLE_POLL_MS = 200;
const PAGE = 100;
const UNENDED: readonly OrderStatus[] = ['processing', 'awaiting_payment', 'compensating'];

/** @throws Error when the system cannot be asked or audited */
export async function runLoad(
  target: Target,
  options: DemoOptions,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<RunResult> {
  const streams = randomStreams(options.seed);
  const shopOf = (progress: Progress): Shop => ({
    http: target.http,
    apiKey: target.apiKey,
    runId: `${target.runName}-${options.seed}`,
    random: streams.retries,
    sandbox: target.sandbox,
    endsUnconfirmed: target.endsUnconfirmed,
    progress,
    signal,
  });
  say(`listing ${SHOP_SIZE.items} items and opening ${SHOP_SIZE.customers} accounts …`);
  await openShop(shopOf(new Progress(0, target.chaos.plural)), streams.catalogue, SHOP_SIZE);
  await setProviderFaults(target.sandbox, streams.faults, options.faults);
  const progress = new Progress(options.orders, target.chaos.plural);
  const shop = shopOf(progress);
  const before = await listIds(shop, '');
  const answered = await buyAll(target, shop, options, streams);
  await setProviderFaults(target.sandbox, streams.faults, false);
  const unfinished = await settle(shop);
  say('checking the books …');
  return {
    progress,
    answered,
    unfinished,
    strikes: target.chaos.kind,
    booked: (await listIds(shop, '')).length - before.length,
    faults: await providerFaultCounts(target.sandbox),
    audit: await auditSystem(target.books),
  };
}

/** @returns how many orders were answered with an order */
async function buyAll(target: Target, shop: Shop, options: DemoOptions, streams: RandomStreams): Promise<number> {
  const { progress } = shop;
  const chaos = new Chaos(target.chaos, progress, options.faults ? planKills(streams.kills, options.orders) : []);
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
    const open: string[] = [];
    for (const status of UNENDED) open.push(...(await listIds(shop, `status=${status}`)));
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
