import { request as rawRequest } from 'node:http';
import pg from 'pg';
import { expect } from 'vitest';
import { until } from '../control.ts';
import { durationMs, ulid, uuidV7 } from '../keys.ts';
import { CARD, Shop } from '../shop.ts';
import type { Reply, Target } from '../target.ts';
import { expectKeyHeaders, expectProblem } from './expect-reply.ts';
import { NotSeen } from './not-seen.ts';
import { rule } from './rule.ts';

/** H1, H2, H4 to H6 and H8: which request a key stands for. */
export function keyRules(target: () => Target): void {
  rule('H1', 'a missing key is refused, and nothing runs', target, async (system) => {
    const shop = await Shop.open(system);
    const order = await system.http('POST', '/v1/orders', { body: shop.order() });
    expectProblem(order, 400, 'idempotency-key-missing', false);
    const adjusted = await system.http('POST', `/v1/stock/${shop.sku}/adjust`, { body: { delta: 1 } });
    expectProblem(adjusted, 400, 'idempotency-key-missing', false);
    await shop.expectEffects(0);
  });

  rule('H2', 'a malformed key is refused; in quotes it is the same key', target, async (system) => {
    const shop = await Shop.open(system);
    const malformed = [
      'too-short',
      'x'.repeat(129),
      'has a space in the middle',
      '"unbalanced-quotes',
      'sixteen-letters-é',
    ];
    for (const key of [...malformed, 'two-keys-0123456, two-keys-0123457', '""doubly-quoted-0123""']) {
      expectProblem(await shop.place(key), 400, 'idempotency-key-invalid', false);
    }
    expect(await twoKeyHeaders(system, shop)).toBe(400);
    const key = system.newKey();
    const plain = await shop.place(key);
    expect((await shop.place(`"${key}"`)).text).toBe(plain.text);
    await system.untilEnded(plain.body.id);
    await shop.expectEffects(1);
  });

  rule('H4', 'the first request runs once', target, async (system) => {
    const shop = await Shop.open(system);
    const key = system.newKey();
    const first = await shop.place(key, { prefer: 'wait=20' });
    expect([first.status, first.body.status]).toEqual([201, 'completed']);
    expectKeyHeaders(first, key, false);
    await shop.expectEffects(1);
  });

  rule('H5', 'the same request again gets the same bytes, and nothing runs', target, async (system) => {
    const shop = await Shop.open(system);
    const key = system.newKey();
    const first = await shop.place(key);
    await system.untilEnded(first.body.id);
    for (const replica of [0, 1]) {
      const again = await shop.place(key, { replica });
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
      expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
      expectKeyHeaders(again, key, true);
    }
    await shop.expectEffects(1);
    await expectAdjustedOnce(system, shop);
  });

  rule('H6', 'another request under the key is refused, naming members but no values', target, async (system) => {
    const shop = await Shop.open(system);
    const key = system.newKey();
    const first = await shop.place(key);
    const other = await shop.place(key, { order: { payment: { method: CARD }, customerId: 'somebody-else' } });
    expectProblem(other, 422, 'idempotency-key-reused', false);
    expectKeyHeaders(other, key, false);
    expect(other.body.errors.map((fault: { pointer: string }) => fault.pointer)).toEqual(['/customerId', '/payment']);
    expect(other.text).not.toMatch(/somebody-else|pm_card/);
    await expectOtherOperationRefused(system, shop, key);
    expect((await shop.place(key)).text).toBe(first.text);
    await system.untilEnded(first.body.id);
    await shop.expectEffects(1);
  });

  rule('H8', 'white space and the order of members make no difference', target, async (system) => {
    const shop = await Shop.open(system);
    const key = system.newKey();
    const first = await shop.place(key);
    const reordered = Object.fromEntries(Object.entries(shop.order()).reverse());
    const spaced = await system.http('POST', '/v1/orders', { body: JSON.stringify(reordered, null, 4), key });
    expect(spaced.text).toBe(first.text);
    const escaped = JSON.stringify(shop.order()).replace('balance', '\\u0062alance');
    expect((await system.http('POST', '/v1/orders', { body: escaped, key })).text).toBe(first.text);
  });
}

