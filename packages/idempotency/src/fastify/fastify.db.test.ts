import { request as httpRequest } from 'node:http';
import { testDatabase } from '@holdfast/testing';
import { drizzle } from 'drizzle-orm/node-postgres';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { describe, expect, it } from 'vitest';
import { held, send, testShops } from '../../test/test-shop.ts';
import { idempotencyMigrations, newKey, type Transaction } from '../index.ts';
import { done, idempotency, idempotent } from './index.ts';

const { shop, paymentsUnder, claimsOf, opened, pool } = testShops();

/** A shop whose one handler does this with its transaction. */
async function shopOf(work: (tx: Transaction) => Promise<unknown>, then = () => {}): Promise<FastifyInstance> {
  const app = Fastify();
  opened.push(app);
  await app.register(idempotency, { pool: pool(), tenantOf: () => 'ada' });
  const handler = idempotent(async (_request, tx) => {
    await work(tx);
    then();
    return done(200, {});
  });
  app.post('/nested', { config: { idempotency: { required: false } } }, handler);
  return app;
}

describe('a keyed route', () => {
  it('H1, H2: refuses a missing or malformed key, runs nothing and keeps no row', async () => {
    const url = await shop();
    const missing = await send(url, {});
    expect([missing.status, missing.json().code]).toEqual([400, 'idempotency-key-missing']);
    for (const key of ['short', 'has, a comma in it', '"unbalanced-quotes-x']) {
      const invalid = await send(url, { key });
      expect([invalid.status, invalid.json().code, await claimsOf(key)]).toEqual([400, 'idempotency-key-invalid', 0]);
    }
  });

  it('H1: may leave the key to the caller, and then runs every time', async () => {
    const url = await shop();
    expect((await send(url, { path: '/tips' })).json()).toEqual({ underKey: null });
    const key = newKey();
    expect((await send(url, { path: '/tips', key })).json()).toEqual({ underKey: key });
    expect((await send(url, { path: '/tips', key })).replayed).toBe('true');
  });

  it('checks credentials before the key, and key and schema before the claim', async () => {
    const url = await shop();
    const key = newKey();
    const unknown = await fetch(`${url}/shops/1/payments`, { method: 'POST', headers: { 'idempotency-key': 'short' } });
    expect(unknown.status).toBe(401);
    expect((await send(url, { key, body: { amount: 'many' } })).status).toBe(400);
    expect((await send(url, { key, text: '{' })).status).toBe(400);
    expect(await claimsOf(key)).toBe(0);
    expect((await send(url, { key })).status).toBe(201);
  });

  it('H3: leaves routes without a keyed handler alone', async () => {
    const url = await shop();
    const headers = { authorization: 'ada', 'idempotency-key': 'short' };
    const response = await fetch(`${url}/plain`, { method: 'PUT', headers });
    expect([response.status, await response.json()]).toEqual([200, { plain: true }]);
  });

  it('H4, H5: runs once; the answer is replayed byte for byte with its listed headers, all others are fresh', async () => {
    const url = await shop();
    const key = newKey();
    const first = await send(url, { key });
    expect([first.status, first.replayed, first.head('idempotency-key')]).toEqual([201, 'false', key]);
    expect(Object.keys(first.json())).toEqual(['id', 'amount']);
    expect(first.head('set-cookie')).toBe('a=b');
    for (const again of [await send(url, { key: `"${key}"` }), await send(await shop(), { key })]) {
      expect([again.status, again.replayed, again.bytes]).toEqual([201, 'true', first.bytes]);
      for (const name of ['location', 'content-type', 'idempotency-key', 'idempotency-expires']) {
        expect(again.head(name)).toBe(first.head(name));
        expect(again.head(name)).not.toBeNull();
      }
      expect(again.head('set-cookie')).toBeNull();
      expect(again.head('x-fresh')).not.toBe(first.head('x-fresh'));
    }
    expect(await paymentsUnder(key)).toBe(1);
  });

  it('H6: refuses another request under the key, names what differs, and never its values', async () => {
    const [here, there] = [await shop(), await shop()];
    const key = newKey();
    const first = await send(here, { key, body: { amount: 5, note: 'x' } });
    for (const url of [here, there]) {
      const other = await send(url, { key, body: { amount: 12_345, cvc: '1' } });
      expect([other.status, other.json().code]).toEqual([422, 'idempotency-key-reused']);
      expect(other.json().errors.map((error: { pointer: string }) => error.pointer)).toEqual(['/amount', '/note']);
      expect(other.bytes).not.toContain('12345');
      expect((await send(url, { key, path: '/shops/2/payments', body: { amount: 5, note: 'x' } })).status).toBe(422);
      expect((await send(url, { key, path: '/shops/1/refunds', body: { amount: 5, note: 'x' } })).status).toBe(422);
      expect((await send(url, { key, path: '/shops/1/payments?dry=1', body: { amount: 5, note: 'x' } })).status).toBe(
        422,
      );
      const same = await send(url, { key, body: { amount: 5, note: 'x' } });
      expect([same.status, same.bytes]).toEqual([201, first.bytes]);
    }
  });

  it('H8: takes the same JSON in another order for the same request, and so what is redacted', async () => {
    const url = await shop();
    const key = newKey();
    await send(url, { key, text: '{"amount":5,"note":"x","cvc":"123"}' });
    const again = await send(url, { key, text: ' { "note" : "x", "cvc": "999", "amount":5 } ' });
    expect([again.status, again.replayed]).toEqual([201, 'true']);
    const { rows } = await pool().query('select members from claims where scope = $1', [key]);
    expect(Object.keys(rows[0].members)).not.toContain('/cvc');
  });

  it('H6, H7: while it runs, a duplicate is told so, another request is refused, in this process and in another', async () => {
    const { during, begun, end } = held();
    const [here, there] = [await shop({}, during), await shop()];
    const key = newKey();
    const first = send(here, { key });
    await begun;
    for (const url of [here, there]) {
      const duplicate = await send(url, { key });
      expect([duplicate.status, duplicate.json().code]).toEqual([409, 'request-in-progress']);
      expect(Number(duplicate.head('retry-after'))).toBeGreaterThanOrEqual(1);
      expect((await send(url, { key, body: { amount: 6 } })).status).toBe(422);
    }
    end();
    const answer = await first;
    for (const url of [here, there]) expect((await send(url, { key })).bytes).toBe(answer.bytes);
  });

  it('H7: a duplicate that would rather wait gets the answer, and holds no connection meanwhile', async () => {
    const { during, begun, end } = held();
    const [here, there] = [await shop({}, during), await shop()];
    const key = newKey();
    const first = send(here, { key });
    await begun;
    const waiting = [here, there].flatMap((url) =>
      Array.from({ length: 20 }, () => send(url, { key, headers: { prefer: 'wait=5' } })),
    );
    const impatient = await send(there, { key, headers: { prefer: 'respond-async, wait=0' } });
    expect(impatient.status).toBe(409);
    // 40 wait and the pool has 8: were they to hold one each, this would wait until it gave up, after 3 s.
    const askedAt = performance.now();
    await pool().query('select 1');
    expect(performance.now() - askedAt).toBeLessThan(2_500);
    end();
    const { bytes } = await first;
    for (const duplicate of await Promise.all(waiting)) {
      expect([duplicate.status, duplicate.replayed, duplicate.bytes]).toEqual([201, 'true', bytes]);
    }
    expect(await paymentsUnder(key)).toBe(1);
  });

  it('H14: 60 at once over two processes are one effect', async () => {
    const urls = [await shop(), await shop()] as const;
    const key = newKey();
    const headers = { prefer: 'wait=5' };
    const all = await Promise.all(Array.from({ length: 60 }, (_, at) => send(urls[at % 2] ?? '', { key, headers })));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 201));
    expect(new Set(all.map(({ bytes }) => bytes)).size).toBe(1);
    expect(all.filter(({ replayed }) => replayed === 'false')).toHaveLength(1);
    expect(await paymentsUnder(key)).toBe(1);
  });

  it('S5: stores a refusal without what the handler had written, and never runs it again', async () => {
    const url = await shop();
    const key = newKey();
    const first = await send(url, { key, body: { amount: 1_001 } });
    expect([first.status, first.replayed, first.json()]).toEqual([409, 'false', { reason: 'too much' }]);
    expect(await paymentsUnder(key)).toBe(0);
    for (const at of [url, await shop()]) {
      const again = await send(at, { key, body: { amount: 1_001 } });
      expect([again.status, again.replayed, again.bytes]).toEqual([409, 'true', first.bytes]);
    }
  });

  it('H9: stores no error: what was thrown is rolled back, and the same key runs', async () => {
    let failing = true;
    const url = await shop({}, async () => {
      if (failing) throw Object.assign(new Error('later'), { statusCode: 503 });
    });
    const key = newKey();
    expect((await send(url, { key })).status).toBe(503);
    expect([await paymentsUnder(key), await claimsOf(key)]).toEqual([0, 0]);
    failing = false;
    const second = await send(url, { key });
    expect([second.status, second.replayed]).toEqual([201, 'false']);
  });

  it.each([true, false])('K9: an ORM’s nested transaction goes with the handler’s, under a key: %s', async (hasKey) => {
    let fails = true;
    const app = await shopOf(
      (tx) => drizzle(tx).transaction((inner) => inner.execute('insert into nested values (1)')),
      () => {
        if (fails) throw new Error('the network was gone');
      },
    );
    const send = () =>
      app.inject({ method: 'POST', url: '/nested', headers: hasKey ? { 'idempotency-key': key } : {} });
    const key = newKey();
    await pool().query('create table if not exists nested (n int); truncate nested');
    expect((await send()).statusCode).toBe(500);
    fails = false;
    expect((await send()).statusCode).toBe(200);
    expect((await pool().query('select from nested')).rowCount).toBe(1);
  });

  it.each([true, false])('K9: a handler that commits by itself gets an error, under a key: %s', async (hasKey) => {
    const app = await shopOf((tx) => tx.query('commit'));
    const headers = hasKey ? { 'idempotency-key': newKey() } : {};
    const answered = await app.inject({ method: 'POST', url: '/nested', headers });
    expect([answered.statusCode, answered.json().message]).toEqual([
      500,
      expect.stringContaining('throw to roll it back'),
    ]);
  });

  it('H9: says try again when somebody else held the rows', async () => {
    const locked = await pool().connect();
    const url = await shop();
    const key = newKey();
    try {
      await locked.query('begin');
      await locked.query('lock table payments in access exclusive mode');
      const refusedNow = await send(url, { key });
      expect([refusedNow.status, refusedNow.json().code, refusedNow.head('retry-after')]).toEqual([
        503,
        'try-again',
        '1',
      ]);
    } finally {
      await locked.query('rollback');
      locked.release();
    }
    expect((await send(url, { key })).status).toBe(201);
  });

  it('rolls back a handler that takes too long, and what it writes afterwards reaches nobody', async () => {
    const { during, end } = held();
    const afterwards = Promise.withResolvers<string>();
    const url = await shop({ handlerTimeoutMs: 150 }, async (request) => {
      if (request.headers['x-slow'] === undefined) return;
      await during(request).then(() => afterwards.resolve('ended'));
    });
    const key = newKey();
    const late = await send(url, { key, headers: { 'x-slow': '1' } });
    expect([late.status, late.json().code]).toEqual([503, 'try-again']);
    end();
    await afterwards.promise;
    expect(await paymentsUnder(key)).toBe(0);
    expect((await send(url, { key })).status).toBe(201);
  });

  it('H13: finishes for a caller that has hung up; the retry gets the answer', async () => {
    const { during, begun, end } = held();
    const url = await shop({}, during);
    const key = newKey();
    const headers = { 'content-type': 'application/json', authorization: 'ada', 'idempotency-key': key };
    const call = httpRequest(`${url}/shops/1/payments`, { method: 'POST', headers });
    const closed = Promise.withResolvers<void>();
    call.on('error', () => {}).on('close', () => closed.resolve());
    call.end('{"amount":5}');
    await begun;
    call.destroy();
    await closed.promise;
    end();
    const retry = await send(url, { key, headers: { prefer: 'wait=5' } });
    expect([retry.status, retry.replayed]).toEqual([201, 'true']);
    expect(await paymentsUnder(key)).toBe(1);
  });

  it('H15: past its retention runs nothing, and gives the resource as it is now where the route can', async () => {
    let now = Date.now();
    const url = await shop({ now: () => now });
    const [payment, tip] = [newKey(), newKey()];
    await send(url, { key: payment });
    await send(url, { path: '/tips', key: tip });
    now += 24 * 60 * 60 * 1_000 + 1;
    const gone = await send(url, { key: payment });
    expect([gone.status, gone.json().code, await paymentsUnder(payment)]).toEqual([
      410,
      'idempotency-answer-expired',
      1,
    ]);
    const current = await send(url, { path: '/tips', key: tip });
    expect([current.status, current.replayed, current.json()]).toEqual([200, 'true', { as: 'it is now' }]);
  });

  it('H16: refuses a key that is too old to be remembered, unless it is', async () => {
    const [known, unknown] = [newKey(), newKey()];
    const url = await shop();
    await send(url, { key: known });
    const later = await shop({ now: () => Date.now() + 31 * 24 * 60 * 60 * 1_000 });
    const expired = await send(later, { key: unknown });
    expect([expired.status, expired.json().code, await claimsOf(unknown)]).toEqual([412, 'idempotency-key-expired', 0]);
    expect((await send(later, { key: known })).status).not.toBe(412);
    expect((await send(later, { key: `${unknown}~not-datable` })).status).toBe(201);
  });

  it('H17: keeps tenants apart', async () => {
    const url = await shop();
    const key = newKey();
    await send(url, { path: '/tips', key });
    const other = await send(url, { path: '/tips', key, headers: { authorization: 'bob' } });
    expect([other.status, other.replayed]).toEqual([200, 'false']);
    const elsewhere = await send(url, { path: '/tips', key, body: { other: 1 }, headers: { authorization: 'eve' } });
    expect(elsewhere.status).toBe(200);
  });

  it('H18: fails closed while the database is away, and says so', async () => {
    const gone = await testDatabase('fastify_gone', [idempotencyMigrations]);
    const url = await shop({ pool: gone.pool });
    const key = newKey();
    expect((await send(url, { path: '/tips', key })).status).toBe(200);
    await gone.drop();
    const refusedNow = await send(url, { path: '/tips', key: newKey() });
    expect([refusedNow.status, refusedNow.json().code, refusedNow.head('retry-after')]).toEqual([
      503,
      'store-unavailable',
      '1',
    ]);
  });

  it('lets the application say problems in its own form', async () => {
    const said = (reply: FastifyReply, { code, status }: { code: string; status: number }) =>
      reply.code(status).send({ oops: code });
    const url = await shop({ sendProblem: said });
    expect((await send(url, {})).json()).toEqual({ oops: 'idempotency-key-missing' });
  });

  it('gives a call to another service a key of its own, the same at every retry', async () => {
    const keys: (string | undefined)[] = [];
    const app = Fastify();
    opened.push(app);
    await app.register(idempotency, { pool: pool(), tenantOf: () => 'ada' });
    app.post(
      '/',
      idempotent(async (_request, _tx, inHand) => {
        keys.push(inHand?.childKey('charge'), inHand?.childKey('ship'));
        throw new Error('half-way');
      }),
    );
    const headers = { 'idempotency-key': newKey() };
    for (const _ of [1, 2]) expect((await app.inject({ method: 'POST', url: '/', headers })).statusCode).toBe(500);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).not.toBe(keys[0]);
    expect(keys.slice(2)).toEqual(keys.slice(0, 2));
  });
});
