/** Books for the auditor's tests: real databases with the real migrations, and the real sandbox. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chooseFreePorts, isServing, mainOf, REPOSITORY, superviseProcess } from '@holdfast/cluster';
import { idempotencyMigrations } from '@holdfast/idempotency';
import type { Migrations, Pool } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import type { AuditReport } from '@holdfast/testing/audit';
import type { AuditOptions } from '../src/auditor.ts';
import { auditSystem } from '../src/auditor.ts';

const SERVICES = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox'] as const;
type Service = (typeof SERVICES)[number];

export interface TestBooks {
  pools: Record<Service, Pool>;
  audit(options?: AuditOptions & { withoutLedgers?: boolean }): Promise<AuditReport>;
  /** Leaves no row but the migrations'. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

export async function openTestBooks(): Promise<TestBooks> {
  const databases = {} as Record<Service, TestDatabase>;
  for (const name of SERVICES) databases[name] = await testDatabase(name, migrationsOf(name));
  const sandbox = await startSandbox(databases.sandbox.databaseUrl);
  const pools = Object.fromEntries(SERVICES.map((name) => [name, databases[name].pool])) as Record<Service, Pool>;
  return {
    pools,
    audit: ({ withoutLedgers, ...options } = {}) =>
      auditSystem(
        {
          orchestrator: databases.orchestrator.databaseUrl,
          inventory: databases.inventory.databaseUrl,
          payment: databases.payment.databaseUrl,
          shipping: databases.shipping.databaseUrl,
          sandboxUrl: withoutLedgers === true ? null : sandbox.url,
        },
        options,
      ),
    async empty() {
      for (const name of SERVICES) await emptyDatabase(pools[name]);
    },
    async stop() {
      await sandbox.stop();
      for (const name of SERVICES) await databases[name].drop();
    },
  };
}

function migrationsOf(name: Service): Migrations[] {
  const sqlOf = (module: string, ...path: string[]) => ({
    module,
    folder: pathToFileURL(`${join(REPOSITORY, ...path, 'sql')}/`),
  });
  const own = sqlOf(name, 'apps', name);
  if (name === 'sandbox') return [own];
  if (name === 'orchestrator') return [idempotencyMigrations, sqlOf('saga', 'packages', 'saga'), own];
  if (name === 'inventory') return [idempotencyMigrations, sqlOf('messaging', 'packages', 'messaging'), own];
  return [idempotencyMigrations, own];
}

async function startSandbox(databaseUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-books-'));
  const [port] = await chooseFreePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const process = superviseProcess(
    {
      name: 'sandbox',
      replica: 0,
      main: mainOf('sandbox'),
      env: { DATABASE_URL: databaseUrl, HTTP_PORT: String(port) },
      logFile: join(folder, 'sandbox.log'),
      isServing: () => isServing({ http: url, grpc: null }),
    },
    { onSpawn: () => {}, onEvent: () => {} },
  );
  const serving = await process.untilServing();
  if (serving.kind !== 'serving') throw new Error(`the sandbox does not serve: ${JSON.stringify(serving)}`);
  return {
    url,
    async stop() {
      await process.stop(5_000);
      rmSync(folder, { recursive: true });
    },
  };
}

async function emptyDatabase(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('public', 'holdfast') and tablename <> 'migrations'`,
  );
  // A replica's session fires no triggers: the sandbox's ledger refuses to be emptied otherwise.
  const deletes = rows.map(({ name }) => `delete from ${name};`).join(' ');
  await pool.query(`begin; set local session_replication_role = replica; ${deletes} commit`);
}

/** The checks that are red, with what each is about. */
export function red(report: AuditReport): Record<string, string[]> {
  const found = report.checks.filter((check) => check.violations > 0);
  return Object.fromEntries(found.map(({ name, examples }) => [name, examples.map(({ subject }) => subject)]));
}

/** @throws Error when a statement meets no row: it would plant nothing, and its test would be about nothing */
export async function redAfter(
  books: TestBooks,
  ...statements: [Service, string][]
): Promise<Record<string, string[]>> {
  for (const [database, text] of statements) {
    const { rowCount } = await books.pools[database].query(text);
    if (rowCount === 0) throw new Error(`no row was met by: ${text}`);
  }
  return red(await books.audit());
}

/** For what a constraint refuses: should it ever be missing, the auditor must see it all the same. */
export async function withoutConstraint(
  books: TestBooks,
  constraint: { database: Service; table: string; name: string },
  look: () => Promise<void>,
): Promise<void> {
  const { database, table, name } = constraint;
  const pool = books.pools[database];
  const { rows } = await pool.query<{ definition: string }>(
    'select pg_get_constraintdef(oid) as definition from pg_constraint where conname = $1',
    [name],
  );
  await pool.query(`alter table ${table} drop constraint ${name}`);
  try {
    await look();
  } finally {
    await books.empty();
    await pool.query(`alter table ${table} add constraint ${name} ${rows[0]?.definition}`);
  }
}
