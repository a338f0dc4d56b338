/*
 * Orders whose customer, provider, clock and shop all act at once: the customer confirms, the provider's webhooks arrive in any
 * order or not at all, payment asks by itself, the customer's time runs out, and the shop cancels.
 *
 * A1  When everything has arrived, an order that is completed has one charge, and any other has none.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface RaceTarget {
  /** Of the API. */
  http: string;
  apiKey: string;
  sandbox: string;
}

export interface RaceOptions {
  orders: number;
  /** Orders at the same time. */
  concurrency: number;
  /** Begins every key: another one places other orders. */
  name: string;
  /** Customers and shops act within this time; best a little longer than PAYMENT_WINDOW_MS. */
  spanMs: number;
  /** From 0 to 1. */
  random: () => number;
}

export interface RaceResult {
  /** How many orders ended how. */
  ended: Map<string, number>;
  /** Charges that were taken and given back. */
  givenBack: number;
  /** What may never be. */
  wrong: string[];
}

interface Raced {
  id: string;
  status: string;
  total: number | null;
  failure: { reason: string } | null;
  nextAction: { clientSecret?: string } | null;
}

const PATIENCE_MS = 120_000;
const REQUEST_TIMEOUT_MS = 25_000;
const LOOK_EVERY_MS = 250;
const UNIT_PRICE = 1_000;
const TERMINAL = new Set(['completed', 'failed', 'cancelled']);
/** Shares of all orders. */
const RATES = { page: 0.3, bank: 0.2, acts: 0.85, fails: 0.15, cancelled: 0.35 };
const METHODS = ['pm_card_authenticationRequired', 'pm_card_threeDSecure2Required'];

/** @throws Error when the system can't be asked */
export async function raceOrders(target: RaceTarget, options: RaceOptions): Promise<RaceResult> {
  await stockUp(target, options);
  const races: Promise<Raced>[] = [];
  const numbers = Array.from({ length: options.orders }, (_, n) => n).values();
  const runner = async () => {
    for (const n of numbers) {
      const race = raceOne(target, options, n);
      races.push(race);
      await race;
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, runner));
  await untilAllArrived(target);
  return await judge(target, await Promise.all(races));
}

async function stockUp(target: RaceTarget, { orders, name }: RaceOptions): Promise<void> {
  const body = { onHand: orders, unitPrice: UNIT_PRICE, currency: 'EUR' };
  await ask(target, 'PUT', '/v1/stock/race', body, `${name}-stock-up-the-races`);
}

async function raceOne(target: RaceTarget, options: RaceOptions, n: number): Promise<Raced> {
  const { random, name } = options;
  const kind = random();
  const isPage = kind < RATES.page;
  const isBank = !isPage && kind < RATES.page + RATES.bank;
  const method = isBank ? 'pm_usBankAccount_success' : METHODS[Math.floor(random() * METHODS.length)];
  const body = {
    customerId: 'ann',
    currency: 'EUR',
    items: [{ sku: 'race', quantity: 1 }],
    payment: isPage ? {} : { method },
    shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
  };
  const placed = await ask(target, 'POST', '/v1/orders', body, `${name}-race-${String(n).padStart(6, '0')}`);
  const secret = placed.nextAction?.clientSecret;
  const moves: Promise<unknown>[] = [];
  if (random() < RATES.acts && secret !== undefined) moves.push(customerActs(target, options, secret, isPage));
  if (random() < RATES.cancelled) moves.push(shopCancels(target, options, placed.id));
  await Promise.all(moves);
  return await untilEnded(target, placed.id);
}

async function customerActs(
  target: RaceTarget,
  { random, spanMs }: RaceOptions,
  clientSecret: string,
  isPage: boolean,
): Promise<void> {
  await delay(random() * spanMs);
  const fails = random() < RATES.fails;
  if (isPage) {
    if (fails) await browse(target, 'confirm', { clientSecret, paymentMethod: 'pm_card_chargeDeclined' });
    await browse(target, 'confirm', { clientSecret, paymentMethod: 'pm_card_visa' });
    return;
  }
  await browse(target, 'authenticate', { clientSecret, outcome: fails ? 'fail' : 'succeed' });
  // Nobody gives up at once: another card, for an order that may have failed by now.
  if (fails && random() < 0.5) await browse(target, 'confirm', { clientSecret, paymentMethod: 'pm_card_visa' });
}