async function expectAdjustedOnce(system: Target, shop: Shop): Promise<void> {
  const before = await shop.effects();
  const key = system.newKey();
  const taken = await shop.adjust(key, -5);
  expect([taken.status, taken.body.onHand]).toEqual([200, before.onHand - 5]);
  const replay = await shop.adjust(key, -5, { replica: 1 });
  expect([replay.status, replay.text]).toEqual([200, taken.text]);
  expectKeyHeaders(replay, key, true);
  const greedy = system.newKey();
  const refused = await shop.adjust(greedy, -before.onHand);
  expectProblem(refused, 409, 'out-of-stock', false);
  await shop.adjust(system.newKey(), before.onHand);
  const refusedAgain = await shop.adjust(greedy, -before.onHand);
  expect([refusedAgain.status, refusedAgain.text]).toEqual([409, refused.text]);
  expectKeyHeaders(refusedAgain, greedy, true);
  expect((await shop.effects()).onHand).toBe(2 * before.onHand - 5);
}

/** An order's key can't adjust anything, and the reverse: whichever came first stands. */
async function expectOtherOperationRefused(system: Target, shop: Shop, ordersKey: string): Promise<void> {
  const before = await shop.effects();
  for (const path of [`/v1/stock/${shop.sku}/adjust`, `/v1/accounts/${shop.customerId}/adjust`]) {
    const adjusted = await system.http('POST', path, { body: { delta: 3 }, key: ordersKey });
    expectProblem(adjusted, 422, 'idempotency-key-reused', false);
    expect(adjusted.text).not.toMatch(/order|items|customerId/);
  }
  const key = system.newKey();
  const adjusted = await shop.adjust(key, 3);
  expectProblem(await shop.place(key), 422, 'idempotency-key-reused', false);
  expectProblem(await shop.adjust(key, 4), 422, 'idempotency-key-reused', false);
  expect((await shop.adjust(key, 3)).text).toBe(adjusted.text);
  expect(await shop.effects()).toMatchObject({ onHand: before.onHand + 3 });
  await shop.adjust(system.newKey(), -3);
}

async function twoKeyHeaders(system: Target, shop: Shop): Promise<number | undefined> {
  const url = new URL('/v1/orders', system.options.urls[0]);
  const sent = rawRequest(url, { method: 'POST' });
  sent.setHeader('authorization', `Bearer ${system.options.apiKey}`);
  sent.setHeader('content-type', 'application/json');
  sent.setHeader('idempotency-key', [system.newKey(), system.newKey()]);
  return await new Promise((resolve, reject) => {
    sent.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once('error', reject);
    sent.end(JSON.stringify(shop.order()));
  });
}

interface RefusedInFlight {
  readonly key: string;
  readonly first: Promise<Reply>;
  readonly refused: Reply;
}

/**
 * An order in flight, and the 409 that a second request of its key got meanwhile. The network may deliver the second
 * request first, or after the order's end: both are allowed, and then another key is tried.
 */
async function refusedInFlight(system: Target, shop: Shop, order: object): Promise<RefusedInFlight> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    const key = system.newKey();
    const first = shop.place(key, { order, prefer: 'wait=20' });
    const refused = await shop.place(key, { order, replica: 1 });
    if (refused.status === 409) return { key, first, refused };
    await first;
  }
  throw new Error('10 keys in turn: no second request was refused while the first was in flight');
}

