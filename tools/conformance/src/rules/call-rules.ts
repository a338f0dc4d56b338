import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect } from 'vitest';
import type { Called, Calls } from '../grpc-call.ts';
import type { Outage } from '../outage.ts';
import { CARD, Shop } from '../shop.ts';
import type { Target } from '../target.ts';
import { CHARGE, OrderCalls, RESERVE } from './order-calls.ts';
import { rule } from './rule.ts';

function expectCall(called: Called, code: Called['code'], reason: string, pushback: 'none' | 'some'): void {
  expect([called.code, called.reason]).toEqual([code, reason]);
  // Digits only, or -1: clients retry at once on anything else.
  expect(called.pushback).toMatch(pushback === 'none' ? /^-1$/ : /^\d+$/);
}

/** G1 to G6: which request a key stands for. */
export function callKeyRules(target: () => Target, calls: () => Calls): void {
  rule('G1', 'a call without a key is refused, and nothing runs', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const called = await calls().step('inventory', 'ReserveInventory', order.id, order.lines);
    expectCall(called, 'INVALID_ARGUMENT', 'IDEMPOTENCY_KEY_MISSING', 'none');
    await order.shop.expectEffects(0);
  });

  rule('G2', 'a malformed key is refused', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    for (const key of ['short', 'x'.repeat(129), 'with a space inside it', ['two-keys-0123456', 'two-keys-0123457']]) {
      const called = await calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key });
      expectCall(called, 'INVALID_ARGUMENT', 'IDEMPOTENCY_KEY_INVALID', 'none');
    }
    await order.shop.expectEffects(0);
    await expectKeysOfAnotherOrderRefused(calls(), order);
  });

  rule('G3', 'the same call again gets the same bytes, marked as replayed', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const reserve = (replica: number) =>
      calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key: order.key(RESERVE), replica });
    const first = await reserve(0);
    expect([first.code, first.replayed]).toEqual(['OK', false]);
    const again = await reserve(1);
    expect(again).toEqual({ ...first, replayed: true });
    expect((await order.shop.effects()).held).toBe(1);
  });

  rule('G18', 'a set under its key is done once, whatever comes in between', target, async (system) => {
    const { customerId, sku } = await Shop.open(system);
    const sets = [
      ['payment', 'PutAccount', { customerId, balance: 77 }, 'AdjustAccount', { customerId, delta: -7 }],
      ['inventory', 'PutStock', { sku, onHand: 77 }, 'AdjustStock', { sku, delta: -7 }],
    ] as const;
    for (const [service, put, wanted, adjust, change] of sets) {
      const key = system.newKey();
      const set = (replica: number) => calls().call(service, put, wanted, { key, replica });
      const first = await set(0);
      expect([first.code, first.replayed]).toEqual(['OK', false]);
      const adjusted = await calls().call(service, adjust, change, { key: system.newKey() });
      expect(await set(1)).toEqual({ ...first, replayed: true });
      const bare = await calls().call(service, put, wanted);
      expectCall(bare, 'INVALID_ARGUMENT', 'IDEMPOTENCY_KEY_MISSING', 'none');
      const { balance, onHand } = adjusted.message.account ?? adjusted.message.stock;
      expect(balance ?? onHand).toBe(70);
    }
    expect((await system.http('GET', `/v1/accounts/${customerId}`)).body.balance).toBe(70);
    expect((await system.http('GET', `/v1/stock/${sku}`)).body.onHand).toBe(70);
  });

  rule('G4', 'another request under the key is refused', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const key = order.key(RESERVE);
    const first = await calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key });
    const two = { currency: 'EUR', lines: [{ sku: order.shop.sku, quantity: 2 }] };
    const other = await calls().step('inventory', 'ReserveInventory', order.id, two, { key });
    expectCall(other, 'FAILED_PRECONDITION', 'IDEMPOTENCY_KEY_REUSED', 'none');
    const again = await calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key });
    expect(again).toEqual({ ...first, replayed: true });
    expect((await order.shop.effects()).held).toBe(1);
  });

  rule('G5', 'in flight: waits a while, then says so', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    await system.setFaults({ payments: { slow: 1, slowMs: 900 } });
    const charge = (timeoutMs: number, replica: number) =>
      calls().step('payment', 'ChargePayment', order.id, order.charge(CARD), {
        key: order.key(CHARGE),
        timeoutMs,
        replica,
      });
    const first = charge(10_000, 0);
    await untilInFlight(calls(), order);
    const impatient = await charge(300, 1);
    expectCall(impatient, 'ABORTED', 'REQUEST_IN_PROGRESS', 'some');
    expect(Number(impatient.pushback)).toBeGreaterThanOrEqual(20);
    await system.setFaults({});
    const done = await first;
    expect(done.code).toBe('OK');
    expect(await charge(10_000, 1)).toEqual({ ...done, replayed: true });
    expect(await system.captures(order.id)).toBe(1);
  });

  rule('G6', 'a business refusal is final, even when stock has come back', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const key = order.key(RESERVE);
    const tooMany = { currency: 'EUR', lines: [{ sku: order.shop.sku, quantity: 2_000 }] };
    const reserve = () => calls().step('inventory', 'ReserveInventory', order.id, tooMany, { key });
    const refused = await reserve();
    expectCall(refused, 'FAILED_PRECONDITION', 'OUT_OF_STOCK', 'none');
    expect((await order.shop.adjust(system.newKey(), 5_000)).status).toBe(200);
    expect(await reserve()).toEqual({ ...refused, replayed: true });
    expect((await order.shop.effects()).held).toBe(0);
    const poor = { ...order.charge(), amount: 2_000_000_000 };
    const charged = await calls().step('payment', 'ChargePayment', order.id, poor, { key: order.key(CHARGE) });
    expectCall(charged, 'FAILED_PRECONDITION', 'INSUFFICIENT_FUNDS', 'none');
  });
}

