import { request as httpRequest } from 'node:http';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { drizzle } from 'drizzle-orm/node-postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ADAPTERS, type During, type OpenShop, type RunningShop } from '../../test/adapter-shops.ts';
import { held, send } from '../../test/send.ts';
import { idempotencyMigrations, newKey } from '../index.ts';
import type { EdgeOptions } from './idempotency-handler.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('adapters', [idempotencyMigrations], { max: 8 });
  await database.pool.query(
    `create table payments (id serial primary key, key text not null unique, amount int not null);
     create table nested (key text not null)`,
  );
});
afterAll(() => database.drop());
const pool = () => database.pool;
const rowsOf = async (table: string, column: string, key: string): Promise<number> =>
  (await pool().query(`select from ${table} where ${column} = $1`, [key])).rows.length;
const paymentsUnder = (key: string) => rowsOf('payments', 'key', key);
const claimsOf = (key: string) => rowsOf('holdfast.claims', 'scope', key);
const failing = (message: string, status: number) => Object.assign(new Error(message), { status, statusCode: status });

// The table of adapters and rules: every adapter keeps every rule.
describe.each(ADAPTERS)('%s', (_name, open) => {
  const opened: RunningShop[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });
  const shop = async (options: Partial<EdgeOptions> = {}, during: During = async () => {}): Promise<string> => {
    const running = await (open as OpenShop)({ pool: pool(), ...options }, during);
    opened.push(running);
    return running.url;
  };

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
    expect((await send(url, { path: '/tips' })).json()).toEqual({ underKey: null, child: null });
    const key = newKey();
    expect((await send(url, { path: '/tips', key })).json()).toMatchObject({ underKey: key });
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
    const { rows } = await pool().query('select members from holdfast.claims where scope = $1', [key]);
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
    let fails = true;
    const url = await shop({}, async () => {
      if (fails) throw failing('later', 503);
    });
    const key = newKey();
    expect((await send(url, { key })).status).toBe(503);
    expect([await paymentsUnder(key), await claimsOf(key)]).toEqual([0, 0]);
    fails = false;
    const second = await send(url, { key });
    expect([second.status, second.replayed]).toEqual([201, 'false']);
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
    const url = await shop({ handlerTimeoutMs: 150 }, async (scoped) => {
      if (scoped.headers['x-slow'] === undefined) return;
      await during(scoped).then(() => afterwards.resolve('ended'));
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
    const gone = await testDatabase('adapters_gone', [idempotencyMigrations]);
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

  it.each([true, false])(
    'K9: an ORM’s nested transaction goes with the handler’s, an error after it: %s',
    async (fails) => {
      const key = newKey();
      const during: During = async ({ tx }) => {
        await drizzle(tx).transaction((inner) => inner.execute(`insert into nested values ('${key}')`));
        if (fails) throw new Error('the network was gone');
      };
      expect((await send(await shop({}, during), { key })).status).toBe(fails ? 500 : 201);
      expect([await rowsOf('nested', 'key', key), await paymentsUnder(key)]).toEqual(fails ? [0, 0] : [1, 1]);
      expect((await send(await shop(), { key })).replayed).toBe(String(!fails));
      expect(await paymentsUnder(key)).toBe(1);
    },
  );

  it('K9: a handler that commits by itself gets an error, and the retry is the one effect', async () => {
    const key = newKey();
    const errors: unknown[] = [];
    const during: During = async ({ tx }) =>
      await tx.query('commit').catch((error) => errors.push(error) && Promise.reject(error));
    expect((await send(await shop({}, during), { key })).status).toBe(500);
    expect([String(errors[0]), await paymentsUnder(key)]).toEqual([
      expect.stringContaining('throw to roll it back'),
      0,
    ]);
    expect((await send(await shop(), { key })).status).toBe(201);
    expect(await paymentsUnder(key)).toBe(1);
  });

  it('H20: malformed JSON is refused before the claim, and the key stays free', async () => {
    const url = await shop();
    const key = newKey();
    for (const text of ['{', '{"amount":5']) {
      const refusedNow = await send(url, { key, text });
      expect([refusedNow.status, await claimsOf(key)]).toEqual([400, 0]);
    }
    expect((await send(url, { key })).status).toBe(201);
  });

  it('H23: no value of the request, and no other header, is stored beside the answer', async () => {
    const url = await shop();
    const key = newKey();
    await send(url, { key, body: { amount: 987, note: 'to ada', cvc: 'cvc 555' }, headers: { 'x-card': 'card 4242' } });
    const { rows } = await pool().query(
      "select claims::text || encode(answer, 'escape') as row from holdfast.claims where scope = $1",
      [key],
    );
    expect(rows[0].row).toContain('987');
    // No id or hash can hold these by chance: each has a blank.
    expect(rows[0].row).not.toMatch(/to ada|cvc 555|card 4242|a=b/);
  });

  it('gives a call to another service a key of its own, the same at every retry', async () => {
    const key = newKey();
    const [one, other] = [
      await send(await shop(), { key, path: '/tips' }),
      await send(await shop(), { key: newKey(), path: '/tips' }),
    ];
    expect(one.json().child).toMatch(/^[0-9a-f-]{36}$/);
    expect(other.json().child).not.toBe(one.json().child);
    await pool().query('delete from holdfast.claims where scope = $1', [key]);
    expect((await send(await shop(), { key, path: '/tips' })).json().child).toBe(one.json().child);
  });
});
