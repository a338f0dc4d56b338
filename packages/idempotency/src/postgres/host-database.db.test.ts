import { type TestDatabase, testDatabase } from '@holdfast/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idempotency } from '../fetch/index.ts';
import {
  ask,
  createKeyedRunner,
  type Effect,
  idempotencyMigrations,
  inSchema,
  loadFingerprinter,
  migrate,
  migrationSql,
  newKey,
  once,
  purge,
  rotateDays,
  runOnce,
} from '../index.ts';

// A database of somebody else's, with tables of the same names, and the libraries' beside them: in the schema by default, and in
// another one.

const LARGEST = '9223372036854775807';
const SCHEMAS = [{ schema: 'holdfast' }, { schema: 'of_keys' }];
const HOST = `
  create table schema_migrations (version varchar primary key);
  insert into schema_migrations values ('20260101000000');
  create table claims (id bigint primary key, about text);
  insert into claims values (${LARGEST}, 'a damaged parcel');
  create table answers (id int primary key);
  create table fences (id int primary key);
  create table effects (key text not null, cents bigint not null)`;
/** All that is the host's. */
const READ_HOST = `
  select (select json_agg(m) from public.schema_migrations m)::text as migrations,
         (select json_agg(c) from public.claims c)::text as claims,
         (select array_agg(tablename::text order by tablename) from pg_tables where schemaname = 'public') as tables`;

let database: TestDatabase;
let host: pg.Pool;
let untouched: unknown;
beforeAll(async () => {
  database = await testDatabase('host_database', []);
  await database.pool.query('drop schema holdfast cascade');
  // A pool of the host's own, which knows nothing of this library.
  host = new pg.Pool({ connectionString: database.databaseUrl, max: 6 });
  await host.query(HOST);
  untouched = (await host.query(READ_HOST)).rows;
  for (const options of SCHEMAS) {
    // As dbmate applies a file.
    await host.query(`begin; ${migrationSql([idempotencyMigrations], options)}; commit`);
    expect(await migrate(host, [idempotencyMigrations], options)).toEqual([]);
  }
});
afterAll(async () => {
  await host.end();
  await database.drop();
});

const effectsOf = async (key: string) =>
  (await host.query('select cents from effects where key = $1', [key])).rows.map(({ cents }) => cents);
/** The host's own names, found by its own search path. */
const pay =
  (key: string): Effect =>
  async (tx) => {
    await tx.query('insert into effects values ($1, $2)', [key, LARGEST]);
    const { rows } = await tx.query('select id, about from claims');
    return { kind: 'completed', answer: Buffer.from(JSON.stringify(rows)) };
  };
const PAID = JSON.stringify([{ id: LARGEST, about: 'a damaged parcel' }]);
const never = () => Promise.reject(new Error('it ran again'));
const callOf = async (schema: string, key: string, amount = 5) => {
  const fingerprint = (await loadFingerprinter(inSchema(host, schema))).of('pay', { amount }, { nameMembers: true });
  return { tenantId: 'ada', key, operation: 'pay', fingerprint, waitMs: 0 };
};

