import { randomUUID } from 'node:crypto';
import { createSingleFlight } from '@holdfast/idempotency';
import { createStepClient, stepStreams, storeFault } from '@holdfast/participant';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { createPool } from '@holdfast/postgres';
import { type CallOptions, type Client, services, startServer } from '@holdfast/rpc';
import { SECRET_KEY, startTestSandbox, type TestSandbox } from '@holdfast/sandbox/test';
import { createMetrics } from '@holdfast/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderSettings } from './card.ts';
import { paymentMigrations, paymentService } from './index.ts';

type Payment = Client<typeof services.payment>;

let sandbox: TestSandbox;
let settings: ProviderSettings;
let participant: TestParticipant<typeof services.payment>;
/** Calls of one turn leave in one message, and are one transaction. */
let payment: Payment;
beforeAll(async () => {
  sandbox = await startTestSandbox();
  settings = {
    STRIPE_SECRET_KEY: SECRET_KEY,
    STRIPE_API_BASE: new URL(sandbox.url),
    STRIPE_TIMEOUT_MS: 10_000,
    PAYMENT_WINDOW_MS: 900_000,
    STRIPE_WEBHOOK_SECRET: null,
  };
  participant = await testParticipant('charge_batch', services.payment, paymentMigrations, paymentService(settings));
  payment = createStepClient(services.payment, participant.address);
});
afterAll(async () => {
  payment?.close();
  await participant?.stop();
  await sandbox?.stop();
});

const TENANT = 'shop';
const options = (key: string, tenantId = TENANT): CallOptions => ({ timeoutMs: 15_000, tenantId, key });
const rows = async (text: string, values: unknown[]) => (await participant.database.pool.query(text, values)).rows;

async function customerWith(balance: number, customerId = `c-${randomUUID().slice(0, 8)}`, tenantId = TENANT) {
  const put = { customerId, balance, currency: 'EUR' };
  const set = await participant.client.PutAccount(put, options(`put-${randomUUID()}`, tenantId));
  expect(set.kind).toBe('completed');
  return customerId;
}

/** A1: the balance, which is the sum of its entries at any time. */
async function balanceOf(customerId: string, tenantId = TENANT): Promise<number> {
  const [found] = await rows(
    `select balance, (select sum(delta)::bigint from account_entries e
                       where e.tenant_id = a.tenant_id and e.customer_id = a.customer_id) as entries
       from accounts a where tenant_id = $1 and customer_id = $2`,
    [tenantId, customerId],
  );
  expect(found.entries ?? 0).toBe(found.balance);
  return found.balance;
}

interface Order {
  orderId: string;
  customerId: string;
  amount: number;
  method: string;
}
const orderOf = (customerId: string, amount: number, method = 'balance'): Order => ({
  orderId: randomUUID(),
  customerId,
  amount,
  method,
});
const keyOf = ({ orderId }: Order) => `${orderId}:charge-payment`;
const charge = (order: Order, tenantId = TENANT, by = payment) =>
  by.ChargePayment({ ...order, currency: 'EUR' }, options(keyOf(order), tenantId));
const refund = (order: Order, tenantId = TENANT, by = payment) =>
  by.RefundPayment({ orderId: order.orderId }, options(`${keyOf(order)}:undo`, tenantId));
const kindsOf = (results: { kind: string; reason?: string }[]) => results.map(({ kind, reason }) => reason ?? kind);
const forgetClaims = (orders: Order[]) =>
  rows('delete from holdfast.claims where scope = any($1)', [orders.map(({ orderId }) => orderId)]);

