/*
 * What a service does about its database before it serves. It may have been started before the database, or before the
 * job that migrates it: then it waits, within a limit, and says for what.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createPool, type Pool } from '../pool.ts';
import { openSession } from '../session.ts';
import { classifyPostgresError, faultLine, sqlstateOf } from '../sqlstate.ts';
import { type Migrations, migrate, missingMigrations } from './migrate.ts';

export interface Preparation {
  /** Apply what is missing; otherwise wait until a job has. */
  migrateOnStart: boolean;
  /** Gets what it waits for, whenever that changes. */
  onWait: (reason: string) => void;
  /** See MigrationOptions. */
  runner?: string | undefined;
  /** How long until it gives up. Default 60 s. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
const POLL_MS = 250;

/**
 * Returns when the database holds everything that this release needs.
 * @throws Error when it can't be reached or is not migrated in time, or when an applied file has changed since;
 *   SessionRefused when a pooler drops what the pool asks for
 * @returns the files applied now, as `module/file`
 */
export async function prepareDatabase(
  pool: Pool,
  sources: Migrations[],
  { migrateOnStart, onWait, runner, timeoutMs = TIMEOUT_MS }: Preparation,
): Promise<string[]> {
  const deadlineAtMs = performance.now() + timeoutMs;
  let reported = '';
  for (;;) {
    const step = await attempt(pool, sources, migrateOnStart, runner);
    if (step.kind === 'completed') return step.applied;
    if (performance.now() > deadlineAtMs) throw new Error(`${step.reason}, for ${timeoutMs} ms`, { cause: step.cause });
    if (step.reason !== reported) onWait(step.reason);
    reported = step.reason;
    await delay(POLL_MS);
  }
}

type Prepared = { kind: 'completed'; applied: string[] } | { kind: 'unavailable'; reason: string; cause?: unknown };

async function attempt(
  pool: Pool,
  sources: Migrations[],
  migrateOnStart: boolean,
  runner: string | undefined,
): Promise<Prepared> {
  try {
    await openSession(pool);
    if (migrateOnStart) return { kind: 'completed', applied: await migrate(pool, sources, { runner }) };
    const missing = await missingMigrations(pool, sources);
    if (missing.length === 0) return { kind: 'completed', applied: [] };
    return {
      kind: 'unavailable',
      reason: `the database lacks ${missing.join(', ')}: run this release's job \`migrate\``,
    };
  } catch (cause) {
    // A login that is refused now is refused in a minute.
    if (classifyPostgresError(cause) === 'other' || sqlstateOf(cause)?.startsWith('28')) throw cause;
    return { kind: 'unavailable', reason: `the database does not answer (${faultLine(cause)})`, cause };
  }
}

/** The job `migrate` of a service: brings its database up to date and ends. Safe when several run at once. */
export async function runMigrations(
  options: Omit<Preparation, 'migrateOnStart'> & { databaseUrl: string; applicationName: string },
  sources: Migrations[],
): Promise<string[]> {
  const { databaseUrl, applicationName, ...preparation } = options;
  const pool = createPool({ databaseUrl, applicationName, max: 1 });
  try {
    return await prepareDatabase(pool, sources, { ...preparation, migrateOnStart: true });
  } finally {
    await pool.end();
  }
}
