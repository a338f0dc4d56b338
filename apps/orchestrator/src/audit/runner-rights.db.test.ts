/** A database as deploy/postgres/databases.sh makes it: one role owns it and migrates, the service runs as another. */
import { randomBytes } from 'node:crypto';
import { purge } from '@holdfast/idempotency';
import { createPool, migrate, type Pool, prepareDatabase } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimKey, settleChangeKey } from '../keys/key-store.ts';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import { readAuditLog } from './audit-store.ts';

const [OWNER, RUNNER] = ['owner', 'runner'].map((kind) => `test_${kind}_${randomBytes(4).toString('hex')}`) as [
  string,
  string,
];
const PASSWORD = 'of a test';

let database: TestDatabase;
let [asOwner, asRunner]: Pool[] = [];
beforeAll(async () => {
  database = await testDatabase('runner', []);
  const name = new URL(database.databaseUrl).pathname.slice(1);
  for (const sql of [
    // Made by the template: here the owner makes it.
    'drop schema if exists holdfast cascade',
    `create role ${OWNER} login password '${PASSWORD}'`,
    `create role ${RUNNER} login password '${PASSWORD}'`,
    `grant ${RUNNER} to ${OWNER}`,
    `alter database ${name} owner to ${OWNER}`,
  ]) {
    await database.pool.query(sql);
  }
  [asOwner, asRunner] = [OWNER, RUNNER].map((role) => {
    const url = new URL(database.databaseUrl);
    Object.assign(url, { username: role, password: PASSWORD });
    return createPool({ databaseUrl: url.href, applicationName: `test ${role}`, max: 2 });
  });
  await migrate(owner(), orchestratorMigrations, { runner: RUNNER });
});
afterAll(async () => {
  await asOwner?.end();
  await asRunner?.end();
  await database?.pool.query(`reassign owned by ${OWNER}, ${RUNNER} to current_user`);
  await database?.pool.query(`drop owned by ${OWNER}, ${RUNNER}`);
  await database?.pool.query(`drop role ${OWNER}, ${RUNNER}`);
  await database?.drop();
});

const owner = () => asOwner as Pool;
const runner = () => asRunner as Pool;
const DENIED = { code: '42501' };

describe('the role that the service runs as', () => {
  it('T4: writes the audit log and reads it', async () => {
    const key = { id: 'a-key', tenantId: 'shop', operation: 'POST /v1/stock/{sku}/adjust' } as const;
    const origin = { actor: 'key:ann', reason: null, requestId: 'r', traceId: 't' };
    const entry = { ...origin, verb: 'adjustStock', target: '/v1/stock/tea', asked: { delta: 1 } } as const;
    const claimedAt = new Date();
    const fingerprint = { version: 1, digest: Buffer.from('this request'), members: null };
    const claim = { ...key, resource: '/v1/stock/tea', fingerprint, createdAt: claimedAt, entry };
    expect(await claimKey(runner(), claim)).toBe(true);
    await settleChangeKey(runner(), key, { status: 200, body: '{}', claimedAt, outcome: { kind: 'done' } });
    expect((await readAuditLog(runner(), 'shop', { limit: 2 })).rows).toMatchObject([{ outcome: 'done' }]);
  });

  it.each([
    'audit_entries',
    'audit_outcomes',
    'holdfast.saga_attempts',
    'holdfast.saga_interventions',
    'holdfast.saga_signals',
    'holdfast.fingerprint_secrets',
  ])('T4: neither changes nor deletes a row of %s', async (table) => {
    const { rows } = await runner().query<{ column: string }>(
      `select attname as column from pg_attribute where attrelid = $1::text::regclass and attnum = 1`,
      [table],
    );
    const column = `"${rows[0]?.column}"`;
    await runner().query(`select count(*) from ${table}`);
    // Postgres warns, and grants nothing.
    await runner().query(`grant update, delete on ${table} to ${RUNNER}`);
    await expect(runner().query(`set role ${OWNER}`)).rejects.toMatchObject(DENIED);
    await expect(runner().query(`update ${table} set ${column} = ${column}`)).rejects.toMatchObject(DENIED);
    await expect(runner().query(`delete from ${table}`)).rejects.toMatchObject(DENIED);
    await expect(runner().query(`truncate ${table}`)).rejects.toMatchObject(DENIED);
    await expect(runner().query(`drop table ${table}`)).rejects.toMatchObject(DENIED);
  });

  it('T4: changes no table, and makes none of the service’s', async () => {
    for (const sql of [
      'create table strangers (id text)',
      'alter table audit_entries add column more text',
      'create trigger t before insert on audit_entries for each row execute function suppress_redundant_updates_trigger()',
      'insert into holdfast.migrations (module, file, checksum) values ($$m$$, $$f$$, $$c$$)',
    ]) {
      await expect(runner().query(sql), sql).rejects.toMatchObject(DENIED);
    }
  });

  it('does all else that the service does: finds its database ready, changes what is data, exchanges days of answers', async () => {
    const onWait = (reason: string) => expect.unreachable(reason);
    expect(await prepareDatabase(runner(), orchestratorMigrations, { migrateOnStart: false, onWait })).toEqual([]);
    const { rows } = await runner().query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c
        where c.relnamespace in ('public'::regnamespace, 'holdfast'::regnamespace) and c.relkind in ('r', 'p')
          and not has_table_privilege(c.oid, 'select, insert, update, delete') order by 1`,
    );
    // has_table_privilege() asks for any of them, so none may be here.
    expect(rows).toEqual([]);
    const { rows: changeable } = await runner().query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c
        where c.relnamespace in ('public'::regnamespace, 'holdfast'::regnamespace) and c.relkind in ('r', 'p')
          and not (has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete')) order by 1`,
    );
    expect(changeable.map(({ name }) => name)).toEqual([
      'audit_entries',
      'audit_outcomes',
      'holdfast.fingerprint_secrets',
      'holdfast.migrations',
      'holdfast.saga_attempts',
      'holdfast.saga_interventions',
      'holdfast.saga_signals',
    ]);
    await runner().query(`select nextval('holdfast.owner_ids')`);
    const past = `for values from ('2020-01-01') to ('2020-01-02')`;
    await runner().query(`create table holdfast.answers_20200101 partition of holdfast.answers ${past}`);
    expect(await purge({ pool: runner() })).toMatchObject({ days: 1 });
    // The next release migrates a database that the service has made tables in.
    expect(await migrate(owner(), orchestratorMigrations, { runner: RUNNER })).toEqual([]);
    expect(await purge({ pool: runner() })).toMatchObject({ days: 0 });
  });
});

describe('the name of a role', () => {
  it.each(['', 'Orchestrator', 'a"b', 'a; drop table orders'])(
    '%j is refused, and nothing is granted',
    async (name) => {
      await expect(migrate(owner(), orchestratorMigrations, { runner: name })).rejects.toThrow('is no role');
    },
  );
});
