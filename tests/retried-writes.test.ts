/**
 * K8: whatever is sent again changes nothing that came in between. Each changing route of /openapi.json has an entry in
 * `routes` (changing-routes.ts); one that has none makes the first test red.
 */
import { createClient, newKey } from '@holdfast/client';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  adjust as adjustIn,
  arrange,
  changingOperations,
  completedOrder,
  get as getFrom,
  ofParked,
  resumeAll,
  routes,
  sendUntilKnown,
  set as setIn,
  shop,
  unique,
  type World,
  worldOf,
} from './changing-routes.ts';
import { expectSound, joinSystem, type System, setUpCatalogue } from './system.ts';

const RUNS = 3;

let system: System;
let world: World;
beforeAll(async () => {
  system = await joinSystem();
  await setUpCatalogue(system);
  world = await worldOf(system);
});
afterAll(async () => {
  await world?.orders.end();
  await system?.stop();
});

const get = (path: string) => getFrom(world, path);
const set = (path: string, body: object) => setIn(world, path, body);
const adjust = (path: string, delta: number) => adjustIn(world, path, delta);

async function expectUnchangedByRetry(operationId: string, disturbances: number[]): Promise<void> {
  const { method, arranged } = await arrange(world, operationId);
  const { look, settle } = arranged;
  const key = newKey();
  const before = operationId === 'dispatchOrder' ? undefined : await look();
  const first = await sendUntilKnown(world, method, arranged, { key });
  await system.setFaults({});
  await settle?.();
  expect(first.status, first.text).toBeLessThan(300);
  // The request has done something: a retry that did it again would be seen.
  if (before !== undefined) expect(await look()).not.toEqual(before);
  for (const at of disturbances) await arranged.others[at % arranged.others.length]?.();
  const between = await look();
  const again = await system.send(method, arranged.path, arranged.body, { key });
  expect([again.status, again.text], 'the retry is answered as the first was').toEqual([first.status, first.text]);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
  expect(await look(), 'the retry changes nothing').toEqual(between);
}

describe('every changing route', () => {
  it('K8: takes a key and has an entry here', async () => {
    const operations = await changingOperations(world);
    expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual(Object.keys(routes).sort());
    for (const { operation } of operations) {
      const headers = (operation.parameters ?? []).filter((parameter) => parameter.in === 'header');
      expect(
        headers.map(({ name }) => name),
        operation.operationId,
      ).toContain('idempotency-key');
    }
  });

  it.each(Object.keys(routes))(
    'K8: %s, answered and lost, sent again after others have changed things',
    async (operationId) => {
      const isParked = operationId === 'resumeSaga' || operationId === 'retrySaga';
      // Parked again is parked: there is one thing that others can do, once.
      const drawn = isParked ? fc.constant<number[]>([0]) : fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 6 });
      const property = fc.asyncProperty(drawn, (disturbances) => expectUnchangedByRetry(operationId, disturbances));
      await fc.assert(property, { numRuns: isParked ? 1 : RUNS, endOnFailure: true });
      if (isParked) await resumeAll(world);
    },
  );
});

describe('a verb of an operator', () => {
  it('K8: answers for what it has done itself, not for what another key has done since', async () => {
    const { path, settle } = await ofParked(world, 'resume');
    const id = path.split('/').at(-2);
    const key = newKey();
    expect((await system.send('POST', path, undefined, { key })).status).toBe(200);
    await settle?.();
    // As if its process had died before it did anything, and another operator had then resumed it.
    await world.orders.query(
      `update holdfast.claims set state = 'in_progress', answer = null, settled_at = null
        where resource = $1 and operation = 'POST /v1/sagas/{id}/resume'`,
      [`/v1/sagas/${id}`],
    );
    const others = await world.orders.query(
      `update holdfast.saga_interventions set key = 'of another' where saga_id = $1 and key is not null`,
      [id],
    );
    expect(others.rowCount).toBe(1);
    const late = await system.send('POST', path, undefined, { key });
    expect(late).toMatchObject({ status: 409, body: { code: 'not-parked' } });
  });

  it.each(['resume', 'retry'])(
    'K8: %s, done by a process that died before it stored the answer, is not done again',
    async (verb) => {
      const { path, others, settle, look } = await ofParked(world, verb);
      const key = newKey();
      expect((await system.send('POST', path, undefined, { key })).status).toBe(200);
      await settle?.();
      const opened = await world.orders.query(
        `update holdfast.claims set state = 'in_progress', answer = null, settled_at = null
        where resource = $1 and operation = $2`,
        [path.replace(`/${verb}`, ''), `POST /v1/sagas/{id}/${verb}`],
      );
      expect(opened.rowCount).toBe(1);
      for (const other of others) await other();
      const between = await look();
      const again = await system.send('POST', path, undefined, { key });
      expect([again.status, again.headers.get('idempotent-replayed')], again.text).toEqual([200, 'false']);
      expect(await look()).toEqual(between);
      await resumeAll(world);
    },
  );
});

