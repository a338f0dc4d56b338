/** What a database has by default is its owner's affair: nothing that is stored, shown or compared depends on it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, newKey, type System, setUpCatalogue, startSystem } from './system.ts';

const STRANGE = {
  DateStyle: 'SQL, DMY',
  TimeZone: 'Asia/Kathmandu',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: 0,
  default_transaction_isolation: 'serializable',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
};
const WAIT = { prefer: 'wait=20' };

let system: System;
beforeAll(async () => {
  system = await startSystem({ databaseSettings: { fsync: 'off', ...STRANGE } });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

describe('on a database with other formats, another time zone and another isolation by default', () => {
  it('A1: orders of all kinds end as they should, many at once, and the books are right', async () => {
    const kinds = [{}, { payment: { method: 'pm_card_visa' } }, { customerId: 'poor' }];
    const placed = await Promise.all(
      Array.from({ length: 30 }, (_, at) => system.place(kinds[at % kinds.length], WAIT)),
    );
    const ends = placed.map(({ body }) => body.failure?.reason ?? body.status);
    expect(ends).toEqual(placed.map((_, at) => (at % 3 === 2 ? 'INSUFFICIENT_FUNDS' : 'completed')));
    await expectSound(system);
  });

  it('K2: the same key gets the same bytes, at once and afterwards, and its instants are what the clock says', async () => {
    const key = newKey();
    const from = Date.now() - 1_000;
    const [one, other] = await Promise.all([system.place({}, { key, ...WAIT }), system.place({}, { key, ...WAIT })]);
    expect([one.status, other.status]).toEqual([201, 201]);
    const again = await system.place({}, { key });
    expect(again.text).toBe(one.text);
    const { createdAt, updatedAt, id } = one.body;
    for (const at of [createdAt, updatedAt]) {
      expect(Date.parse(at)).toBeGreaterThan(from);
      expect(Date.parse(at)).toBeLessThan(Date.now() + 1_000);
    }
    expect((await system.send('GET', `/v1/orders/${id}`)).body).toEqual(one.body);
    const { body: saga } = await system.send('GET', `/v1/sagas/${id}`);
    const attempts = saga.steps.flatMap((step: { attempts: { startedAt: string }[] }) => step.attempts);
    expect(attempts.length).toBeGreaterThan(2);
    for (const { startedAt } of attempts)
      expect(Math.abs(Date.parse(startedAt) - Date.parse(createdAt))).toBeLessThan(30_000);
  });

  it('lists go on where they stopped', async () => {
    const ids: string[] = [];
    let cursor = '';
    do {
      const { body } = await system.send(
        'GET',
        `/v1/orders?limit=7${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      ids.push(...body.orders.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor ?? '';
    } while (cursor !== '');
    expect(ids).toHaveLength(31);
    expect(new Set(ids).size).toBe(31);
  });
});

describe('a database that turns read-only', () => {
  it('S4, K6: makes its service not ready, with the SQLSTATE in its log and in the attempt; all goes on by itself', async () => {
    const { cluster } = system;
    const ready = async (name: string) => {
      const found = cluster.run.services.find((service) => service.name === name);
      return (await fetch(`${found?.http}/readyz`)).status;
    };
    const setReadOnly = async (name: 'orchestrator' | 'payment', to: 'on' | 'off') => {
      const admin = new pg.Client(cluster.databaseUrl('sandbox'));
      await admin.connect();
      await admin.query(`alter database ${name} set default_transaction_read_only = ${to}`);
      // As at a fail-over: whoever was connected is cut off, and finds another server.
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      await admin.end();
    };
    await setReadOnly('payment', 'on');
    const { body: order } = await system.place();
    await system.until('payment is not ready', async () => ((await ready('payment')) === 503 ? true : undefined));
    await system.until('the attempt says why', async () => {
      const { text } = await system.send('GET', `/v1/sagas/${order.id}`);
      return text.includes('STORE_UNAVAILABLE (25006)') ? true : undefined;
    });
    expect(readFileSync(join(cluster.logDir, 'payment-0.log'), 'utf8')).toContain('"sqlstate":"25006"');
    await setReadOnly('payment', 'off');
    expect(await system.untilEnded(order.id)).toMatchObject({ status: 'completed' });
    expect(await ready('payment')).toBe(200);

    await setReadOnly('orchestrator', 'on');
    const refused = new Set<number>();
    await system.until('the API is not ready', async () => {
      refused.add((await system.place()).status);
      return (await ready('orchestrator')) === 503 ? true : undefined;
    });
    refused.add((await system.place()).status);
    expect([...refused].filter((status) => status !== 201)).toEqual([503]);
    await setReadOnly('orchestrator', 'off');
    const back = await system.until('an order is accepted again', async () => {
      const reply = await system.place();
      return reply.status === 201 ? reply : undefined;
    });
    expect(await system.untilEnded(back.body.id)).toMatchObject({ status: 'completed' });
    expect((await system.send('GET', '/v1/sagas?status=parked')).body.sagas).toEqual([]);
    await expectSound(system);
  });
});
