import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPool } from '../pool.ts';
import { type Migrations, migrate, missingMigrations } from './migrate.ts';
import { prepareDatabase, runMigrations } from './prepare-database.ts';

let db: TestDatabase;
let folder: string;
let source: Migrations;

beforeEach(async () => {
  db = await testDatabase('prepare', []);
  folder = await mkdtemp(join(tmpdir(), 'holdfast-migrations-'));
  await writeFile(join(folder, '001-note.sql'), 'create table note (id int primary key)');
  source = { module: 'notes', folder: pathToFileURL(`${folder}/`) };
});

afterEach(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

const nothingSaid = (reason: string) => expect.unreachable(reason);

describe('a service before it serves', () => {
  it('waits for the job that migrates its database, logs that, and changes nothing itself', async () => {
    const waited = Promise.withResolvers<string>();
    const prepared = prepareDatabase(db.pool, [source], { migrateOnStart: false, onWait: waited.resolve });
    expect(await waited.promise).toContain('notes/001-note.sql');
    expect(await missingMigrations(db.pool, [source])).toEqual(['notes/001-note.sql']);
    await migrate(db.pool, [source]);
    expect(await prepared).toEqual([]);
  });

  it('gives up when no job migrates in time, and has logged once what is missing and what to run', async () => {
    const said: string[] = [];
    const prepared = prepareDatabase(db.pool, [source], {
      migrateOnStart: false,
      onWait: (reason) => said.push(reason),
      // Long enough to look several times.
      timeoutMs: 700,
    });
    await expect(prepared).rejects.toThrow(/lacks notes\/001-note\.sql: run this release's job `migrate`, for 700 ms/);
    expect(said).toHaveLength(1);
  });

  it('started before its database waits for it', async () => {
    const url = new URL(db.databaseUrl);
    // A server that is starting refuses connections: the nearest thing that can be had at will is a port without a listener.
    url.port = '1';
    const pool = createPool({ databaseUrl: url.href, applicationName: 'early', max: 1 });
    const waited = Promise.withResolvers<string>();
    try {
      const prepared = prepareDatabase(pool, [source], { migrateOnStart: true, onWait: waited.resolve });
      expect(await waited.promise).toMatch(/^the database does not answer \(.*ECONNREFUSED/);
      pool.options.connectionString = db.databaseUrl;
      expect(await prepared).toEqual(['notes/001-note.sql']);
    } finally {
      await pool.end();
    }
  });

  it('does not wait for a fault that waiting can’t cure', async () => {
    await migrate(db.pool, [source]);
    await writeFile(join(folder, '001-note.sql'), 'create table note (id bigint primary key)');
    for (const migrateOnStart of [true, false]) {
      await expect(prepareDatabase(db.pool, [source], { migrateOnStart, onWait: nothingSaid })).rejects.toThrow(
        'migration notes/001-note.sql was changed after it was applied',
      );
    }
  });

  it('of the last release serves on a database that this release has migrated further', async () => {
    await migrate(db.pool, [source]);
    const newer = await mkdtemp(join(tmpdir(), 'holdfast-migrations-'));
    try {
      await writeFile(join(newer, '001-note.sql'), 'create table note (id int primary key)');
      await writeFile(join(newer, '002-title.sql'), 'alter table note add column title text');
      await migrate(db.pool, [{ module: 'notes', folder: pathToFileURL(`${newer}/`) }]);
    } finally {
      await rm(newer, { recursive: true });
    }
    expect(await prepareDatabase(db.pool, [source], { migrateOnStart: false, onWait: nothingSaid })).toEqual([]);
  });
});

describe('the job `migrate`', () => {
  it('run twice at once applies each file once, and both end well', async () => {
    await writeFile(join(folder, '002-slow.sql'), 'select pg_sleep(0.2); insert into note values (1)');
    const job = () =>
      runMigrations({ databaseUrl: db.databaseUrl, applicationName: 'job', onWait: nothingSaid }, [source]);
    const applied = await Promise.all([job(), job()]);
    expect(applied.flat().sort()).toEqual(['notes/001-note.sql', 'notes/002-slow.sql']);
    expect((await db.pool.query('select id from note')).rows).toEqual([{ id: 1 }]);
  });
});