/** A step's key begins with its order: an undo under another order's key would seal that one's act, and undo this one's. */
async function expectKeysOfAnotherOrderRefused(calls: Calls, order: OrderCalls): Promise<void> {
  const other = new OrderCalls(order.shop);
  const key = order.key(RESERVE);
  expect((await calls.step('inventory', 'ReserveInventory', order.id, order.lines, { key })).code).toBe('OK');
  const stranger = await calls.step('inventory', 'ReserveInventory', order.id, order.lines, {
    key: other.key(RESERVE),
  });
  expectCall(stranger, 'INVALID_ARGUMENT', 'IDEMPOTENCY_KEY_INVALID', 'none');
  const undo = { key: `${other.key(RESERVE)}:undo` };
  const undone = await calls.step('inventory', 'ReleaseInventory', order.id, {}, undo);
  expectCall(undone, 'INVALID_ARGUMENT', 'IDEMPOTENCY_KEY_INVALID', 'none');
  expect((await calls.ask('inventory', other.key(RESERVE))).state).toBe('STEP_STATE_UNKNOWN_KEY');
  expect((await order.shop.effects()).held).toBe(1);
}

/** Until the charge of an order is claimed and not yet answered. */
async function untilInFlight(calls: Calls, order: OrderCalls): Promise<void> {
  for (let look = 0; look < 400; look++) {
    if ((await calls.ask('payment', order.key(CHARGE))).state === 'STEP_STATE_IN_FLIGHT') return;
    await delay(10);
  }
  throw new Error('the charge was never in flight');
}

