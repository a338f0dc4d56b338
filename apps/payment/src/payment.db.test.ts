import { randomUUID } from 'node:crypto';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import type { CallOptions } from '@holdfast/rpc';
import { services } from '@holdfast/rpc';
import { NO_FAULTS, SECRET_KEY, startTestSandbox, type TestSandbox } from '@holdfast/sandbox/test';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { paymentMigrations, paymentService } from './index.ts';

let sandbox: TestSandbox;
let payment: TestParticipant<typeof services.payment>;
beforeAll(async () => {
  sandbox = await startTestSandbox();
  payment = await testParticipant(
    'payment',
    services.payment,
    paymentMigrations,
    paymentService({
      STRIPE_SECRET_KEY: SECRET_KEY,
      STRIPE_API_BASE: new URL(sandbox.url),
      STRIPE_TIMEOUT_MS: 500,
      PAYMENT_WINDOW_MS: 900_000,
      STRIPE_WEBHOOK_SECRET: null,
    }),
  );
});
afterAll(async () => {
  await payment?.stop();
  await sandbox?.stop();
});
beforeEach(() => sandbox.setFaults({}));

const TENANT = 'shop';
const options = (key: string, extra: Partial<CallOptions> = {}): CallOptions => ({
  timeoutMs: 10_000,
  tenantId: TENANT,
  key,
  ...extra,
});

interface TestOrder {
  orderId: string;
  key: string;
  undoKey: string;
}

function newOrder(): TestOrder {
  const orderId = randomUUID();
  return { orderId, key: `${orderId}:charge-payment`, undoKey: `${orderId}:charge-payment:undo` };
}

async function customerWith(balance: number, currency = 'EUR'): Promise<string> {
  const customerId = `c-${randomUUID().slice(0, 8)}`;
  const put = await payment.client.PutAccount({ customerId, balance, currency }, options(`put-${randomUUID()}`));
  expect(put.kind).toBe('completed');
  return customerId;
}

async function balanceOf(customerId: string): Promise<number> {
  const got = await payment.client.GetAccount({ customerId }, options('get-needs-no-key'));
  if (got.kind !== 'completed' || !got.message.account) throw new Error(JSON.stringify(got));
  const { rows } = await payment.database.pool.query(
    'select coalesce(sum(delta), 0)::bigint as sum from account_entries where tenant_id = $1 and customer_id = $2',
    [TENANT, customerId],
  );
  // A1: a balance is the sum of its entries, at any time.
  expect(rows[0].sum).toBe(got.message.account.balance);
  return got.message.account.balance;
}

const byBalance = (order: TestOrder, customerId: string, amount: number, extra: Partial<CallOptions> = {}) =>
  payment.client.ChargePayment(
    { orderId: order.orderId, customerId, amount, currency: 'EUR', method: 'balance' },
    options(order.key, extra),
  );
const byCard = (order: TestOrder, method = 'pm_card_visa', extra: Partial<CallOptions> = {}) =>
  payment.client.ChargePayment(
    { orderId: order.orderId, customerId: 'ann', amount: 700, currency: 'EUR', method },
    options(order.key, extra),
  );
const undo = (order: TestOrder, extra: Partial<CallOptions> = {}) =>
  payment.client.RefundPayment({ orderId: order.orderId }, options(order.undoKey, extra));

/** Calls until the outcome is known, as the saga does (S4). */
async function untilKnown<T extends { kind: string; reason?: string }>(call: () => Promise<T>): Promise<T> {
  const retryable = ['OUTCOME_UNKNOWN', 'REQUEST_IN_PROGRESS', 'TRY_AGAIN', 'STORE_UNAVAILABLE', 'DEADLINE_EXCEEDED'];
  for (let attempt = 1; attempt <= 60; attempt++) {
    const result = await call();
    if (result.kind === 'completed' || !retryable.includes(result.reason ?? '')) return result;
  }
  throw new Error('the outcome did not become known in 60 attempts');
}