/** H7, H9, H10, H13: what is told while nothing is known for good. */
export function waitingRules(target: () => Target): void {
  rule('H7', 'in flight: waits as long as it may, then gets the answer, or 409', target, async (system) => {
    const shop = await Shop.open(system);
    const order = { payment: { method: CARD } };
    await system.setFaults({ payments: { slow: 1, slowMs: 1_000 } });
    const { key, first, refused } = await refusedInFlight(system, shop, order);
    expectProblem(refused, 409, 'request-in-progress', true);
    expectKeyHeaders(refused, key, false);
    // Refused although it would have to wait: another request is known at once.
    expect((await shop.place(key, { prefer: 'wait=5' })).status).toBe(422);
    const patient = [0, 1].map((replica) => shop.place(key, { order, prefer: 'wait=5', replica }));
    await system.setFaults({});
    const [one, ...others] = await Promise.all([first, ...patient]);
    expect(one?.body.status).toBe('completed');
    for (const other of others) {
      expect([other.status, other.text]).toEqual([201, one?.text]);
      expectKeyHeaders(other, key, true);
    }
  });

  rule('H9', 'nothing happened for sure: 503, not stored, and the same key goes on', target, async (system) => {
    const shop = await Shop.open(system);
    const held = new pg.Client({ connectionString: system.control.service('inventory').databaseUrl });
    await held.connect();
    const key = system.newKey();
    try {
      await held.query('begin');
      await held.query('select from stock where sku = $1 for update', [shop.sku]);
      const busy = await shop.adjust(key, -1);
      expectProblem(busy, 503, 'try-again', true);
      expectKeyHeaders(busy, key, false);
    } finally {
      await held.end();
    }
    const done = await shop.adjust(key, -1);
    expect([done.status, done.body?.onHand]).toEqual([200, 999]);
    expectKeyHeaders(done, key, false);
    expect((await shop.adjust(key, -1)).text).toBe(done.text);
  });

  rule('H10', 'an unknown outcome is no failure: the client sees processing', target, async (system) => {
    const shop = await Shop.open(system);
    await system.setFaults({ payments: { lostAnswer: 1 } });
    const key = system.newKey();
    const order = { payment: { method: CARD } };
    const told = await shop.place(key, { order, prefer: 'wait=1' });
    await system.setFaults({});
    expect([told.status, told.body.status]).toEqual([201, 'processing']);
    expect((await system.untilEnded(told.body.id)).status).toBe('completed');
    expect(await system.captures(told.body.id)).toBe(1);
    expect((await shop.place(key, { order })).text).toBe(told.text);
  });

  rule('H13', 'the client hangs up: the work goes on, and the retry gets its end', target, async (system) => {
    const shop = await Shop.open(system);
    await system.setFaults({ payments: { slow: 1, slowMs: 600 } });
    const key = system.newKey();
    const order = { payment: { method: CARD } };
    const hungUp = shop.place(key, { order, prefer: 'wait=20', signal: AbortSignal.timeout(300) });
    await expect(hungUp).rejects.toThrow();
    let retry: Reply | undefined;
    await until('the retry has its answer', 20_000, async () => {
      retry = await shop.place(key, { order, prefer: 'wait=5' });
      return retry.status === 201;
    });
    await system.setFaults({});
    expect((await system.untilEnded(retry?.body.id)).status).toBe('completed');
    expect(await system.captures(retry?.body.id)).toBe(1);
  });
}