/** G9 to G12 and G16: fences, seals, and asking. */
export function sealRules(target: () => Target, calls: () => Calls): void {
  rule('G9', 'a lower epoch than the highest seen changes nothing', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const reserved = await calls().step('inventory', 'ReserveInventory', order.id, order.lines, {
      key: order.key(RESERVE),
      epoch: 5,
    });
    expect(reserved.code).toBe('OK');
    const key = `${order.key(RESERVE)}:undo`;
    const late = await calls().step('inventory', 'ReleaseInventory', order.id, {}, { key, epoch: 4 });
    expectCall(late, 'ABORTED', 'FENCED', 'none');
    expect((await calls().ask('inventory', key)).state).toBe('STEP_STATE_UNKNOWN_KEY');
    expect((await order.shop.effects()).held).toBe(1);
  });

  rule('G10', 'an act after its undo never runs', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const key = order.key(CHARGE);
    expect((await calls().step('payment', 'RefundPayment', order.id, {}, { key: `${key}:undo` })).code).toBe('OK');
    for (const replica of [0, 1]) {
      const late = await calls().step('payment', 'ChargePayment', order.id, order.charge(), { key, replica });
      expectCall(late, 'FAILED_PRECONDITION', 'SEALED', 'none');
    }
    await order.shop.expectEffects(0);
  });

  rule('G11', 'an undo of what never ran is done, and changes nothing but the seal', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const steps = [
      ['inventory', 'ReleaseInventory', RESERVE],
      ['payment', 'RefundPayment', CHARGE],
      ['shipping', 'CancelShipment', 'create-shipment'],
    ] as const;
    for (const [service, method, step] of steps) {
      const undo = () => calls().step(service, method, order.id, {}, { key: `${order.key(step)}:undo` });
      const first = await undo();
      expect(first.code).toBe('OK');
      expect(await undo()).toEqual({ ...first, replayed: true });
      expect((await calls().ask(service, order.key(step))).state).toBe('STEP_STATE_SEALED');
    }
    await order.shop.expectEffects(0);
  });

  rule('G12', 'act and undo at the same instant leave no effect', target, async (system) => {
    const shop = await Shop.open(system);
    const races = Array.from({ length: 20 }, async (_, at) => {
      const order = new OrderCalls(shop);
      const key = order.key(RESERVE);
      const act = () => calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key, replica: at });
      const undo = () =>
        calls().step('inventory', 'ReleaseInventory', order.id, {}, { key: `${key}:undo`, replica: at + 1 });
      const [acted, undone] = await Promise.all(at % 2 === 0 ? [act(), undo()] : [undo(), act()].reverse());
      expect(undone?.code).toBe('OK');
      return acted?.code;
    });
    const codes = await Promise.all(races);
    expect(new Set(codes).isSubsetOf(new Set(['OK', 'FAILED_PRECONDITION']))).toBe(true);
    await shop.expectEffects(0);
    return `${codes.filter((code) => code === 'OK').length} of ${codes.length} acts came first`;
  });

  rule('G16', 'a key can be asked for', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const key = order.key(RESERVE);
    const state = async (step: string) => (await calls().ask('inventory', step)).state;
    expect(await state(key)).toBe('STEP_STATE_UNKNOWN_KEY');
    const reserved = await calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key });
    const executed = await calls().ask('inventory', key);
    expect([executed.state, executed.reserved]).toEqual(['STEP_STATE_EXECUTED', reserved.message]);
    const refusedKey = order.key('charge-refused');
    await calls().step(
      'payment',
      'ChargePayment',
      order.id,
      { ...order.charge(), amount: 2_000_000_000 },
      { key: refusedKey },
    );
    const refused = await calls().ask('payment', refusedKey);
    expect([refused.state, refused.refusal?.reason]).toEqual(['STEP_STATE_REFUSED', 'INSUFFICIENT_FUNDS']);
    await calls().step('inventory', 'ReleaseInventory', order.id, {}, { key: `${key}:undo` });
    expect(await state(key)).toBe('STEP_STATE_SEALED');
    await system.setFaults({ payments: { slow: 1, slowMs: 500 } });
    const slow = new OrderCalls(order.shop);
    const charge = calls().step('payment', 'ChargePayment', slow.id, slow.charge(CARD), { key: slow.key(CHARGE) });
    await untilInFlight(calls(), slow);
    await system.setFaults({});
    expect((await charge).code).toBe('OK');
  });
}