async function shopCancels(target: RaceTarget, { random, spanMs }: RaceOptions, id: string): Promise<void> {
  await delay(random() * spanMs);
  // Refused (409) once the order has been completed.
  await request(`${target.http}/v1/orders/${id}/cancel`, 'POST', target.apiKey);
}

async function untilEnded(target: RaceTarget, id: string): Promise<Raced> {
  const deadlineAtMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const order = await ask(target, 'GET', `/v1/orders/${id}`);
    if (TERMINAL.has(order.status) || performance.now() > deadlineAtMs) return order;
    await delay(LOOK_EVERY_MS);
  }
}

/** Webhooks that are late are still on their way. */
async function untilAllArrived({ sandbox }: RaceTarget): Promise<void> {
  const deadlineAtMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { pending } = (await (await fetch(`${sandbox}/webhooks`)).json()) as { pending: number };
    if (pending === 0) return;
    if (performance.now() > deadlineAtMs) throw new Error(`${pending} webhooks have not arrived`);
    await delay(LOOK_EVERY_MS);
  }
}

interface LedgerEntry {
  orderId: string | null;
  captured: number;
  refunded: number;
  captures: number;
}

async function judge(target: RaceTarget, raced: Raced[]): Promise<RaceResult> {
  const books = await ledgerOf(target);
  const ended = new Map<string, number>();
  const wrong: string[] = [];
  let givenBack = 0;
  for (const { id, status, total, failure } of raced) {
    const how = failure === null ? status : `${status} ${failure.reason}`;
    ended.set(how, (ended.get(how) ?? 0) + 1);
    const entries = books.get(id) ?? [];
    const captures = entries.reduce((sum, entry) => sum + entry.captures, 0);
    const net = entries.reduce((sum, entry) => sum + entry.captured - entry.refunded, 0);
    if (captures > 0 && net === 0) givenBack += 1;
    if (!TERMINAL.has(status)) wrong.push(`order ${id} has not ended: ${status}`);
    if (captures > 1) wrong.push(`order ${id} was charged ${captures} times`);
    const owed = status === 'completed' ? (total ?? Number.NaN) : 0;
    if (net !== owed) wrong.push(`order ${id} is ${how} and its customer has paid ${net}, not ${owed}`);
  }
  return { ended, givenBack, wrong };
}

async function ledgerOf({ sandbox }: RaceTarget): Promise<Map<string, LedgerEntry[]>> {
  const books = new Map<string, LedgerEntry[]>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? 'limit=1000' : `limit=1000&cursor=${cursor}`;
    const page = (await (await fetch(`${sandbox}/ledger/payments?${query}`)).json()) as {
      payments: LedgerEntry[];
      nextCursor: string | null;
    };
    for (const entry of page.payments) {
      if (entry.orderId !== null) books.set(entry.orderId, [...(books.get(entry.orderId) ?? []), entry]);
    }
    cursor = page.nextCursor;
  }
  return books;
}

async function browse({ sandbox }: RaceTarget, path: string, body: object): Promise<void> {
  // Whatever it answers: the customer has tried.
  await request(`${sandbox}/browser/${path}`, 'POST', undefined, body);
}

/** Until it is answered: under one key, or naturally idempotent. */
async function ask(
  { http, apiKey }: RaceTarget,
  method: string,
  path: string,
  body?: object,
  key?: string,
): Promise<Raced> {
  const deadlineAtMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await request(http + path, method, apiKey, body, key);
    if (answer?.ok) return (await answer.json()) as Raced;
    const why = answer === undefined ? 'no answer' : `${answer.status}: ${await answer.text()}`;
    const isOver = performance.now() > deadlineAtMs;
    if (isOver || (answer !== undefined && answer.status < 409)) throw new Error(`${method} ${path}: ${why}`);
    await delay(LOOK_EVERY_MS);
  }
}

async function request(
  url: string,
  method: string,
  apiKey?: string,
  body?: object,
  key?: string,
): Promise<Response | undefined> {
  try {
    return await fetch(url, {
      method,
      headers: {
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(method === 'POST' && key !== undefined && { prefer: 'wait=20' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  } catch {
    // Whoever was asked was killed, or was too busy: the outcome is not known, and the same key is asked again.
    return undefined;
  }
}