/** What the provider's own books say of an order. */
async function atProvider(order: TestOrder): Promise<{ captured: number; refunded: number; intents: number }> {
  const { data } = await sandbox.stripe.paymentIntents.list({ limit: 100, expand: ['data.latest_charge'] });
  const mine = data.filter((intent) => intent.metadata.order_id === order.orderId);
  const taken = mine.filter((intent) => intent.status === 'succeeded');
  return {
    intents: taken.length,
    captured: taken.reduce((sum, intent) => sum + intent.amount_received, 0),
    refunded: taken.reduce((sum, intent) => {
      return sum + (typeof intent.latest_charge === 'object' ? (intent.latest_charge?.amount_refunded ?? 0) : 0);
    }, 0),
  };
}

describe('a charge to an account', () => {
  it('G3, K2: asked for twice is taken once and answered with the same bytes', async () => {
    const customer = await customerWith(1_000);
    const order = newOrder();
    const first = await byBalance(order, customer, 300);
    expect(first).toMatchObject({ kind: 'completed', replayed: false, message: { paymentId: `pay_${order.orderId}` } });
    expect(await byBalance(order, customer, 300)).toEqual({ ...first, replayed: true });
    expect(await byBalance(order, customer, 301)).toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await balanceOf(customer)).toBe(700);
  });

  it('A1: forty at once for money for ten: ten are taken, and the balance never falls below zero', async () => {
    const customer = await customerWith(1_000);
    const results = await Promise.all(
      Array.from({ length: 40 }, () => {
        const order = newOrder();
        return untilKnown(() => byBalance(order, customer, 100));
      }),
    );
    expect(results.filter((result) => result.kind === 'completed')).toHaveLength(10);
    const reasons = new Set(results.flatMap((result) => (result.kind === 'error' ? [result.reason] : [])));
    expect(reasons).toEqual(new Set(['INSUFFICIENT_FUNDS']));
    expect(await balanceOf(customer)).toBe(0);
  });

  it('S5, G6: refused once is refused for ever, even when money has come since', async () => {
    const customer = await customerWith(10);
    const order = newOrder();
    const refused = await byBalance(order, customer, 300);
    expect(refused).toMatchObject({ reason: 'INSUFFICIENT_FUNDS', pushbackMs: -1 });
    await payment.client.AdjustAccount({ customerId: customer, delta: 1_000 }, options(`adjust-${randomUUID()}`));
    expect(await byBalance(order, customer, 300)).toEqual({ ...refused, replayed: true });
    expect(await balanceOf(customer)).toBe(1_010);
  });

  it('is refused without an account, and in another currency', async () => {
    expect(await byBalance(newOrder(), 'nobody', 1)).toMatchObject({ reason: 'INSUFFICIENT_FUNDS' });
    const dollars = await customerWith(1_000, 'USD');
    expect(await byBalance(newOrder(), dollars, 1)).toMatchObject({ reason: 'CURRENCY_MISMATCH' });
  });

  it('K5: is not taken again when its claim is gone', async () => {
    const customer = await customerWith(1_000);
    const order = newOrder();
    await byBalance(order, customer, 300);
    await payment.database.pool.query('delete from holdfast.claims where scope = $1', [order.orderId]);
    expect(await byBalance(order, customer, 300)).toMatchObject({ kind: 'completed' });
    expect(await balanceOf(customer)).toBe(700);
  });

  it('K3, G11: is given back once, and an undo that comes first keeps it from ever being taken', async () => {
    const customer = await customerWith(1_000);
    const order = newOrder();
    await byBalance(order, customer, 300);
    expect(await undo(order)).toMatchObject({ kind: 'completed', message: { amount: 300 } });
    expect(await undo(order)).toMatchObject({ kind: 'completed', replayed: true });
    expect(await balanceOf(customer)).toBe(1_000);
    const sealed = newOrder();
    expect(await undo(sealed)).toMatchObject({ kind: 'completed', message: { paymentId: '', amount: 0 } });
    expect(await byBalance(sealed, customer, 300)).toMatchObject({ reason: 'SEALED' });
    expect(await balanceOf(customer)).toBe(1_000);
  });

  it('K4, G9: of an epoch lower than its undo’s changes nothing', async () => {
    const customer = await customerWith(1_000);
    const order = newOrder();
    await undo(order, { epoch: 3 });
    expect(await byBalance(order, customer, 1, { epoch: 2 })).toMatchObject({ reason: 'FENCED' });
    expect(await balanceOf(customer)).toBe(1_000);
  });

  it('G12: at the same instant as its undo leaves nothing taken', async () => {
    const customer = await customerWith(100_000);
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        const order = newOrder();
        const [, undone] = await Promise.all([byBalance(order, customer, 10), untilKnown(() => undo(order))]);
        expect(undone.kind).toBe('completed');
      }),
    );
    expect(await balanceOf(customer)).toBe(100_000);
  });
});

