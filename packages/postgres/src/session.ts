/*
 * What a connection must be before a service may rely on it, whatever stands between the two.
 *
 * On a direct connection all that is asked for comes with the startup message and holds until the connection ends: nothing
 * more per transaction. A pooler in transaction mode refuses that message or ignores what it says, and hands every
 * transaction another session. So the settings are compared once, at the start, with what was asked for, and again by each
 * check of readiness. What does not hold has to be given to the role, where it holds in every session; until then no
 * service starts.
 */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Pool } from './pool.ts';

/** Whether statements keep a name on the server: `auto` finds out whether the connection can do that. */
export type Prepare = 'auto' | 'on' | 'off';

/** What the connections of a pool share. */
export interface Session {
  readonly settings: Readonly<Record<string, string>>;
  readonly prepare: Prepare;
  /** False: every statement is sent without its name. */
  isNamed: boolean;
  /** performance.now() when the server last said that its disk is full. */
  fullAtMs: number;
  /** By SQLSTATE, when it was last said. */
  readonly saidAtMs: Map<string, number>;
}

interface ShownSetting {
  name: string;
  found: string;
  /** As the server writes it. */
  wanted: string;
}

/** The settings that a service relies on do not hold on its connection, and nothing was done. */
export class SessionRefused extends Error {
  override name = 'SessionRefused';
  /** As wrong settings of a service's own: starting again does not help. */
  readonly exitCode = 78;
}

/** As the startup message has them. */
export function startupOptions(settings: Session['settings']): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
    .join(' ');
}

export function sessionOf(pool: Pool): Session {
  return (pool.options as pg.PoolOptions & { session: Session }).session;
}

// PgBouncer; and those that speak of the option by which the settings travel.
const STARTUP_REFUSED = /unsupported startup parameter|command-line options/i;

/**
 * Finds out what the pool's connections are, and sets it up for them.
 * @throws SessionRefused when they are not what the pool was asked to give
 */
export async function openSession(pool: Pool): Promise<void> {
  const session = sessionOf(pool);
  const seen = await look(pool).catch(async (error: Error) => {
    if (!STARTUP_REFUSED.test(error.message)) throw error;
    // A pooler: connected without, it shows what the role has by itself.
    pool.options.options = undefined;
    return await look(pool);
  });
  if (session.prepare === 'auto') session.isNamed = seen.keepsNames;
  const missing = seen.settings.filter(({ found, wanted }) => found !== wanted);
  if (missing.length > 0) throw new SessionRefused(refusal(missing, seen));
}

function refusal(missing: ShownSetting[], { role, database }: Seen): string {
  const listed = missing.map(({ name, found, wanted }) => `${name} is ${found}, expected ${wanted}`);
  return [
    `the connection to the database is without settings that keep orders safe: ${listed.join('; ')}.`,
    'A pooler ignores what a connection asks for. Give the settings to the role, and have the pooler reconnect:',
    ...roleSettings(role, database, Object.fromEntries(missing.map(({ name, wanted }) => [name, wanted]))),
  ].join('\n');
}

/** The statements that give settings to a role, for the sessions that a pooler shares out. */
export function roleSettings(role: string, database: string, settings: Session['settings']): string[] {
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  return Object.entries(settings).map(
    ([name, value]) => `alter role ${quoted(role)} in database ${quoted(database)} set ${name} = '${value}';`,
  );
}

interface Seen {
  keepsNames: boolean;
  settings: ShownSetting[];
  role: string;
  database: string;
}

// Each is read before it is set, for this transaction alone: what comes back is how the server writes what was asked for.
const SHOW = `
  with shown as materialized (
    select name, value, current_setting(name) as found from unnest($1::text[], $2::text[]) as s (name, value))
  select name, found, set_config(name, value, true) as wanted from shown`;

async function look(pool: Pool): Promise<Seen> {
  const { settings, prepare } = sessionOf(pool);
  const client = await pool.connect();
  try {
    // A pooler in transaction mode keeps to one session until the end of the transaction.
    await client.query('begin');
    const keepsNames = prepare === 'auto' && (await keepsNamesOn(client));
    const shown = await client.query<ShownSetting>(SHOW, [Object.keys(settings), Object.values(settings)]);
    const who = await client.query<Pick<Seen, 'role' | 'database'>>(
      'select current_user as role, current_database() as database',
    );
    await client.query('rollback');
    client.release();
    return { keepsNames, settings: shown.rows, role: '', database: '', ...who.rows[0] };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/**
 * A server that is asked directly is the process that has greeted us. A pooler that knows of named statements gives them
 * names of its own there; one that passes our name on would sooner or later meet it in somebody else's session.
 */
async function keepsNamesOn(client: pg.PoolClient): Promise<boolean> {
  const name = `holdfast.probe-${randomBytes(8).toString('hex')}`;
  const { rows } = await client.query<{ pid: number; there: boolean }>({
    name,
    text: 'select pg_backend_pid() as pid, exists (select from pg_prepared_statements where name = $1::text) as there',
    values: [name],
  });
  const { pid, there } = rows[0] ?? { pid: 0, there: true };
  if ((client as { processID?: number | null }).processID === pid) return true;
  if (there) await client.query(`deallocate "${name}"`);
  return !there;
}

/** How long after a full disk a service stays out of the balance: writes that need no new block may well succeed meanwhile. */
const FULL_FOR_MS = 5_000;
const CAN_SERVE = `
  select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "isReadOnly",
         (select string_agg(name, ', ') from (${SHOW}) s where found <> wanted) as missing`;

/** Why the pool's database can't do what a service asks of it now; null when it can. */
export async function whyUnready(pool: Pool): Promise<string | null> {
  const { settings, fullAtMs } = sessionOf(pool);
  if (performance.now() - fullAtMs < FULL_FOR_MS) return '53100: the disk of the database is full';
  const { rows } = await pool.query<{ isReadOnly: boolean; missing: string | null }>(CAN_SERVE, [
    Object.keys(settings),
    Object.values(settings),
  ]);
  if (rows[0]?.isReadOnly !== false) return '25006: the database is read-only';
  const { missing } = rows[0];
  return missing === null ? null : `the connection is without ${missing}, which it asked for`;
}
