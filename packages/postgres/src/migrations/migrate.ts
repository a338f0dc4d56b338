import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Pool, type Query, unnamedStatement } from '../pool.ts';
import { checkedSchema, DEFAULT_SCHEMA, inSchema, migrationIn, textIn } from '../schema.ts';
import { transaction } from '../transaction.ts';
import { grantRunner } from './runner-rights.ts';

/**
 * Numbered files, `001-what-it-does.sql`, applied in order, each once: a folder of them, or the files themselves, as a
 * packed library has them.
 */
export type Migrations = {
  /** Whose tables these are; part of a migration's identity. */
  module: string;
} & ({ folder: URL } | { files: readonly MigrationFile[] });

export interface MigrationFile {
  file: string;
  sql: string;
}

interface Migration extends MigrationFile {
  module: string;
  checksum: string;
}

// Any constant will do, as long as every migrating process of a database uses the same.
const MIGRATION_LOCK = 7_415_926;
// A little more than the server's, which answers first and says why.
const CLIENT_TIMEOUT_MS = 125_000;

export interface MigrationOptions {
  /** Where the libraries' tables are, and the list of what was applied. Default `holdfast`. */
  schema?: string | undefined;
  /** The role that the service runs as, where it is not the one that migrates: it gets its rights to what there is. */
  runner?: string | undefined;
}

const LIST = `create table if not exists holdfast.migrations (
  module text not null,
  file text not null,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp(),
  primary key (module, file)
)`;

/**
 * Brings the database up to date. Safe when several processes start at once: one applies, the others wait for its
 * lock and find nothing to do.
 *
 * @throws Error when an applied file has changed since: a migration is history, add a new one instead.
 * @returns the files applied now, as `module/file`
 */
export async function migrate(
  pool: Pool,
  sources: Migrations[],
  { schema = DEFAULT_SCHEMA, runner }: MigrationOptions = {},
): Promise<string[]> {
  const wanted = sources.flatMap((source) => readMigrations(source, schema));
  return await transaction(inSchema(pool, schema), async (tx) => {
    // Waiting for another process's migrations takes as long as they take, and so may one of ours: longer than the
    // pool allows a statement, on the server (`set local`) and in the client (`query_timeout`).
    await tx.query(`set local lock_timeout = '120s'; set local statement_timeout = '120s'`);
    await tx.query(patiently('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]));
    // Asked first: even `if not exists` needs the right to make one, which a role whose schema is there may be without.
    const { rows } = await tx.query<{ there: boolean }>('select to_regnamespace($1) is not null as there', [schema]);
    if (rows[0]?.there !== true) await tx.query(`create schema "${schema}"`);
    await tx.query(unnamedStatement(LIST));
    const applied = await appliedChecksums(tx);
    const now: string[] = [];
    for (const migration of wanted) {
      if (isApplied(migration, applied)) continue;
      await tx.query(patiently(migration.sql));
      await tx.query({
        ...unnamedStatement('insert into holdfast.migrations (module, file, checksum) values ($1, $2, $3)'),
        values: [migration.module, migration.file, migration.checksum],
      });
      now.push(idOf(migration));
    }
    if (runner !== undefined) await grantRunner(tx, runner, schema);
    return now;
  });
}

/**
 * The same as plain SQL, for those who run their own migrations: it makes the schema, applies every file and lists it as applied.
 * Nothing in it depends on the search path, or ends a transaction that it is run in.
 */
export function migrationSql(sources: Migrations[], { schema = DEFAULT_SCHEMA }: MigrationOptions = {}): string {
  const files = sources.flatMap((source) => readMigrations(source, schema));
  const parts = files.map((migration) => {
    const { module, file, checksum, sql } = migration;
    const values = [module, file, checksum].map((value) => `'${value.replaceAll("'", "''")}'`).join(', ');
    const applied = textIn(schema, `insert into holdfast.migrations (module, file, checksum) values (${values});`);
    return `-- ${idOf(migration)}\n\n${sql.trim()}\n\n${applied}\n`;
  });
  const first = [`create schema if not exists "${checkedSchema(schema)}";`, `${textIn(schema, LIST)};\n`];
  return [...first, ...parts].join('\n');
}

/**
 * Asks without waiting and changes nothing.
 * @returns the files that the database still lacks, as `module/file`
 * @throws Error when an applied file has changed since
 */
export async function missingMigrations(
  host: Query,
  sources: Migrations[],
  { schema = DEFAULT_SCHEMA }: MigrationOptions = {},
): Promise<string[]> {
  const db = inSchema(host, schema);
  const { rows } = await db.query<{ exists: boolean }>(
    unnamedStatement(`select to_regclass('holdfast.migrations') is not null as exists`),
  );
  const applied = rows[0]?.exists === true ? await appliedChecksums(db) : new Map<string, string>();
  return sources
    .flatMap((source) => readMigrations(source, schema))
    .filter((migration) => !isApplied(migration, applied))
    .map(idOf);
}

function idOf({ module, file }: Migration): string {
  return `${module}/${file}`;
}

/** @throws Error when it is, with another content */
function isApplied(migration: Migration, applied: Map<string, string>): boolean {
  const known = applied.get(idOf(migration));
  if (known !== undefined && known !== migration.checksum) {
    throw new Error(
      `migration ${idOf(migration)} was changed after it was applied: restore it and add a new file instead`,
    );
  }
  return known !== undefined;
}

function patiently(text: string, values?: unknown[]) {
  return { text, query_timeout: CLIENT_TIMEOUT_MS, ...(values === undefined ? {} : { values }) };
}

async function appliedChecksums(tx: Query): Promise<Map<string, string>> {
  const { rows } = await tx.query<{ id: string; checksum: string }>(
    unnamedStatement(`select module || '/' || file as id, checksum from holdfast.migrations`),
  );
  return new Map(rows.map((row) => [row.id, row.checksum]));
}

/** The checksum is that of the file, whatever schema it is applied to. */
function readMigrations(source: Migrations, schema: string): Migration[] {
  return migrationFiles(source).map(({ file, sql }) => {
    const checksum = createHash('sha256').update(sql).digest('hex');
    return { module: source.module, file, checksum, sql: migrationIn(schema, sql) };
  });
}

/** In the order in which they are applied. */
export function migrationFiles(source: Migrations): readonly MigrationFile[] {
  if ('files' in source) return source.files;
  const folder = fileURLToPath(source.folder);
  return readdirSync(folder)
    .filter((file) => /^\d{3}-.+\.sql$/.test(file))
    .sort()
    .map((file) => ({ file, sql: readFileSync(join(folder, file), 'utf8') }));
}