describe('an account', () => {
  it('keeps the currency that it was opened in, and is adjusted once per key', async () => {
    const customer = await customerWith(100);
    const other = { customerId: customer, balance: 1, currency: 'USD' };
    expect(await payment.client.PutAccount(other, options(`put-${randomUUID()}`))).toMatchObject({
      reason: 'CONFLICT',
    });
    const key = `adjust-${randomUUID()}`;
    const once = await payment.client.AdjustAccount({ customerId: customer, delta: -40 }, options(key));
    expect(await payment.client.AdjustAccount({ customerId: customer, delta: -40 }, options(key))).toEqual({
      ...once,
      replayed: true,
    });
    const tooMuch = await payment.client.AdjustAccount({ customerId: customer, delta: -61 }, options(`${key}-2`));
    expect(tooMuch).toMatchObject({ reason: 'INSUFFICIENT_FUNDS' });
    expect(await balanceOf(customer)).toBe(60);
  });
});

describe('a charge by card', () => {
  it('is captured once, and asked for again answers the same bytes', async () => {
    const order = newOrder();
    const first = await byCard(order);
    expect(first).toMatchObject({ kind: 'completed', message: { amount: 700, currency: 'EUR' } });
    expect(await byCard(order)).toEqual({ ...first, replayed: true });
    expect(await atProvider(order)).toEqual({ intents: 1, captured: 700, refunded: 0 });
  });

  it.each(['pm_card_chargeDeclined', 'pm_card_chargeDeclinedInsufficientFunds', 'pm_no_such_card'])(
    'S5: %s is declined for ever',
    async (method) => {
      const order = newOrder();
      const declined = await byCard(order, method);
      expect(declined).toMatchObject({ kind: 'error', reason: 'CARD_DECLINED', pushbackMs: -1 });
      expect(await byCard(order, method)).toEqual({ ...declined, replayed: true });
      expect(await undo(order)).toMatchObject({ kind: 'completed', message: { amount: 0 } });
      expect((await atProvider(order)).captured).toBe(0);
    },
  );

  it.each([
    ['every answer is lost for a while', { lostAnswer: 1 }],
    ['the provider fails with 500 for a while, before or after the effect', { error500: 1 }],
    ['the provider is too slow for a while', { slow: 1, slowMs: 700 }],
  ])('S4: is captured once though %s', async (_, fault) => {
    const order = newOrder();
    await sandbox.setFaults({ payments: { ...NO_FAULTS, ...fault } });
    for (let attempt = 1; attempt <= 2; attempt++) {
      const early = await byCard(order);
      if (early.kind === 'error') expect(early.reason).toMatch(/OUTCOME_UNKNOWN|REQUEST_IN_PROGRESS/);
    }
    await sandbox.setFaults({});
    expect(await untilKnown(() => byCard(order))).toMatchObject({ kind: 'completed', message: { amount: 700 } });
    expect(await atProvider(order)).toEqual({ intents: 1, captured: 700, refunded: 0 });
  });

  it('S4: is captured once through a provider that loses every second answer, over and over', async () => {
    await sandbox.setFaults({ seed: 11, payments: { ...NO_FAULTS, lostAnswer: 0.5, error500: 0.2 } });
    const orders = Array.from({ length: 12 }, newOrder);
    const results = await Promise.all(orders.map((order) => untilKnown(() => byCard(order))));
    await sandbox.setFaults({});
    expect(results.every((result) => result.kind === 'completed')).toBe(true);
    for (const order of orders) expect(await atProvider(order)).toEqual({ intents: 1, captured: 700, refunded: 0 });
  });

  it('K1: whose process died after the capture is found by asking, not captured again', async () => {
    const order = newOrder();
    const first = await byCard(order);
    // As the crash leaves it: captured outside, and here only the claim and the intent's id.
    await payment.database.pool.query(
      `update holdfast.claims set state = 'in_progress', answer = null, settled_at = null, lease_until = clock_timestamp()
        where scope = $1`,
      [order.orderId],
    );
    await payment.database.pool.query(
      `update charges set state = 'created', payment_id = null, settled_at = null where order_id = $1`,
      [order.orderId],
    );
    expect(await byCard(order)).toMatchObject({
      kind: 'completed',
      message: first.kind === 'completed' ? first.message : {},
    });
    expect(await atProvider(order)).toEqual({ intents: 1, captured: 700, refunded: 0 });
  });

  it('K1: whose process died before the intent was stored makes another, and captures one', async () => {
    const order = newOrder();
    const first = await byCard(order);
    const abandoned = newOrder();
    await sandbox.stripe.paymentIntents.create(
      {
        amount: 700,
        currency: 'eur',
        payment_method: 'pm_card_visa',
        metadata: { order_id: abandoned.orderId, tenant_id: TENANT },
      },
      { idempotencyKey: `${abandoned.key}:create:1` },
    );
    expect(first.kind).toBe('completed');
    expect(await byCard(abandoned)).toMatchObject({ kind: 'completed' });
    expect(await atProvider(abandoned)).toEqual({ intents: 1, captured: 700, refunded: 0 });
  });
});

