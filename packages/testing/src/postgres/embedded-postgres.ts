/**
 * A real PostgreSQL 18 server from npm, as a child process: for the demo, for `up` and for the tests.
 *
 * The npm wrapper is not used, only its binaries: it tells neither the server's process id nor its exit, and a server
 * that tests may kill -9 and restart needs both.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type DataDirectory, prepareDataDirectory, readLock, SUPERUSER, serverEnvironment } from './data-directory.ts';
import { packagedServer, runnableServer, serverUser } from './postgres-binaries.ts';

export interface PostgresOptions {
  /** Initialised when empty, reused when not. */
  dataDir: string;
  /** A free one when left out. */
  port?: number;
  /** Server settings over the defaults, as `-c name=value`. */
  settings?: Record<string, string | number>;
  /** Empties the data directory first. Default false. */
  fresh?: boolean;
  /** How long until it accepts connections, crash recovery included. Default 60 s. */
  startTimeoutMs?: number;
  /** Gets the server's log, line by line, and notices of ours. */
  log?: (line: string) => void;
  /** Called when the server ends other than by `stop` and `kill`. */
  onExit?: (exit: { code: number | null; signal: NodeJS.Signals | null }) => void;
}

export interface PostgresServer {
  port: number;
  /** The postmaster's. */
  pid: number;
  /** Where the data really is: below the temporary folder when the server's user cannot enter the one asked for. */
  dataDir: string;
  /** As superuser, on the database `postgres`. Holds the password: not for logs. */
  adminUrl: string;
  databaseUrl(name: string): string;
  /** Does nothing when it exists. @returns its URL */
  createDatabase(name: string): Promise<string>;
  /** Fast shutdown: open transactions are rolled back. Nothing happens when it has ended already. */
  stop(): Promise<void>;
  /** `kill -9` of the postmaster, and waits for it to be gone; its children notice and leave. */
  kill(): Promise<void>;
}

const DEFAULTS = { max_connections: 300, timezone: 'UTC', log_timezone: 'UTC' };
const POLL_MS = 20;
const STOP_TIMEOUT_MS = 30_000;
const LOG_TAIL_LINES = 30;
const START_ATTEMPTS = 5;
// The processes of a killed server hold its shared memory until they notice, within milliseconds of each other.
const OLD_SERVER_LEAVING = /pre-existing shared memory block/;
const PORT_TAKEN = /could not create any TCP\/IP sockets|Address already in use/;

/**
 * Starts a server on `dataDir` and returns when it accepts connections, on 127.0.0.1 only.
 * UTF8, C locale, commits durable (`fsync` and `synchronous_commit` on) unless `settings` say otherwise.
 *
 * It does not outlive a caller that exits in an orderly way; after `kill -9` of the caller it does, and the next start
 * on the same directory says so.
 *
 * @throws Error when the directory is not usable, the port given is taken, or the server does not come up; its last log
 *   lines are in the message
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const log = options.log ?? (() => {});
  const user = await serverUser();
  const native = await runnableServer(packagedServer(), user, log);
  const directory = await prepareDataDirectory({
    wanted: options.dataDir,
    native,
    user,
    fresh: options.fresh ?? false,
    sync: options.settings?.fsync !== 'off',
    log,
  });
  const deadlineAt = Date.now() + (options.startTimeoutMs ?? 60_000);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const running = spawnServer(native, directory, port, options.settings ?? {}, log);
    const outcome = await untilReady(running, directory.path, deadlineAt);
    if (outcome === 'ready') return serverHandle(running, directory, port, options.onExit);
    const said = running.tail.join('\n');
    const leaving = OLD_SERVER_LEAVING.test(said) && Date.now() < deadlineAt;
    // A free port may be taken by somebody else between our look and the server's bind.
    const takenPort = PORT_TAKEN.test(said) && options.port === undefined && attempt < START_ATTEMPTS;
    if (!leaving && !takenPort) throw new Error(startFault(outcome, directory.path, port, said));
    await delay(POLL_MS);
  }
}

interface RunningServer {
  child: ChildProcess;
  tail: string[];
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

function spawnServer(
  native: string,
  directory: DataDirectory,
  port: number,
  settings: Record<string, string | number>,
  log: (line: string) => void,
): RunningServer {
  const fixed = { listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  const flags = Object.entries({ ...DEFAULTS, ...settings, ...fixed }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ]);
  const child = spawn(join(native, 'bin', 'postgres'), ['-D', directory.path, '-p', String(port), ...flags], {
    ...directory.user,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    // Its own process group: Ctrl-C goes to the caller alone, who stops the services before their database.
    detached: true,
  });
  const tail: string[] = [];
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      tail.push(line);
      if (tail.length > LOG_TAIL_LINES) tail.shift();
      log(line);
    });
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', (error) => {
      tail.push(error.message);
      resolve({ code: null, signal: null });
    });
    // `close`, not `exit`: the log's last lines, which say why, have been read by then. But a killed server's children
    // may hold the pipe for longer than the server lives.
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), 200).unref());
  });
  return { child, tail, exited };
}

async function untilReady(
  server: RunningServer,
  dataDir: string,
  deadlineAt: number,
): Promise<'ready' | 'ended' | 'late'> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  while (!ended) {
    const lock = await readLock(dataDir);
    if (lock?.pid === server.child.pid && lock?.status === 'ready') return 'ready';
    if (Date.now() > deadlineAt) {
      server.child.kill('SIGKILL');
      await server.exited;
      return 'late';
    }
    await Promise.race([server.exited, delay(POLL_MS)]);
  }
  return 'ended';
}

function startFault(outcome: 'ended' | 'late', dataDir: string, port: number, said: string): string {
  const what = outcome === 'late' ? 'did not accept connections in time' : 'ended while starting';
  const advice = PORT_TAKEN.test(said) ? `; port ${port} is taken: give another, or none for a free one` : '';
  return `Postgres on ${dataDir} ${what}${advice}. Its log:\n${said}`;
}

function serverHandle(
  server: RunningServer,
  directory: DataDirectory,
  port: number,
  onExit: PostgresOptions['onExit'],
): PostgresServer {
  const { child, exited } = server;
  let asked = false;
  const stopWithUs = () => child.kill('SIGINT');
  process.once('exit', stopWithUs);
  void exited.then((exit) => {
    process.removeListener('exit', stopWithUs);
    if (!asked) onExit?.(exit);
  });
  const databaseUrl = (name: string) =>
    `postgres://${SUPERUSER}:${directory.password}@127.0.0.1:${port}/${encodeURIComponent(name)}`;
  const end = async (signal: NodeJS.Signals) => {
    asked = true;
    child.kill(signal);
    // Nobody waits for ever for a server that cannot finish its last checkpoint; the next start recovers.
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(late);
  };
  return {
    port,
    pid: child.pid ?? 0,
    dataDir: directory.path,
    adminUrl: databaseUrl(SUPERUSER),
    databaseUrl,
    createDatabase: async (name) => {
      await createDatabase(databaseUrl(SUPERUSER), name);
      return databaseUrl(name);
    },
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
  };
}

async function createDatabase(adminUrl: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const known = await client.query('select from pg_database where datname = $1', [name]);
    if (known.rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    // 42P04 and 23505: somebody else created it since we looked.
    if (!(error instanceof pg.DatabaseError) || !['42P04', '23505'].includes(error.code ?? '')) throw error;
  } finally {
    await client.end();
  }
}

/** A TCP port that nobody used a moment ago. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
