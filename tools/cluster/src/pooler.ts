/** A real PgBouncer before the services' databases, in transaction mode, where one is installed (Debian: pgbouncer). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createPool, roleSettings, sessionSettings, transaction } from '@holdfast/postgres';
import { freePort, type PostgresServer } from '@holdfast/testing';
import { SERVICES, type ServiceName } from './cluster-plan.ts';

export interface Pooler {
  pid: number;
  port: number;
  /** Part of its command line that nothing else has. */
  mark: string;
  /** As the services reach their databases through it, with a role of their own. */
  databaseUrl(name: string): string;
  stop(): Promise<void>;
}

export interface PoolerOptions {
  server: Pick<PostgresServer, 'adminUrl' | 'databaseUrl' | 'port'>;
  logFile: string;
  /** Lines of its `[pgbouncer]` section over `pool_mode = transaction`. */
  settings?: Record<string, string | number>;
  /** Give the services' role what docs/deploy.md says. Default true. */
  withRoleSettings?: boolean;
}

const ROLE = 'holdfast_pooled';
const DEBIANS = '/usr/sbin/pgbouncer';
const START_TIMEOUT_MS = 10_000;
const POLL_MS = 20;

const program = () => ['pgbouncer', DEBIANS].find((path) => spawnSync(path, ['--version']).status === 0);

/** Whether tests that need PgBouncer are left out; said aloud, and a failure where everything must run. */
export function skipsPooler(what: string): boolean {
  if (program() !== undefined) return false;
  const needs = `${what}: needs PgBouncer on the PATH (Debian: pgbouncer)`;
  if (process.env.HOLDFAST_REQUIRE_ALL === '1') throw new Error(needs);
  console.warn(`skipped: ${needs}`);
  return true;
}

/** @throws Error when none is installed, or it does not come up */
export async function startPooler({
  server,
  logFile,
  settings = {},
  withRoleSettings = true,
}: PoolerOptions): Promise<Pooler> {
  const command = program();
  if (command === undefined) throw new Error('there is no PgBouncer here: install it (Debian: pgbouncer)');
  const password = randomBytes(24).toString('hex');
  await giveRole(server, password, withRoleSettings);
  const port = await freePort();
  const { path, user } = await configure({ ...settings, listen_port: port }, server.port, password);
  const child = spawn(command, [path], { ...user, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }));
  const discard = () => child.kill('SIGKILL');
  process.once('exit', discard);
  const databaseUrl = (name: string) => `postgres://${ROLE}:${password}@127.0.0.1:${port}/${name}`;
  const stop = async () => {
    process.removeListener('exit', discard);
    child.kill('SIGKILL');
    await gone(child);
    await rm(dirname(path), { recursive: true, force: true });
  };
  await untilServing(child, port, logFile).catch(async (error: Error) => {
    await stop();
    throw error;
  });
  return { pid: child.pid ?? 0, port, mark: path, databaseUrl, stop };
}

/** As docs/deploy.md has it: a role that owns the databases, and the settings that its sessions begin with. */
async function giveRole(server: PoolerOptions['server'], password: string, withSettings: boolean): Promise<void> {
  const admin = createPool({ databaseUrl: server.adminUrl, applicationName: 'pooler set-up', max: 1 });
  const statements = [
    `do $$ begin create role ${ROLE}; exception when duplicate_object then null; end $$`,
    `alter role ${ROLE} login password '${password}'`,
    ...SERVICES.flatMap((name) => [
      `alter database ${name} owner to ${ROLE}`,
      `alter role ${ROLE} in database ${name} reset all`,
      ...(withSettings ? roleSettings(ROLE, name, settingsOf(name)) : []),
    ]),
  ];
  try {
    await transaction(admin, async (tx) => {
      for (const text of statements) await tx.query(text);
    });
  } finally {
    await admin.end();
  }
}

/** What a service asks of its connections. */
export function settingsOf(name: ServiceName): Record<string, string> {
  return sessionSettings({ keyLookupsOnly: name !== 'sandbox' });
}

/** PgBouncer refuses to run as root: it becomes the user `nobody` there, who has to be able to read its files. */
async function configure(settings: Record<string, string | number>, serverPort: number, password: string) {
  const folder = join(tmpdir(), `holdfast-pooler-${randomBytes(6).toString('hex')}`);
  const [path, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  const all = {
    listen_addr: '127.0.0.1',
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    // These three are all that docs/deploy.md asks for.
    pool_mode: 'transaction',
    query_wait_timeout: 2,
    server_login_retry: 1,
    max_client_conn: 1_000,
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  await mkdir(folder, { mode: 0o700 });
  await writeFile(path, `[databases]\n* = host=127.0.0.1 port=${serverPort}\n\n[pgbouncer]\n${lines.join('\n')}\n`);
  await writeFile(users, `"${ROLE}" "${password}"\n`, { mode: 0o600 });
  const user = nobody();
  if (user !== undefined) for (const entry of [folder, path, users]) await chown(entry, user.uid, user.gid);
  return { path, user };
}

function nobody(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

async function untilServing(child: ChildProcess, port: number, logFile: string): Promise<void> {
  const deadlineAt = performance.now() + START_TIMEOUT_MS;
  while (!(await isListening(port))) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || performance.now() > deadlineAt) throw new Error(`PgBouncer does not serve: see ${logFile}`);
    await delay(POLL_MS);
  }
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