describe('the undo of a charge by card', () => {
  it('refunds once, though answers are lost', async () => {
    const order = newOrder();
    await byCard(order);
    await sandbox.setFaults({ seed: 3, payments: { ...NO_FAULTS, lostAnswer: 0.6, error500: 0.2 } });
    const undone = await untilKnown(() => undo(order));
    await sandbox.setFaults({});
    expect(undone).toMatchObject({ kind: 'completed', message: { amount: 700 } });
    expect(await atProvider(order)).toEqual({ intents: 1, captured: 700, refunded: 700 });
    expect(await byCard(order)).toMatchObject({ reason: 'SEALED' });
  });

  it('K3, G12: at the same instant as its act leaves nothing taken, whoever is first', async () => {
    await sandbox.setFaults({ seed: 5, payments: { ...NO_FAULTS, slow: 0.5, slowMs: 60 } });
    const orders = Array.from({ length: 20 }, newOrder);
    await Promise.all(orders.flatMap((order) => [byCard(order), untilKnown(() => undo(order))]));
    await sandbox.setFaults({});
    for (const order of orders) {
      const { captured, refunded } = await atProvider(order);
      expect(captured - refunded).toBe(0);
      expect(await byCard(order)).toMatchObject({ reason: 'SEALED' });
    }
  });
});

describe('without the provider', () => {
  it('G8: a charge by card stays unknown, and accounts go on', async () => {
    const alone = await testParticipant(
      'payment_alone',
      services.payment,
      paymentMigrations,
      paymentService({
        STRIPE_SECRET_KEY: SECRET_KEY,
        STRIPE_API_BASE: new URL('http://127.0.0.1:1'),
        STRIPE_TIMEOUT_MS: 500,
        PAYMENT_WINDOW_MS: 900_000,
        STRIPE_WEBHOOK_SECRET: null,
      }),
    );
    try {
      const order = newOrder();
      const request = {
        orderId: order.orderId,
        customerId: 'ann',
        amount: 700,
        currency: 'EUR',
        method: 'pm_card_visa',
      };
      const unknown = await alone.client.ChargePayment(request, options(order.key));
      expect(unknown).toMatchObject({ kind: 'error', reason: 'OUTCOME_UNKNOWN' });
      const step = await alone.client.GetStep({ key: order.key }, options(order.key));
      expect(step).toMatchObject({ message: { state: 'STEP_STATE_IN_FLIGHT' } });
      const put = { customerId: 'ann', balance: 5, currency: 'EUR' };
      expect(await alone.client.PutAccount(put, options(`put-${randomUUID()}`))).toMatchObject({ kind: 'completed' });
    } finally {
      await alone.stop();
    }
  });
});