describe.each(SCHEMAS)('in a host’s database, with its keys in $schema', ({ schema }) => {
  it('K1, K2: an effect under a key runs once, in the host’s own tables, and is replayed', async () => {
    const key = newKey();
    const [call, other] = [await callOf(schema, key), await callOf(schema, key, 6)];
    const run = (asked: typeof call, effect: Effect) => createKeyedRunner({ pool: host, schema }).run(asked, effect);
    expect(await run(call, pay(key))).toMatchObject({ kind: 'completed', answer: Buffer.from(PAID), replayed: false });
    expect(await run(call, never)).toMatchObject({ answer: Buffer.from(PAID), replayed: true });
    expect(await run(other, never)).toEqual({ kind: 'reused', differing: ['amount'] });
    expect(await effectsOf(key)).toEqual([LARGEST]);
    expect((await ask(inSchema(host, schema), 'ada', key)).kind).toBe('completed');
  });

  it('S5: a refusal is kept, and what its effect had written is not', async () => {
    const key = newKey();
    const refuse: Effect = async (tx) => {
      await pay(key)(tx);
      return { kind: 'refused', answer: Buffer.from('no') };
    };
    for (const effect of [refuse, never]) {
      const outcome = await createKeyedRunner({ pool: host, schema }).run(await callOf(schema, key), effect);
      expect(outcome).toMatchObject({ kind: 'refused', answer: Buffer.from('no') });
    }
    expect(await effectsOf(key)).toEqual([]);
  });

  it('K9: a raw commit in a handler is no second effect', async () => {
    const key = newKey();
    const runner = createKeyedRunner({ pool: host, schema });
    const committing: Effect = async (tx) => {
      await pay(key)(tx);
      await tx.query('commit');
      return { kind: 'completed', answer: Buffer.from('') };
    };
    const call = await callOf(schema, key);
    await expect(runner.run(call, committing)).rejects.toThrow('return to commit');
    expect(await effectsOf(key)).toEqual([]);
  });

  it('H3: a handler of requests answers twice with the same bytes', async () => {
    const key = newKey();
    const handle = idempotency({ pool: host, schema, tenantOf: () => 'ada' })(async (_request, tx) => {
      await pay(key)(tx);
      return Response.json({ paid: true }, { status: 201 });
    });
    const send = () =>
      handle(
        new Request('http://shop/payments', {
          method: 'POST',
          headers: { 'idempotency-key': key, 'content-type': 'application/json' },
          body: '{}',
        }),
      );
    const [first, again] = [await send(), await send()];
    expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
    expect(await again.text()).toBe(await first.text());
    expect(await effectsOf(key)).toEqual([LARGEST]);
  });

  it('K1: once() and runOnce() are one effect each, with values of any length', async () => {
    const [key, other] = [newKey(), newKey()];
    const request = { operation: 'pay', schema };
    const client = await host.connect();
    for (const effect of [() => pay(key)(client).then(() => 'x'.repeat(2_000)), never]) {
      await client.query('begin');
      expect((await once(client, key, request, effect)).value).toBe('x'.repeat(2_000));
      await client.query('commit');
    }
    client.release();
    for (const effect of [pay(other), never]) {
      expect((await runOnce(host, other, request, async (tx) => void (await effect(tx)))).value).toBe(undefined);
    }
    expect([await effectsOf(key), await effectsOf(other)]).toEqual([[LARGEST], [LARGEST]]);
  });

  it('K5: old keys go, days are made and dropped, and nothing of the host’s', async () => {
    const view = inSchema(host, schema);
    const key = newKey();
    await createKeyedRunner({ pool: host, schema }).run(await callOf(schema, key), pay(key));
    await rotateDays(view);
    await host.query(
      `update ${schema}.claims set settled_at = settled_at - interval '40 days', kept_until = null
                       where scope = $1`,
      [key],
    );
    await host.query(`create table ${schema}.answers_20200101 partition of ${schema}.answers
                        for values from ('2020-01-01') to ('2020-01-02')`);
    expect(await purge({ pool: host, schema })).toMatchObject({ claims: 1, days: 1 });
    const { rows } = await host.query(
      `select count(*) as days from pg_tables where schemaname = $1 and tablename ~ '^answers_\\d{8}$'`,
      [schema],
    );
    expect(Number(rows[0].days)).toBeGreaterThan(30);
  });

  it('leaves the host’s tables, their bigints and its search path as they were', async () => {
    const { rows } = await host.query('select id, current_schema() as schema from claims');
    expect(rows).toEqual([{ id: LARGEST, schema: 'public' }]);
    expect((await host.query(READ_HOST)).rows).toEqual(untouched);
  });
});

describe('the keys of two schemas', () => {
  it('K2: are not each other’s, at the same moment either', async () => {
    const key = newKey();
    const [inner, outer] = [await callOf('of_keys', key, 6), await callOf('holdfast', key)];
    const both: Effect = async (tx) => {
      const other = await createKeyedRunner({ pool: host, schema: 'of_keys' }).run(inner, pay(key));
      expect(other).toMatchObject({ kind: 'completed', replayed: false });
      return await pay(key)(tx);
    };
    expect(await createKeyedRunner({ pool: host }).run(outer, both)).toMatchObject({ kind: 'completed' });
    expect(await effectsOf(key)).toEqual([LARGEST, LARGEST]);
  });

  it('K7: are purged, even while the others are', async () => {
    const client = await host.connect();
    await client.query(`begin; select pg_advisory_xact_lock(7415927, 'holdfast.claims'::regclass::oid::int)`);
    const key = newKey();
    await createKeyedRunner({ pool: host, schema: 'of_keys' }).run(await callOf('of_keys', key), pay(key));
    await host.query(`update of_keys.claims set settled_at = settled_at - interval '40 days', kept_until = null`);
    expect((await purge({ pool: host, schema: 'of_keys' })).claims).toBeGreaterThan(0);
    await client.query('rollback');
    client.release();
  });
});
