import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPool } from '../pool.ts';
import { type Migrations, migrate } from './migrate.ts';

// The lock that every migrating process of a database takes (migrate.ts).
const MIGRATION_LOCK = 7_415_926;

let db: TestDatabase;
let folder: string;
let source: Migrations;

const write = (file: string, sql: string) => writeFile(join(folder, file), sql);
const columnsOf = async (table: string) => {
  const { rows } = await db.pool.query<{ name: string }>(
    'select column_name as name from information_schema.columns where table_name = $1::text order by ordinal_position',
    [table],
  );
  return rows.map((row) => row.name);
};

beforeEach(async () => {
  db = await testDatabase('migrate', []);
  folder = await mkdtemp(join(tmpdir(), 'holdfast-migrations-'));
  source = { module: 'notes', folder: pathToFileURL(`${folder}/`) };
});

afterEach(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

describe('migrate', () => {
  it('applies the files in the order of their numbers, each once', async () => {
    await write('002-title.sql', 'alter table note add column title text');
    await write('001-note.sql', 'create table note (id int primary key)');
    await write('readme.md', 'no migration');
    expect(await migrate(db.pool, [source])).toEqual(['notes/001-note.sql', 'notes/002-title.sql']);
    expect(await columnsOf('note')).toEqual(['id', 'title']);
    await write('003-body.sql', 'alter table note add column body text');
    expect(await migrate(db.pool, [source])).toEqual(['notes/003-body.sql']);
    expect(await migrate(db.pool, [source])).toEqual([]);
  });

  it('run by several processes at once applies each file once, and all of them succeed', async () => {
    await write('001-note.sql', 'create table note (id int primary key); insert into note values (1)');
    await write('002-slow.sql', 'select pg_sleep(0.2); insert into note values (2)');
    const pools = Array.from({ length: 4 }, (_, i) =>
      createPool({ databaseUrl: db.databaseUrl, applicationName: `replica-${i}`, max: 1 }),
    );
    try {
      const applied = await Promise.all(pools.map((pool) => migrate(pool, [source])));
      expect(applied.flat().sort()).toEqual(['notes/001-note.sql', 'notes/002-slow.sql']);
      expect((await db.pool.query('select id from note order by id')).rows).toEqual([{ id: 1 }, { id: 2 }]);
    } finally {
      await Promise.all(pools.map((pool) => pool.end()));
    }
  });

  it("waits for another process's migrations for longer than its pool lets a statement run", async () => {
    await write('001-note.sql', 'create table note (id int primary key)');
    const impatient = createPool({
      databaseUrl: db.databaseUrl,
      applicationName: 'impatient',
      statementTimeoutMs: 100,
      lockTimeoutMs: 100,
    });
    const other = await db.pool.connect();
    try {
      await other.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const migrated = migrate(impatient, [source]);
      const settled = vi.fn();
      void migrated.then(settled, settled);
      // Longer than both of the pool's time-outs: the server's (100 ms) and the client's (2 s more).
      await delay(2_500);
      expect(settled).not.toHaveBeenCalled();
      await other.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      expect(await migrated).toEqual(['notes/001-note.sql']);
    } finally {
      other.release();
      await impatient.end();
    }
  });

  it('refuses a file that was changed after it was applied, and applies nothing beside it', async () => {
    await write('001-note.sql', 'create table note (id int primary key)');
    await migrate(db.pool, [source]);
    await write('000-first.sql', 'create table first (id int primary key)');
    await write('001-note.sql', 'create table note (id bigint primary key)');
    await expect(migrate(db.pool, [source])).rejects.toThrow(
      'migration notes/001-note.sql was changed after it was applied: restore it and add a new file instead',
    );
    expect(await columnsOf('first')).toEqual([]);
  });

  it('applies all files or none', async () => {
    await write('001-note.sql', 'create table note (id int primary key)');
    await write('002-broken.sql', 'alter table no_such_table add column x int');
    await expect(migrate(db.pool, [source])).rejects.toMatchObject({ code: '42P01' });
    expect(await columnsOf('note')).toEqual([]);
    await write('002-broken.sql', 'alter table note add column x int');
    expect(await migrate(db.pool, [source])).toHaveLength(2);
  });

  it('keeps the same file name of two modules apart', async () => {
    await write('001-note.sql', 'create table if not exists note (id int primary key)');
    const twin = { ...source, module: 'twin' };
    expect(await migrate(db.pool, [source, twin])).toEqual(['notes/001-note.sql', 'twin/001-note.sql']);
  });

  it('lists what it applied in its own schema, beside a host that has such a list too', async () => {
    await db.pool.query('create table schema_migrations (version varchar primary key)');
    await db.pool.query(`insert into schema_migrations values ('20260101000000')`);
    await write('001-note.sql', 'create table holdfast.note (id int primary key)');
    expect(await migrate(db.pool, [source])).toEqual(['notes/001-note.sql']);
    expect(await migrate(db.pool, [source], { schema: 'mine' })).toEqual(['notes/001-note.sql']);
    const { rows } = await db.pool.query(`select to_regclass('mine.note') is not null as there`);
    expect(rows).toEqual([{ there: true }]);
    expect((await db.pool.query('select * from schema_migrations')).rows).toEqual([{ version: '20260101000000' }]);
  });

  it('needs no right to make a schema where it is there already', async () => {
    const role = `migrating_${randomUUID().slice(0, 8)}`;
    await db.pool.query(`create role ${role} login password 'm'; create schema mine authorization ${role}`);
    const url = new URL(db.databaseUrl);
    url.username = role;
    url.password = 'm';
    const pool = createPool({ databaseUrl: url.href, applicationName: 'migrating', max: 1 });
    try {
      await write('001-note.sql', 'create table holdfast.note (id int primary key)');
      expect(await migrate(pool, [source], { schema: 'mine' })).toEqual(['notes/001-note.sql']);
      await expect(migrate(pool, [source], { schema: 'other' })).rejects.toMatchObject({ code: '42501' });
    } finally {
      await pool.end();
      await db.pool.query(`drop owned by ${role}; drop role ${role}`);
    }
  });
});
