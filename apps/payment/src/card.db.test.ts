import { createClient, services } from '@holdfast/rpc';
import { NO_FAULTS } from '@holdfast/sandbox/test';
import { startProcess } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AMOUNT,
  NOTHING,
  newOrder,
  options,
  startTestCards,
  TAKEN,
  TENANT,
  type TestCards,
  UNKNOWN,
  untilKnown,
} from '../test/test-provider.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());
afterEach(() => cards.reset());

const PATIENT = { STRIPE_TIMEOUT_MS: 20_000 };
const HURRIED = { STRIPE_TIMEOUT_MS: 300 };

async function mainProcess() {
  return await startProcess(new URL('main.ts', import.meta.url), {
    DATABASE_URL: cards.payment.database.databaseUrl,
    GRPC_PORT: '0',
    HTTP_PORT: '0',
    LOG_LEVEL: 'trace',
    STRIPE_SECRET_KEY: cards.settings.STRIPE_SECRET_KEY ?? '',
    STRIPE_API_BASE: `http://127.0.0.1:${cards.line.port}`,
    STRIPE_TIMEOUT_MS: '20000',
  });
}

describe('a charge by card', () => {
  it('G3, K2: is captured once, and asked for again answers the same bytes without a call', async () => {
    const order = newOrder();
    const first = await cards.charge(order);
    const { intent_id: paymentId } = await cards.recorded(order);
    expect(first).toMatchObject({ kind: 'completed', message: { paymentId, amount: AMOUNT, currency: 'EUR' } });
    expect(cards.line.seen).toEqual(['create', 'confirm']);
    expect(await cards.charge(order)).toEqual({ ...first, replayed: true });
    expect(cards.line.seen).toHaveLength(2);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('G14: asked for 20 times at once is captured once', async () => {
    const order = newOrder();
    const all = await Promise.all(Array.from({ length: 20 }, () => cards.charge(order)));
    expect(all.filter((result) => result.kind === 'completed')).toHaveLength(20);
    expect(all.filter((result) => result.kind === 'completed' && !result.replayed)).toHaveLength(1);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('of 0 needs no provider', async () => {
    const order = newOrder();
    const request = { orderId: order.orderId, customerId: 'ann', amount: 0, currency: 'EUR', method: 'pm_card_visa' };
    const free = await cards.payment.client.ChargePayment(request, options(order.key));
    expect(free).toMatchObject({ kind: 'completed', message: { paymentId: `pay_${order.orderId}`, amount: 0 } });
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { amount: 0 } });
    expect(cards.line.seen).toEqual([]);
  });

  it.each([
    ['pm_card_chargeDeclined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['pm_no_such_card', 'resource_missing'],
  ])('S5: %s is declined for ever, says why and not with what, and has nothing to undo', async (method, code) => {
    const order = newOrder();
    const declined = await cards.charge(order, undefined, method);
    expect(declined).toMatchObject({ kind: 'error', reason: 'CARD_DECLINED', pushbackMs: -1, replayed: false });
    expect(declined).toMatchObject({ message: expect.stringContaining(code) });
    expect(JSON.stringify(declined)).not.toContain(method);
    expect(await cards.charge(order, undefined, method)).toEqual({ ...declined, replayed: true });
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { paymentId: '', amount: 0 } });
    expect(await cards.charge(order, undefined, method)).toEqual({ ...declined, replayed: true });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it.each([
    ['more than the provider takes', 100_000_000, 'EUR'],
    ['a currency whose minor unit is another one there', AMOUNT, 'ISK'],
  ])('S5: of %s is refused for good', async (_, amount, currency) => {
    const order = newOrder();
    const request = { orderId: order.orderId, customerId: 'ann', amount, currency, method: 'pm_card_visa' };
    const refused = await cards.payment.client.ChargePayment(request, options(order.key));
    expect(refused).toMatchObject({ reason: 'CARD_DECLINED', pushbackMs: -1 });
    expect(await cards.payment.client.ChargePayment(request, options(order.key))).toEqual({
      ...refused,
      replayed: true,
    });
  });

  it('K5: when its claim is gone is neither captured nor declined anew', async () => {
    const [captured, declined] = [newOrder(), newOrder()];
    const first = await cards.charge(captured);
    const refusal = await cards.charge(declined, undefined, 'pm_card_chargeDeclined');
    await cards.forgetClaims(captured);
    await cards.forgetClaims(declined);
    cards.line.seen.length = 0;
    expect(await cards.charge(captured)).toEqual(first);
    expect(await cards.charge(declined, undefined, 'pm_card_chargeDeclined')).toEqual(refusal);
    expect(cards.line.seen).toEqual([]);
    expect(await cards.books(captured)).toEqual(TAKEN);
  });

  it('K5: unfinished when its claim is gone is resumed by asking', async () => {
    const order = newOrder();
    cards.line.lose('confirm');
    cards.line.lose('retrieve');
    expect(await cards.charge(order)).toMatchObject(UNKNOWN);
    await cards.forgetClaims(order);
    cards.line.seen.length = 0;
    expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
    expect(cards.line.seen).toEqual(['retrieve']);
    expect(await cards.books(order)).toEqual(TAKEN);
  });
});

describe('a charge by card whose outcome is unclear', () => {
  it('S4: whose creation’s answer is lost takes nothing; the next attempt makes another intent and captures once', async () => {
    const order = newOrder();
    cards.line.lose('create');
    expect(await cards.charge(order)).toMatchObject(UNKNOWN);
    expect(await cards.recorded(order)).toMatchObject({ state: 'created', intent_id: null });
    expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
    expect(cards.line.seen).toEqual(['create', 'create', 'confirm']);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('S4: whose confirmation’s answer is lost is found captured in the same attempt', async () => {
    const order = newOrder();
    cards.line.lose('confirm');
    expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
    expect(cards.line.seen).toEqual(['create', 'confirm', 'retrieve']);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('S4: that can’t be asked about either stays unknown; the next attempt asks before anything else', async () => {
    const order = newOrder();
    cards.line.lose('confirm');
    cards.line.lose('retrieve');
    expect(await cards.charge(order)).toMatchObject(UNKNOWN);
    expect(await cards.stateOf(order.key)).toBe('STEP_STATE_IN_FLIGHT');
    cards.line.seen.length = 0;
    expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
    expect(cards.line.seen).toEqual(['retrieve']);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('S5: whose decline is lost is found declined by asking, for ever', async () => {
    const order = newOrder();
    cards.line.lose('confirm');
    const declined = await cards.charge(order, undefined, 'pm_card_chargeDeclined');
    expect(declined).toMatchObject({ reason: 'CARD_DECLINED', replayed: false });
    expect(cards.line.seen).toEqual(['create', 'confirm', 'retrieve']);
    expect(await cards.charge(order, undefined, 'pm_card_chargeDeclined')).toEqual({ ...declined, replayed: true });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('S4: whose confirmation arrives after it was given up is captured once', async () => {
    const order = newOrder();
    const hurried = await cards.replica(HURRIED);
    const late = cards.line.hold('confirm', 'request');
    // Given up, and asked about: unconfirmed still. That is NOT "won't be".
    expect(await cards.charge(order, hurried)).toMatchObject(UNKNOWN);
    expect(await late.deliver()).toBe(200);
    cards.line.seen.length = 0;
    expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
    expect(cards.line.seen).toEqual(['retrieve']);
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('S4: is not wedged by a 500 that the provider keeps for its key, before or after the effect', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 8; seed++) {
      const order = newOrder();
      const confirming = cards.line.hold('confirm', 'request');
      const charging = cards.charge(order);
      await confirming.arrived;
      await cards.sandbox.setFaults({ seed, payments: { ...NO_FAULTS, error500: 1 } });
      expect(await confirming.deliver()).toBe(500);
      const first = await charging;
      await cards.sandbox.setFaults({});
      outcomes.add(first.kind === 'completed' ? 'after' : first.reason);
      expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: first.kind === 'completed' });
      expect(await cards.books(order)).toEqual(TAKEN);
    }
    expect(outcomes).toEqual(new Set(['after', 'OUTCOME_UNKNOWN']));
  });

  it('G8: without a connection stays unknown and in flight, one call per attempt; the same key captures it later', async () => {
    cards.line.cut(true);
    const order = newOrder();
    expect(await cards.charge(order)).toMatchObject(UNKNOWN);
    expect(await cards.charge(order)).toMatchObject(UNKNOWN);
    // The SDK must not send again by itself: one retry layer is enough.
    expect(cards.line.seen).toEqual(['create', 'create']);
    expect(await cards.stateOf(order.key)).toBe('STEP_STATE_IN_FLIGHT');
    cards.line.cut(false);
    expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('S4: is captured once through a provider that loses every second answer, over and over', async () => {
    await cards.sandbox.setFaults({ seed: 11, payments: { ...NO_FAULTS, lostAnswer: 0.5, error500: 0.2 } });
    const orders = Array.from({ length: 12 }, newOrder);
    const results = await Promise.all(orders.map((order) => untilKnown(() => cards.charge(order))));
    expect(results.every((result) => result.kind === 'completed')).toBe(true);
    for (const order of orders) expect(await cards.books(order)).toEqual(TAKEN);
  });
});

describe('a charge by card whose process dies', () => {
  it.each([
    ['before its intent is stored', 'create', 'answer', ['create', 'confirm']],
    ['before its intent is confirmed', 'confirm', 'request', ['retrieve', 'confirm']],
    ['after the capture', 'confirm', 'answer', ['retrieve']],
  ] as const)('K1: %s is finished by another process and captured once', async (_, call, moment, seen) => {
    const main = await mainProcess();
    const doomed = createClient(services.payment, `127.0.0.1:${main.ports.grpcPort}`);
    const order = newOrder();
    const held = cards.line.hold(call, moment);
    const lost = cards.charge(order, doomed);
    await held.arrived;
    await main.end('SIGKILL');
    expect(await lost).toMatchObject({ kind: 'error', reason: 'UNAVAILABLE' });
    doomed.close();
    // The dead process's lease still stands, on the database's clock. Rather than wait for it, let it run out now.
    await cards.endLeases(order);
    cards.line.seen.length = 0;
    expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
    expect(cards.line.seen).toEqual(seen);
    // The dead process's request, wherever it was on its way, arrives last.
    await held.deliver();
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('H23: has logged neither payment method nor key', async () => {
    const main = await mainProcess();
    const log: string[] = [];
    main.child.stdout?.on('data', (chunk) => log.push(String(chunk)));
    const client = createClient(services.payment, `127.0.0.1:${main.ports.grpcPort}`);
    const order = newOrder();
    await cards.charge(newOrder(), client, 'pm_no_such_card');
    cards.line.lose('confirm');
    await cards.charge(order, client);
    await cards.undo(order, client);
    client.close();
    await main.end();
    expect(log.join('')).toContain('a call to the card provider failed');
    expect(log.join('')).not.toMatch(/pm_|sk_test/);
    expect(log.join('')).not.toContain(order.key);
  });
});

describe('an attempt at the provider', () => {
  it('holds the order for 5 s at most, whatever a call may take: a crash must not keep the next one waiting', async () => {
    const slowest = await cards.replica({ STRIPE_TIMEOUT_MS: 60_000 });
    const order = newOrder();
    const held = cards.line.hold('create', 'request');
    const charging = cards.charge(order, slowest);
    await held.arrived;
    const { rows } = await cards.payment.database.pool.query(
      'select extract(epoch from lease_until - claimed_at)::float8 as lease_s from holdfast.claims where scope = $1',
      [order.orderId],
    );
    expect(rows[0].lease_s).toBeGreaterThan(0);
    expect(rows[0].lease_s).toBeLessThanOrEqual(5);
    await held.deliver();
    expect(await charging).toMatchObject({ kind: 'completed' });
  });

  it.each([
    ['create', 'answer'],
    ['confirm', 'request'],
    ['confirm', 'answer'],
  ] as const)(
    'H12: that is slow (its %s, at the %s) and was overtaken captures nothing more and stores nothing',
    async (call, moment) => {
      const order = newOrder();
      const patient = await cards.replica(PATIENT);
      const slow = cards.line.hold(call, moment);
      const first = cards.charge(order, patient);
      await slow.arrived;
      await cards.endLeases(order);
      const second = await cards.charge(order);
      expect(second).toMatchObject({ kind: 'completed', replayed: false });
      const before = await cards.recorded(order);
      cards.line.seen.length = 0;
      await slow.deliver();
      expect(await first).toMatchObject(UNKNOWN);
      expect(cards.line.seen).not.toContain('confirm');
      expect(await cards.recorded(order)).toEqual(before);
      expect(await cards.charge(order, patient)).toEqual({ ...second, replayed: true });
      expect(await cards.books(order)).toEqual(TAKEN);
    },
  );

  it('S5: that was overtaken by one that was declined can’t capture after all', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const slow = cards.line.hold('confirm', 'request');
    const first = cards.charge(order, patient);
    await slow.arrived;
    await cards.endLeases(order);
    // The bank declines this time, whatever the card is.
    await cards.sandbox.setFaults({ payments: { ...NO_FAULTS, refused: 1 } });
    const declined = await cards.charge(order);
    expect(declined).toMatchObject({ reason: 'CARD_DECLINED', replayed: false });
    await cards.sandbox.setFaults({});
    expect(await slow.deliver()).toBe(400);
    expect(await first).toMatchObject(UNKNOWN);
    expect(await cards.charge(order)).toEqual({ ...declined, replayed: true });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('A1: under another key captures nothing beside the first', async () => {
    const order = newOrder();
    const byHand = { ...order, key: `${order.key}-by-hand` };
    const patient = await cards.replica(PATIENT);
    const held = cards.line.hold('create', 'answer');
    const other = cards.charge(byHand, patient);
    await held.arrived;
    const first = await cards.charge(order);
    await held.deliver();
    expect(await other).toMatchObject(UNKNOWN);
    expect(await cards.charge(byHand)).toMatchObject({
      kind: 'completed',
      message: first.kind === 'completed' ? first.message : {},
    });
    expect(await cards.books(order)).toEqual(TAKEN);
  });

  it('K7: that is slow holds no database connection', async () => {
    const patient = await cards.replica(PATIENT);
    const orders = Array.from({ length: 30 }, newOrder);
    const held = orders.map(() => cards.line.hold('confirm', 'request'));
    const charging = orders.map((order) => cards.charge(order, patient));
    await Promise.all(held.map((one) => one.arrived));
    const { pool } = cards.payment.database;
    expect(pool.totalCount - pool.idleCount).toBe(0);
    await Promise.all(held.map((one) => one.deliver()));
    expect((await Promise.all(charging)).filter((result) => result.kind === 'completed')).toHaveLength(orders.length);
  });
});

describe('a provider', () => {
  it.each([
    ['that is not set up', { STRIPE_SECRET_KEY: null }, 100],
    // An operator has to come: it is asked less and less often.
    ['that refuses our key', { STRIPE_SECRET_KEY: 'sk_test_of_somebody_else' }, 1_000],
  ])(
    'G8: %s decides nothing: the order waits, accounts go on, and it is captured later',
    async (_, settings, pushbackMs) => {
      const without = await cards.replica(settings);
      const order = newOrder();
      const unknown = await cards.charge(order, without);
      expect(unknown).toMatchObject({ ...UNKNOWN, pushbackMs });
      if (settings.STRIPE_SECRET_KEY === null) {
        expect(unknown).toMatchObject({ message: expect.stringContaining('STRIPE_SECRET_KEY') });
      }
      const put = { customerId: 'ann', balance: 5, currency: 'EUR' };
      const key = `put-for-${order.orderId}`;
      expect(await without.PutAccount(put, { timeoutMs: 5_000, tenantId: TENANT, key })).toMatchObject({
        kind: 'completed',
      });
      expect(await cards.charge(order)).toMatchObject({ kind: 'completed', replayed: false });
      expect(await cards.undo(order, without)).toMatchObject(UNKNOWN);
      expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    },
  );
});