describe('charges that arrive together', () => {
  it('A1: of one customer are one transaction, and are debited each', async () => {
    const customer = await customerWith(1_000);
    const orders = Array.from({ length: 30 }, () => orderOf(customer, 20));
    expect(kindsOf(await Promise.all(orders.map((order) => charge(order))))).toEqual(Array(30).fill('completed'));
    const ids = [orders.map(({ orderId }) => orderId)];
    expect(await rows('select distinct xmin::text from charges where order_id = any($1)', ids)).toHaveLength(1);
    expect(await balanceOf(customer)).toBe(400);
  });

  it('A1, S5: beyond what the account holds are served as they came; refusals take nothing and stay', async () => {
    const [poor, rich] = [await customerWith(100), await customerWith(1_000)];
    const orders = [orderOf(poor, 60), orderOf(rich, 500), orderOf(poor, 60), orderOf(poor, 40), orderOf('nobody', 1)];
    const first = await Promise.all(orders.map((order) => charge(order)));
    expect(kindsOf(first)).toEqual(['completed', 'completed', 'INSUFFICIENT_FUNDS', 'completed', 'INSUFFICIENT_FUNDS']);
    await customerWith(5_000, poor);
    expect(await Promise.all(orders.map((order) => charge(order)))).toEqual(
      first.map((result) => ({ ...result, replayed: true })),
    );
    expect([await balanceOf(poor), await balanceOf(rich)]).toEqual([5_000, 500]);
  });

  it('K5: whose claims are gone take nothing twice, and leave the new ones of their batch in peace', async () => {
    const customer = await customerWith(1_000);
    const before = [orderOf(customer, 100), orderOf(customer, 2_000), orderOf(customer, 0)];
    const first = await Promise.all(before.map((order) => charge(order)));
    await forgetClaims(before);
    const fresh = [orderOf(customer, 50), orderOf(customer, 50)];
    const mixed = [fresh[0], ...before, fresh[1]] as Order[];
    const results = await Promise.all(mixed.map((order) => charge(order)));
    expect(results.slice(1, 4)).toEqual(first);
    expect(kindsOf([results[0], results[4]] as typeof first)).toEqual(['completed', 'completed']);
    expect(await balanceOf(customer)).toBe(800);
  });

  it('K5: an order that was charged something else fails alone', async () => {
    const customer = await customerWith(1_000);
    const charged = orderOf(customer, 100);
    await charge(charged);
    await forgetClaims([charged]);
    const orders = [orderOf(customer, 50), { ...charged, amount: 90 }, orderOf(customer, 50)];
    expect(kindsOf(await Promise.all(orders.map((order) => charge(order))))).toEqual([
      'completed',
      'CONFLICT',
      'completed',
    ]);
    expect(await balanceOf(customer)).toBe(800);
  });

  it('H17: tenants whose customers and orders have the same names share a batch and nothing else', async () => {
    const customer = await customerWith(100);
    await customerWith(100, customer, 'other');
    const order = orderOf(customer, 70);
    expect(kindsOf(await Promise.all([charge(order), charge(order, 'other')]))).toEqual(['completed', 'completed']);
    expect([await balanceOf(customer), await balanceOf(customer, 'other')]).toEqual([30, 30]);
  });

  it('K1: by card and from accounts share a batch; each is taken where its money is, once', async () => {
    const customer = await customerWith(1_000);
    const cards = ['pm_card_visa', 'pm_card_chargeDeclined', 'pm_card_visa'].map((by) => orderOf('ann', 700, by));
    const orders = [orderOf(customer, 100), ...cards, orderOf(customer, 100), orderOf('ann', 0, 'pm_card_visa')];
    const first = await Promise.all(orders.map((order) => charge(order)));
    expect(kindsOf(first)).toEqual(['completed', 'completed', 'CARD_DECLINED', 'completed', 'completed', 'completed']);
    expect(await Promise.all(orders.map((order) => charge(order)))).toEqual(
      first.map((result) => ({ ...result, replayed: true })),
    );
    const undone = await Promise.all(orders.map((order) => refund(order)));
    expect(undone.map((result) => result.kind === 'completed' && result.message.amount)).toEqual([
      100, 700, 0, 700, 100, 0,
    ]);
    expect(await balanceOf(customer)).toBe(1_000);
  });
});

describe('refunds that arrive together', () => {
  it('A1: give back each charge once, to one customer too, and nothing for what was never taken', async () => {
    const [customer, other] = [await customerWith(100), await customerWith(100)];
    const charged = [orderOf(customer, 10), orderOf(other, 20), orderOf(customer, 30), orderOf(customer, 500)];
    await Promise.all(charged.map((order) => charge(order)));
    const orders = [...charged, orderOf(customer, 5)];
    const first = await Promise.all(orders.map((order) => refund(order)));
    expect(first.map((result) => result.kind === 'completed' && result.message.amount)).toEqual([10, 20, 30, 0, 0]);
    await forgetClaims(orders);
    expect(kindsOf(await Promise.all(orders.map((order) => refund(order))))).toEqual(Array(5).fill('completed'));
    expect([await balanceOf(customer), await balanceOf(other)]).toEqual([100, 100]);
  });
});

describe('batches of two replicas', () => {
  it('A1, K7: never wait for each other in a circle, whichever customers they charge and pay back', async () => {
    const replicas = [await startReplica(), await startReplica()] as const;
    const customers = await Promise.all(Array.from({ length: 8 }, () => customerWith(1_000_000)));
    const orders = Array.from({ length: 600 }, (_, at) => orderOf(customers[(at * 7 + (at >> 3)) % 8] as string, 10));
    const by = (at: number) => replicas[at % 2 === 0 ? 0 : 1].client;
    const charged = await Promise.all(orders.map((order, at) => charge(order, TENANT, by(at))));
    // Each replica in an order of its own, and new charges beside the refunds.
    const late = Array.from({ length: 200 }, (_, at) => orderOf(customers[(at * 3) % 8] as string, 10));
    const settled = await Promise.all([
      ...orders.filter((_, at) => at % 2 === 0).map((order) => refund(order, TENANT, replicas[0].client)),
      ...orders
        .filter((_, at) => at % 2 === 1)
        .toReversed()
        .map((order) => refund(order, TENANT, replicas[1].client)),
      ...late.map((order, at) => charge(order, TENANT, by(at))),
    ]);
    expect(new Set(kindsOf([...charged, ...settled]))).toEqual(new Set(['completed']));
    // A connection reports what it has met when it ends.
    for (const replica of replicas) await replica.stop();
    expect(await rows('select deadlocks from pg_stat_database where datname = current_database()', [])).toEqual([
      { deadlocks: 0 },
    ]);
    const balances = await Promise.all(customers.map((customer) => balanceOf(customer)));
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(8_000_000 - 2_000);
  }, 60_000);
});

/** Another process of the same service, as far as its memory goes: its own connections, the same database. */
async function startReplica() {
  const pool = createPool({
    databaseUrl: participant.database.databaseUrl,
    applicationName: 'test replica',
    keyLookupsOnly: true,
    lockTimeoutMs: 5_000,
  });
  const { log } = participant.participant;
  const memory = { singleFlight: createSingleFlight(), metrics: createMetrics('payment') };
  const bound = [paymentService(settings)({ ...participant.participant, ...memory, pool })];
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    services: bound,
    steps: stepStreams,
    log,
    translate: storeFault,
  });
  const client = createStepClient(services.payment, `127.0.0.1:${server.port}`);
  return {
    client,
    async stop() {
      client.close();
      await server.stop(2_000);
      await pool.end();
    },
  };
}
