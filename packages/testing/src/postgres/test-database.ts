import { createHash, randomBytes } from 'node:crypto';
import { createPool, type Migrations, migrate, migrationFiles, type Pool, type PoolOptions } from '@holdfast/postgres';
import { withDeadline } from '@holdfast/resilience';
import pg from 'pg';

export interface TestDatabase {
  databaseUrl: string;
  pool: Pool;
  /** Closes the pool and drops the database, whoever is still connected. */
  drop(): Promise<void>;
}

const LOCK_TIMEOUT_MS = 60_000;
const POOL_END_TIMEOUT_MS = 5_000;

/**
 * A database of one's own on the run's server, with the migrations applied: cloned from a template that the first
 * caller in the run has migrated, which takes a few tens of milliseconds.
 *
 * @param name begins the database's name; letters, digits and `_`
 * @param options for its pool, over `createPool`'s defaults
 * @throws Error outside a Vitest project whose `globalSetup` is `vitest-postgres.ts`
 */
export async function testDatabase(
  name: string,
  migrations: Migrations[],
  options: Partial<PoolOptions> = {},
): Promise<TestDatabase> {
  const adminUrl = await providedAdminUrl();
  const database = `${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, '_')
    .slice(0, 40)}_${randomBytes(6).toString('hex')}`;
  await asAdmin(adminUrl, async (admin) => {
    const template = await migratedTemplate(admin, adminUrl, migrations);
    await admin.query(`create database ${database} template ${template}`);
  });
  const databaseUrl = urlOf(adminUrl, database);
  const pool = createPool({ databaseUrl, applicationName: `test ${name}`, ...options });
  return {
    databaseUrl,
    pool,
    drop: async () => {
      const closed = pool.ended || (await endsInTime(pool));
      await asAdmin(adminUrl, (admin) => admin.query(`drop database if exists ${database} with (force)`));
      if (!closed) throw new Error(`${database}: the test has checked out a client and not released it`);
    },
  };
}

/** Where the run's server is. Lazy, because importing Vitest outside of it fails and the demo imports this package. */
async function providedAdminUrl(): Promise<string> {
  const { inject } = await import('vitest');
  const adminUrl = inject('postgresAdminUrl');
  if (adminUrl === undefined) {
    throw new Error('no Postgres in this run: name the test *.db.test.ts, the project `db` starts one for it');
  }
  return adminUrl;
}

/** The template's name: another content of any file is another template. */
export function templateName(migrations: Migrations[]): string {
  const hash = createHash('sha256');
  for (const source of migrations) {
    for (const { file, sql } of migrationFiles(source)) hash.update(`${source.module}\0${file}\0${sql}\0`);
  }
  return `template_${hash.digest('hex').slice(0, 16)}`;
}

async function migratedTemplate(admin: pg.Client, adminUrl: string, migrations: Migrations[]): Promise<string> {
  const template = templateName(migrations);
  // Test files run in several processes; one migrates, the others wait and find the template made.
  await admin.query('select pg_advisory_lock(hashtext($1::text))', [template]);
  try {
    const { rows } = await admin.query<{ made: boolean }>(
      'select datistemplate as made from pg_database where datname = $1::text',
      [template],
    );
    if (rows[0]?.made === true) return template;
    // crash here: a half-migrated database stays behind without the mark; the next caller makes it anew.
    await admin.query(`drop database if exists ${template} with (force)`);
    await admin.query(`create database ${template} template template0`);
    await migrateTemplate(urlOf(adminUrl, template), migrations);
    // Nobody can connect to it any more: a connection would make cloning fail.
    await admin.query(`alter database ${template} with is_template true allow_connections false`);
    return template;
  } finally {
    await admin.query('select pg_advisory_unlock(hashtext($1::text))', [template]);
  }
}

async function migrateTemplate(databaseUrl: string, migrations: Migrations[]): Promise<void> {
  const pool = createPool({ databaseUrl, applicationName: 'test template', max: 1 });
  try {
    await migrate(pool, migrations);
  } finally {
    await pool.end();
  }
}

async function asAdmin<T>(adminUrl: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: 10_000,
    lock_timeout: LOCK_TIMEOUT_MS,
    application_name: 'test admin',
  });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

async function endsInTime(pool: Pool): Promise<boolean> {
  return (await withDeadline(POOL_END_TIMEOUT_MS, pool.end())).kind === 'completed';
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