describe('a client whose answer is lost', () => {
  it('K8: sets a balance once: 10,000, of which an order has taken 3,000, stay 7,000', async () => {
    const of = await shop(world);
    await set(of.stock, { unitPrice: 3_000 });
    let lost = 0;
    const losing: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (init?.method !== 'PUT' || lost++ > 0) return response;
      expect(response.status).toBe(200);
      await completedOrder(world, of);
      throw new Error('the answer is lost');
    };
    const { http, apiKey } = system.cluster.run;
    const client = createClient({ baseUrl: http, apiKey, fetch: losing });
    const put = await client.putAccount(of.customerId, { balance: 10_000, currency: 'EUR' });
    expect([put.kind, lost]).toEqual(['completed', 2]);
    expect((await get(of.account)).balance).toBe(7_000);
    await expectSound(system);
  });
});

describe('a key whose claims are long purged', () => {
  it.each(['stock', 'account'] as const)('K5: changes nothing of the %s, whatever it asks for now', async (kind) => {
    const of = await shop(world);
    const path = of[kind];
    const [setKey, adjustKey] = [newKey(), newKey()];
    const put = (amount: number) => ({ [kind === 'stock' ? 'onHand' : 'balance']: amount });
    const send = async (amount: number) => {
      const set = await system.send('PUT', path, put(amount), { key: setKey });
      const adjusted = await system.send('POST', `${path}/adjust`, { delta: amount }, { key: adjustKey });
      expect([set.status, adjusted.status], set.text + adjusted.text).toEqual([200, 200]);
    };
    await send(50);
    await adjust(path, 1_000);
    const between = await get(path);
    await purgeClaims(kind === 'stock' ? 'inventory' : 'payment');
    await send(60);
    expect(await get(path)).toEqual(between);
    await expectSound(system);
  });
});

/** As the sweepers do when the retention of keys and claims has ended. */
async function purgeClaims(participant: 'inventory' | 'payment'): Promise<void> {
  const books = new pg.Client({ connectionString: system.cluster.databaseUrl(participant) });
  await books.connect();
  try {
    for (const db of [world.orders, books]) {
      const { rowCount } = await db.query(
        `delete from holdfast.claims where operation ~ '^PUT |/adjust$|^(put|adjust)-'`,
      );
      expect(rowCount).toBeGreaterThanOrEqual(2);
    }
  } finally {
    await books.end();
  }
}

describe('a version', () => {
  it('K8: is the ETag of what is read and set, and under an old one nothing is done', async () => {
    const of = await shop(world);
    for (const [path, change] of [
      [of.stock, { unitPrice: 5 }],
      [of.account, { balance: 5 }],
    ] as const) {
      const read = await system.send('GET', path);
      const etag = read.headers.get('etag') ?? '';
      expect(etag).toBe(`"${read.body.version}"`);
      await adjust(path, 1);
      for (const stale of [etag, `W/${etag}`, '"none-of-ours"', `"x", ${etag}`]) {
        const headers = { 'if-match': stale };
        const refused = await system.send('PUT', path, change, { key: newKey(), headers });
        expect(refused).toMatchObject({ status: 412, body: { code: 'version-changed', retryable: false } });
      }
      const fresh = (await system.send('GET', path)).headers.get('etag') ?? '';
      const set = await system.send('PUT', path, change, { headers: { 'if-match': `${etag}, ${fresh}` } });
      expect([set.status, set.headers.get('etag')], set.text).toEqual([200, `"${set.body.version}"`]);
      const any = await system.send('PUT', path, change, { headers: { 'if-match': '*' } });
      expect(any.status).toBe(200);
      const nonsense = await system.send('PUT', path, change, { headers: { 'if-match': etag.replaceAll('"', '') } });
      expect(nonsense).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    }
    const absent = await system.send(
      'PUT',
      `/v1/stock/${unique('item')}`,
      { unitPrice: 1, currency: 'EUR' },
      {
        headers: { 'if-match': '*' },
      },
    );
    expect(absent).toMatchObject({ status: 412, body: { code: 'version-changed' } });
  });
});

describe('a write without a key', () => {
  it('K8: is done each time, and the auditor names one that gave spent money back', async () => {
    const of = await shop(world);
    const blind = async () => expect((await system.send('PUT', of.account, { balance: 10_000 })).status).toBe(200);
    await blind();
    await completedOrder(world, of);
    await blind();
    expect((await get(of.account)).balance).toBe(10_000);
    const { checks } = await system.audit();
    const sets = checks.find(({ name }) => name === 'sets');
    expect(sets?.examples).toEqual([
      { subject: expect.stringContaining(`:${of.customerId}`), detail: expect.stringContaining('{"balance":9000}') },
    ]);
    await forgetBlindSets();
  });
});

/** What the test above has done wrongly must not be found by those that share the system. */
async function forgetBlindSets(): Promise<void> {
  const payment = new pg.Client({ connectionString: system.cluster.databaseUrl('payment') });
  await payment.connect();
  try {
    // Days apart, they are no retries of each other.
    const text = `update account_entries set recorded_at = recorded_at - interval '1 day' * (1000 - (after ->> 'version')::integer)
                   where entry_key like 'blind~%'`;
    expect((await payment.query(text)).rowCount).toBeGreaterThan(0);
  } finally {
    await payment.end();
  }
}
