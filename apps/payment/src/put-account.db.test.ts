import { randomUUID } from 'node:crypto';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { transaction } from '@holdfast/postgres';
import { services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putAccount } from './account.ts';
import { paymentMigrations, paymentService } from './index.ts';

let payment: TestParticipant<typeof services.payment>;
beforeAll(async () => {
  const settings = {
    STRIPE_SECRET_KEY: null,
    STRIPE_API_BASE: null,
    STRIPE_TIMEOUT_MS: 500,
    STRIPE_WEBHOOK_SECRET: null,
    PAYMENT_WINDOW_MS: 1_000,
  };
  payment = await testParticipant('put-account', services.payment, paymentMigrations, paymentService(settings));
});
afterAll(() => payment.stop());

const newKey = () => `put-${randomUUID()}`;
const options = (key = newKey()) => ({ timeoutMs: 5_000, tenantId: 'shop', key });
type Put = Parameters<typeof payment.client.PutAccount>[0];

const put = (change: Put, key?: string) => payment.client.PutAccount(change, options(key));

async function accountOf(customerId: string) {
  const got = await payment.client.GetAccount({ customerId }, options());
  if (got.kind !== 'completed' || !got.message.account) throw new Error(`no account: ${JSON.stringify(got)}`);
  return got.message.account;
}

async function customerWith(balance: number): Promise<string> {
  const customerId = `c-${randomUUID().slice(0, 8)}`;
  expect(await put({ customerId, balance, currency: 'EUR' })).toMatchObject({ kind: 'completed' });
  return customerId;
}

async function charge(customerId: string, amount: number): Promise<string> {
  const orderId = randomUUID();
  const request = { orderId, customerId, amount, currency: 'EUR', method: 'balance' };
  const charged = await payment.client.ChargePayment(request, options(`${orderId}:charge-payment`));
  expect(charged.kind).toBe('completed');
  return orderId;
}

describe('a balance that is set', () => {
  it('K8, G18: under a key is set once: money that an order has spent since is not given back by the retry', async () => {
    const customerId = await customerWith(0);
    const key = newKey();
    const once = await put({ customerId, balance: 10_000 }, key);
    expect(once).toMatchObject({ kind: 'completed', replayed: false, message: { account: { balance: 10_000 } } });
    await charge(customerId, 3_000);
    expect(await put({ customerId, balance: 10_000 }, key)).toEqual({ ...once, replayed: true });
    expect((await accountOf(customerId)).balance).toBe(7_000);
  });

  it('K5, K8: when neither a claim nor a cache knows its key, its entry still says that it was set', async () => {
    const customerId = await customerWith(0);
    const key = newKey();
    await put({ customerId, balance: 10_000 }, key);
    await charge(customerId, 3_000);
    const again = await transaction(payment.database.pool, (tx) =>
      putAccount(
        tx,
        'shop',
        { customerId, balance: 10_000 },
        { condition: { versions: [], opened: false }, key, proof: '' },
      ),
    );
    expect(again).toMatchObject({ kind: 'completed', result: { account: { balance: 7_000 } } });
    expect((await accountOf(customerId)).balance).toBe(7_000);
  });

  it('K8: needs the currency only to open the account', async () => {
    const customerId = await customerWith(5);
    expect(await put({ customerId, balance: 6 })).toMatchObject({
      message: { account: { balance: 6, currency: 'EUR' } },
    });
    expect(await put({ customerId: `c-${randomUUID()}`, balance: 6 })).toMatchObject({ reason: 'NOT_FOUND' });
    const key = newKey();
    const refused = await put({ customerId, balance: 6, currency: 'USD' }, key);
    expect(refused).toMatchObject({ reason: 'CONFLICT' });
    expect(await put({ customerId, balance: 6, currency: 'USD' }, key)).toEqual({ ...refused, replayed: true });
  });

  it('K8: has a version that every change raises, an order’s too; under one it is set only if it still has it', async () => {
    const customerId = await customerWith(1_000);
    const { version } = await accountOf(customerId);
    const orderId = await charge(customerId, 10);
    expect(await put({ customerId, balance: 9, ifVersions: [version] })).toMatchObject({ reason: 'VERSION_CHANGED' });
    expect(await accountOf(customerId)).toMatchObject({ balance: 990, version: version + 1 });
    await payment.client.RefundPayment({ orderId }, options(`${orderId}:charge-payment:undo`));
    expect((await accountOf(customerId)).version).toBe(version + 2);
    await payment.client.AdjustAccount({ customerId, delta: 1 }, options());
    const now = await accountOf(customerId);
    expect(now).toMatchObject({ balance: 1_001, version: version + 3 });
    expect(await put({ customerId, balance: 9, ifVersions: [now.version] })).toMatchObject({
      message: { account: { balance: 9, version: version + 4 } },
    });
    expect(await put({ customerId: `c-${randomUUID()}`, balance: 9, currency: 'EUR', ifOpened: true })).toMatchObject({
      reason: 'VERSION_CHANGED',
    });
  });

  it('A1: is written in the books with what it replaced', async () => {
    const customerId = await customerWith(100);
    await charge(customerId, 30);
    await put({ customerId, balance: 100 });
    const { rows } = await payment.database.pool.query(
      `select delta, before, after from account_entries where customer_id = $1 and kind = 'set' order by (after->>'version')::bigint`,
      [customerId],
    );
    expect(rows).toEqual([
      { delta: 100, before: { balance: 0, version: 0 }, after: { balance: 100, version: 1 } },
      { delta: 30, before: { balance: 70, version: 2 }, after: { balance: 100, version: 3 } },
    ]);
  });
});
