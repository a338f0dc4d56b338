import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Pool, Query } from './pool.ts';
import { transaction } from './transaction.ts';
import { statementTypes } from './value-types.ts';

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

/**
 * Brings the database up to date. Safe when several processes start at once: one applies, the others wait for its
 * lock and find nothing to do.
 *
 * @throws Error when an applied file has changed since: a migration is history, add a new one instead.
 * @returns the files applied now, as `module/file`
 */
export async function migrate(pool: Pool, sources: Migrations[]): Promise<string[]> {
  const wanted = sources.flatMap(readMigrations);
  return await transaction(pool, async (tx) => {
    // Waiting for another process's migrations takes as long as they take, and so may one of ours: longer than the
    // pool allows a statement, on the server (`set local`) and in the client (`query_timeout`).
    await tx.query(`set local lock_timeout = '120s'; set local statement_timeout = '120s'`);
    await tx.query(patiently('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]));
    await tx.query(`
      create table if not exists schema_migrations (
        module text not null, file text not null, checksum text not null,
        applied_at timestamptz not null default clock_timestamp(), primary key (module, file))`);
    const applied = await appliedChecksums(tx);
    const now: string[] = [];
    for (const migration of wanted) {
      if (isApplied(migration, applied)) continue;
      await tx.query(patiently(migration.sql));
      await tx.query('insert into schema_migrations (module, file, checksum) values ($1, $2, $3)', [
        migration.module,
        migration.file,
        migration.checksum,
      ]);
      now.push(idOf(migration));
    }
    return now;
  });
}

/**
 * Asks without waiting and changes nothing.
 * @returns the files that the database still lacks, as `module/file`
 * @throws Error when an applied file has changed since
 */
export async function missingMigrations(db: Query, sources: Migrations[]): Promise<string[]> {
  const { rows } = await db.query<{ exists: boolean }>({
    text: `select to_regclass('schema_migrations') is not null as exists`,
    types: statementTypes,
  });
  const applied = rows[0]?.exists === true ? await appliedChecksums(db) : new Map<string, string>();
  return sources
    .flatMap(readMigrations)
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
  const { rows } = await tx.query<{ id: string; checksum: string }>({
    text: `select module || '/' || file as id, checksum from schema_migrations`,
    types: statementTypes,
  });
  return new Map(rows.map((row) => [row.id, row.checksum]));
}

function readMigrations(source: Migrations): Migration[] {
  return migrationFiles(source).map(({ file, sql }) => {
    return { module: source.module, file, checksum: createHash('sha256').update(sql).digest('hex'), sql };
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
