import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Migrations } from '@holdfast/postgres';
import pg from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { type TestDatabase, templateName, testDatabase } from './test-database.ts';

const databases: TestDatabase[] = [];
const folders: string[] = [];

/** Migrations whose content nobody else in the run has. */
async function ownMigrations(): Promise<{ migrations: Migrations[]; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-migrations-'));
  folders.push(folder);
  await writeFile(join(folder, '001-note.sql'), `-- ${randomUUID()}\ncreate table note (id int primary key);`);
  return { migrations: [{ module: 'note', folder: pathToFileURL(`${folder}/`) }], folder };
}

async function open(migrations: Migrations[]): Promise<TestDatabase> {
  const db = await testDatabase('testkit', migrations);
  databases.push(db);
  return db;
}

async function migratedAt(db: TestDatabase): Promise<string | undefined> {
  const { rows } = await db.pool.query<{ at: string }>('select applied_at::text as at from holdfast.migrations');
  return rows[0]?.at;
}

async function asAdmin(text: string, values: string[] = []): Promise<pg.QueryResult> {
  const admin = new pg.Client({ connectionString: inject('postgresAdminUrl') });
  await admin.connect();
  try {
    return await admin.query(text, values);
  } finally {
    await admin.end();
  }
}

afterEach(async () => {
  for (const db of databases.splice(0)) await db.drop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe('a test database', () => {
  it('is cloned from a template that is migrated once, also when several ask for it at once', async () => {
    const { migrations } = await ownMigrations();
    const all = await Promise.all([1, 2, 3, 4].map(() => open(migrations)));
    all.push(await open(migrations));
    const instants = new Set(await Promise.all(all.map(migratedAt)));
    expect(instants.size).toBe(1);
    expect([...instants][0]).toBeTypeOf('string');
  });

  it('shares no rows with another one', async () => {
    const { migrations } = await ownMigrations();
    const [one, other] = [await open(migrations), await open(migrations)];
    await one.pool.query('insert into note values (1)');
    expect((await other.pool.query('select from note')).rowCount).toBe(0);
  });

  it('has the migrations as they are now, not as another file content had them', async () => {
    const { migrations, folder } = await ownMigrations();
    await open(migrations);
    await writeFile(join(folder, '002-page.sql'), 'create table page (id int primary key);');
    const after = await open(migrations);
    expect((await after.pool.query('select from page')).rowCount).toBe(0);
  });

  it('is not cloned from a template whose migration was interrupted', async () => {
    const { migrations } = await ownMigrations();
    await asAdmin(`create database ${templateName(migrations)}`);
    const db = await open(migrations);
    expect((await db.pool.query('select from note')).rowCount).toBe(0);
  });

  it('is gone after drop, whoever is still connected', async () => {
    const { migrations } = await ownMigrations();
    const db = await open(migrations);
    const guest = new pg.Client({ connectionString: db.databaseUrl });
    const lost = new Promise<Error>((resolve) => guest.on('error', resolve));
    await guest.connect();
    await db.drop();
    expect(await lost).toMatchObject({ code: '57P01' });
    const name = new URL(db.databaseUrl).pathname.slice(1);
    expect((await asAdmin('select from pg_database where datname = $1', [name])).rowCount).toBe(0);
  });
});