/** H16, H17, H20 to H22: what is decided before a claim, or without one. */
export function edgeRules(target: () => Target): void {
  rule('H16', 'a key that says it is older than keys are remembered is refused', target, async (system) => {
    const shop = await Shop.open(system);
    const { body } = await system.http('GET', '/v1/config');
    const tooOld = Date.now() - durationMs(body.tombstoneLifetime) - 86_400_000;
    for (const key of [uuidV7(tooOld), ulid(tooOld)]) {
      expectProblem(await shop.place(key), 412, 'idempotency-key-expired', false);
      expectProblem(await shop.adjust(key, 1), 412, 'idempotency-key-expired', false);
    }
    const fresh = [uuidV7(Date.now()), ulid(Date.now()), uuidV7(tooOld + 2 * 86_400_000)];
    for (const key of fresh) {
      const placed = await shop.place(key);
      expect(placed.status, placed.text).toBe(201);
      await system.untilEnded(placed.body.id);
    }
    await shop.expectEffects(fresh.length);
  });

  rule('H17', 'the same key of another tenant is another key', target, async (system) => {
    const apiKey = system.options.otherApiKey;
    if (apiKey === undefined) throw new NotSeen('needs a second tenant: set HOLDFAST_OTHER_API_KEY');
    const [mine, theirs] = [await Shop.open(system), await Shop.open(system, apiKey)];
    const key = system.newKey();
    const first = await mine.place(key);
    const unknown = await system.http('GET', `/v1/idempotency-keys/${system.newKey()}`, { apiKey });
    const hidden = await system.http('GET', `/v1/idempotency-keys/${key}`, { apiKey });
    expect([hidden.status, hidden.text]).toEqual([404, unknown.text]);
    const other = await theirs.place(key);
    expect(other.status, other.text).toBe(201);
    expectKeyHeaders(other, key, false);
    expect(other.body.id).not.toBe(first.body.id);
    expect((await system.http('GET', `/v1/orders/${first.body.id}`, { apiKey })).status).toBe(404);
    await Promise.all([
      system.untilEnded(first.body.id),
      until('theirs ends', 20_000, () => isCompleted(system, other, apiKey)),
    ]);
    await mine.expectEffects(1);
    await theirs.expectEffects(1);
  });

  rule('H20', 'what is not one clear request is refused before the claim, naming the place', target, async (system) => {
    const shop = await Shop.open(system);
    const whole = JSON.stringify(shop.order());
    const cases: [string | Uint8Array<ArrayBuffer>, string, string | undefined][] = [
      [whole.replace('{', '{"customerId":"twice",'), 'invalid-request', '/customerId'],
      [whole.replace('"quantity":1', '"quantity":9007199254740993'), 'invalid-request', '/items/0/quantity'],
      [whole.replace('{', '{"colour":"red",'), 'invalid-request', '/colour'],
      [whole.replace('"city"', '"iban":"x","city"'), 'invalid-request', '/shipTo/iban'],
      [Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'malformed-json', undefined],
      [whole.slice(0, -2), 'malformed-json', undefined],
      [whole.replace('{', `{${' '.repeat(66_000)}`), 'body-too-large', ''],
    ];
    const key = system.newKey();
    for (const [body, code, pointer] of cases) {
      const refused = await system.http('POST', '/v1/orders', { body, key });
      expectProblem(refused, 400, code, false);
      expectKeyHeaders(refused, key, false);
      if (pointer !== undefined) expect(refused.body.errors[0].pointer).toBe(pointer);
    }
    // None of them has touched the key.
    expect((await system.http('GET', `/v1/idempotency-keys/${key}`)).status).toBe(404);
    expect((await shop.place(key)).status).toBe(201);
  });

  rule('H21', 'a key can be asked for: its state and resource, no body', target, async (system) => {
    const shop = await Shop.open(system);
    const key = system.newKey();
    const ask = async () => await system.http('GET', `/v1/idempotency-keys/${key}`, { replica: 1 });
    expect((await ask()).status).toBe(404);
    const placed = await shop.place(key);
    const asked = await ask();
    const expires = placed.headers.get('idempotency-expires');
    const { createdAt } = placed.body;
    const resource = `/v1/orders/${placed.body.id}`;
    expect(asked.body).toEqual({
      state: 'answered',
      operation: 'POST /v1/orders',
      createdAt,
      expiresAt: expires,
      resource,
    });
    const adjustment = system.newKey();
    await shop.adjust(adjustment, 1);
    const { body } = await system.http('GET', `/v1/idempotency-keys/${adjustment}`);
    expect(body).toMatchObject({ state: 'answered', resource: `/v1/stock/${shop.sku}` });
    expect((await system.http('GET', '/v1/idempotency-keys/short')).status).toBe(400);
  });

  rule('H22', 'the grammar of keys and their life spans can be read', target, async (system) => {
    const { status, body } = await system.http('GET', '/v1/config');
    expect(status).toBe(200);
    const grammar = new RegExp(body.idempotencyKeyGrammar);
    expect([grammar.test(system.newKey()), grammar.test('short'), grammar.test('x'.repeat(129))]).toEqual([
      true,
      false,
      false,
    ]);
    const lifetimeMs = durationMs(body.idempotencyKeyLifetime);
    expect(durationMs(body.tombstoneLifetime)).toBeGreaterThanOrEqual(lifetimeMs);
    const shop = await Shop.open(system);
    const placed = await shop.place(system.newKey());
    const expires = Date.parse(placed.headers.get('idempotency-expires') ?? '');
    expect(expires - Date.parse(placed.body.createdAt)).toBe(lifetimeMs);
  });
}

async function isCompleted(system: Target, order: Reply, apiKey: string): Promise<boolean> {
  return (await system.http('GET', `/v1/orders/${order.body.id}`, { apiKey })).body.status === 'completed';
}