/** G7, G8, G13 to G15, G17: what a caller is told when things go wrong. */
export function callFailureRules(target: () => Target, calls: () => Calls, outage: () => Outage): void {
  rule('G7', 'a transient failure without effect is not stored', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const key = order.key(RESERVE);
    const reserve = () => calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key });
    const held = new pg.Client({ connectionString: system.control.service('inventory').databaseUrl });
    await held.connect();
    try {
      await held.query('begin');
      await held.query('select from stock where sku = $1 for update', [order.shop.sku]);
      expectCall(await reserve(), 'UNAVAILABLE', 'TRY_AGAIN', 'some');
    } finally {
      await held.end();
    }
    const done = await reserve();
    expect([done.code, done.replayed]).toEqual(['OK', false]);
  });

  rule('G8', 'an unknown outcome at the provider is asked for by the same derived key', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const key = order.key(CHARGE);
    const charge = () => calls().step('payment', 'ChargePayment', order.id, order.charge(CARD), { key });
    await system.setFaults({ payments: { lostAnswer: 1 } });
    const unknown = await charge();
    expectCall(unknown, 'UNAVAILABLE', 'OUTCOME_UNKNOWN', 'some');
    expect((await calls().ask('payment', key)).state).toBe('STEP_STATE_IN_FLIGHT');
    await system.setFaults({});
    expect((await charge()).code).toBe('OK');
    expect(await system.captures(order.id)).toBe(1);
  });

  rule('G13', 'the caller stops waiting: the work goes on, and its answer is stored', target, async (system) => {
    const shop = await Shop.open(system);
    await system.setFaults({ payments: { slow: 1, slowMs: 500 } });
    for (const giveUp of [{ timeoutMs: 250 }, { cancelAfterMs: 250 }]) {
      const order = new OrderCalls(shop);
      const charge = (options: object) =>
        calls().step('payment', 'ChargePayment', order.id, order.charge(CARD), { key: order.key(CHARGE), ...options });
      const told = await charge(giveUp);
      expect(['DEADLINE_EXCEEDED', 'CANCELLED']).toContain(told.code);
      let later = await charge({});
      for (let again = 0; later.reason === 'REQUEST_IN_PROGRESS' && again < 20; again++) later = await charge({});
      expect([later.code, later.replayed]).toEqual(['OK', true]);
      expect(await system.captures(order.id)).toBe(1);
    }
    await system.setFaults({});
  });

  rule('G14', 'hedged three times: one effect, and losers do not cancel the winner', target, async (system) => {
    const shop = await Shop.open(system);
    for (let round = 0; round < 5; round++) {
      const order = new OrderCalls(shop);
      const losers = new AbortController();
      const hedges = [0, 1, 2].map((replica) =>
        calls().step('inventory', 'ReserveInventory', order.id, order.lines, {
          key: order.key(RESERVE),
          replica,
          signal: losers.signal,
        }),
      );
      const winner = await Promise.any(hedges.map((hedge) => hedge.then(mustBeOk)));
      losers.abort();
      await Promise.all(hedges);
      const later = await calls().step('inventory', 'ReserveInventory', order.id, order.lines, {
        key: order.key(RESERVE),
      });
      expect([later.bytes, later.replayed]).toEqual([winner.bytes, true]);
    }
    expect((await shop.effects()).held).toBe(5);
  });

  rule('G17', 'the service restarts and knows nothing by heart: the same answers', target, async (system) => {
    const order = new OrderCalls(await Shop.open(system));
    const reserve = () =>
      calls().step('inventory', 'ReserveInventory', order.id, order.lines, { key: order.key(RESERVE) });
    const tooMany = { currency: 'EUR', lines: [{ sku: order.shop.sku, quantity: 2_000 }] };
    const refuse = () =>
      calls().step('inventory', 'ReserveInventory', `${order.id}-2`, tooMany, { key: `${order.id}-2:${RESERVE}` });
    const before = [await reserve(), await refuse()];
    const replicas = Array.from({ length: system.control.replicas('inventory') }, (_, replica) => replica);
    await Promise.all(replicas.map((replica) => system.control.killAndAwait('inventory', replica)));
    const after = [await whenReachable(reserve), await whenReachable(refuse)];
    expect(after).toEqual(before.map((called) => ({ ...called, replayed: true })));
  });

  rule('G15', 'the store is down: said so, and nothing runs', target, async () => {
    const { told, done, calls: placed, held } = (await outage().seen()).overGrpc;
    expect(done?.code).toBe('OK');
    expect(told.length).toBeGreaterThan(0);
    for (const called of told) expectCall(called, 'UNAVAILABLE', 'STORE_UNAVAILABLE', 'some');
    expect(held).toBe(placed);
    return `${told.length} refused meanwhile`;
  });
}

function mustBeOk(called: Called): Called {
  if (called.code !== 'OK') throw new Error(`${called.code} ${called.reason}`);
  return called;
}

/** A channel that has just lost its server says UNAVAILABLE until it has another. */
async function whenReachable(call: () => Promise<Called>): Promise<Called> {
  for (let again = 0; ; again++) {
    const called = await call();
    if (called.code !== 'UNAVAILABLE' || again === 50) return called;
    await delay(100);
  }
}
