import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runningServerPid } from './data-directory.ts';
import { freePort, type PostgresOptions, type PostgresServer, startPostgres } from './embedded-postgres.ts';
import { packagedServer, runnableServer, serverUser } from './postgres-binaries.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;
const servers: PostgresServer[] = [];
const cleanUp: (() => Promise<unknown>)[] = [];

async function start(options: Partial<PostgresOptions> = {}): Promise<PostgresServer> {
  const server = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off' }, ...options });
  servers.push(server);
  return server;
}

async function query<Row extends pg.QueryResultRow>(databaseUrl: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  // A killed server is reported twice: to the statement under way, which is awaited below, and to the client.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

/** An innocent process of the user that owns `dataDir`. */
async function innocentProcess(dataDir: string): Promise<ChildProcess> {
  const { uid, gid } = await lstat(dataDir);
  const child = spawn('sleep', ['300'], { cwd: '/', stdio: 'ignore', ...(isRoot ? { uid, gid } : {}) });
  await once(child, 'spawn');
  cleanUp.push(async () => {
    child.kill('SIGKILL');
  });
  return child;
}

async function makeFolder(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-embedded-'));
  await chmod(folder, 0o755);
}

const removeFolder = () => rm(folder, { recursive: true, force: true });

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  for (const step of cleanUp.splice(0)) await step();
});

describe('an embedded Postgres', () => {
  // One data directory for all of them: reusing it is part of the promise, and initialising it takes a second.
  beforeAll(makeFolder);
  afterAll(removeFolder);

  it('keeps what was committed over a kill -9, on the same port', async () => {
    const before = await start();
    const url = await before.createDatabase('kept');
    await query(url, 'create table note (id int primary key); insert into note values (7)');
    await before.kill();
    await expect(query(url, 'select 1')).rejects.toThrow(/ECONNREFUSED/);

    const after = await start({ port: before.port });
    expect(after.pid).not.toBe(before.pid);
    expect(await query(url, 'select id from note')).toEqual([{ id: 7 }]);
  });

  it('starts at once after a kill -9 in the middle of a statement', async () => {
    const before = await start();
    const sleeping = query(before.adminUrl, 'select pg_sleep(60)');
    const failed = expect(sleeping).rejects.toThrow();
    await vi.waitUntil(async () => {
      const rows = await query(before.adminUrl, `select 1 from pg_stat_activity where wait_event = 'PgSleep'`);
      return rows.length === 1;
    });
    await before.kill();
    await start({ port: before.port });
    await failed;
  });

  it('starts although its stale lock file names a live process that is no server of its data', async () => {
    const before = await start();
    await before.kill();
    const lock = join(before.dataDir, 'postmaster.pid');
    const innocent = await innocentProcess(before.dataDir);
    const lines = (await readFile(lock, 'utf8')).split('\n');
    await writeFile(lock, [innocent.pid, ...lines.slice(1)].join('\n'));
    await start();
    expect(innocent.exitCode).toBeNull();
  });

  it('refuses data that a live server serves, and leaves that one alone', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(`Postgres (pid ${first.pid}) already runs on`);
    await expect(start({ fresh: true })).rejects.toThrow(`Postgres (pid ${first.pid}) already runs on`);
    expect(await runningServerPid(first.dataDir)).toBe(first.pid);
    expect(await query(first.adminUrl, 'select 1 as alive')).toEqual([{ alive: 1 }]);
  });

  it('refuses a folder that holds something else, and touches nothing in it', async () => {
    const dataDir = join(folder, 'holiday');
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'holiday.txt'), 'mine');
    await expect(start({ dataDir })).rejects.toThrow('is not empty and not a data directory of Holdfast');
    expect(await readFile(join(dataDir, 'holiday.txt'), 'utf8')).toBe('mine');
  });

  it('names the port that is taken, when it was given', async () => {
    const first = await start();
    await expect(start({ dataDir: join(folder, 'other'), port: first.port })).rejects.toThrow(
      `port ${first.port} is taken`,
    );
  });

  it('shows its last log lines when it cannot start', async () => {
    await expect(start({ settings: { no_such_setting: 1 } })).rejects.toThrow(
      'unrecognized configuration parameter "no_such_setting"',
    );
  });

  it('begins anew when asked for fresh data', async () => {
    const before = await start();
    await before.createDatabase('gone');
    await before.stop();
    const after = await start({ fresh: true });
    expect(await query(after.adminUrl, `select 1 from pg_database where datname = 'gone'`)).toEqual([]);
  });

  it('creates a database once, whoever else creates it at the same time', async () => {
    const server = await start();
    const urls = await Promise.all(Array.from({ length: 4 }, () => server.createDatabase('orders-1')));
    expect(new Set(urls)).toEqual(new Set([server.databaseUrl('orders-1')]));
    expect(await query(server.databaseUrl('orders-1'), 'select 1 as alive')).toEqual([{ alive: 1 }]);
  });

  it('is durable, UTF8, in the C locale, on the loopback only, with room for 300 connections', async () => {
    const port = await freePort();
    const server = await start({ port, settings: {} });
    expect(server.port).toBe(port);
    const [row] = await query(
      server.adminUrl,
      `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
              current_setting('server_encoding') as encoding, current_setting('max_connections') as connections,
              current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
              current_setting('timezone') as zone, datcollate as collation
         from pg_database where datname = current_database()`,
    );
    expect(row).toEqual({
      fsync: 'on',
      commit: 'on',
      encoding: 'UTF8',
      connections: '300',
      addresses: '127.0.0.1',
      sockets: '',
      zone: 'UTC',
      collation: 'C',
    });
  });

  it('lets nobody in without its password', async () => {
    const server = await start();
    const url = new URL(server.adminUrl);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('reports an end that nobody asked for, and no other', async () => {
    const onExit = vi.fn();
    const asked = await start({ onExit });
    await asked.stop();
    await asked.stop();
    expect(onExit).not.toHaveBeenCalled();
    const unasked = await start({ onExit });
    process.kill(unasked.pid, 'SIGKILL');
    await vi.waitUntil(() => onExit.mock.calls.length > 0);
    expect(onExit.mock.calls).toEqual([[{ code: null, signal: 'SIGKILL' }]]);
  });
});

describe.runIf(isRoot)('run by root from a folder that nobody else may enter, an embedded Postgres', () => {
  beforeEach(async () => {
    await makeFolder();
    await chmod(folder, 0o700);
  });
  afterEach(removeFolder);

  it('keeps its data below the temporary folder, says so, and finds it again', async () => {
    const log = vi.fn<(line: string) => void>();
    const before = await start({ log });
    cleanUp.push(() => rm(dirname(before.dataDir), { recursive: true, force: true }));
    expect(before.dataDir.startsWith(folder)).toBe(false);
    expect(log.mock.calls.flat().join('\n')).toContain(`its data is in ${before.dataDir}`);
    await before.createDatabase('kept');
    await before.stop();

    const after = await start();
    expect(after.dataDir).toBe(before.dataDir);
    expect(await query(after.databaseUrl('kept'), 'select 1 as alive')).toEqual([{ alive: 1 }]);
  });

  it('takes along the data that is in that folder already', async () => {
    await chmod(folder, 0o755);
    const before = await start();
    await before.createDatabase('kept');
    await before.stop();
    await chmod(folder, 0o700);
    const after = await start();
    cleanUp.push(() => rm(dirname(after.dataDir), { recursive: true, force: true }));
    expect(after.dataDir).not.toBe(before.dataDir);
    expect(await query(after.databaseUrl('kept'), 'select 1 as alive')).toEqual([{ alive: 1 }]);
  });

  it('runs from a copy of its program, which it says, and which is made once', async () => {
    const native = join(folder, 'native');
    await cp(packagedServer(), native, { recursive: true, verbatimSymlinks: true });
    const log = vi.fn<(line: string) => void>();
    const copies = await Promise.all([1, 2].map(async () => await runnableServer(native, await serverUser(), log)));
    const copy = copies[0] ?? '';
    cleanUp.push(() => rm(dirname(copy), { recursive: true, force: true }));
    expect(copies).toEqual([copy, copy]);
    expect(copy.startsWith(folder)).toBe(false);
    expect(log).toHaveBeenCalledWith(
      `the user that Postgres runs as cannot enter ${native}: running the copy in ${copy}`,
    );
    const made = (await lstat(copy)).ino;
    expect(await runnableServer(native, await serverUser(), log)).toBe(copy);
    expect((await lstat(copy)).ino).toBe(made);
  });
});

describe('the packaged server', () => {
  beforeEach(makeFolder);
  afterEach(removeFolder);

  it('gets its libraries linked when the install ran no scripts', async () => {
    const native = join(folder, 'package', 'native');
    await cp(packagedServer(), native, { recursive: true, verbatimSymlinks: true });
    await rm(join(native, 'lib', 'libpq.so.5'));
    const runnable = await runnableServer(native, await serverUser(), () => {});
    expect(runnable).toBe(native);
    expect((await lstat(join(native, 'lib', 'libpq.so.5'))).isSymbolicLink()).toBe(true);
  });

  it('that does not run is reported in its own words', async () => {
    const native = join(folder, 'package', 'native');
    await mkdir(join(native, 'bin'), { recursive: true });
    await writeFile(join(native, 'bin', 'postgres'), '#!/bin/sh\necho "libfoo.so: cannot open" >&2; exit 127\n', {
      mode: 0o755,
    });
    await expect(runnableServer(native, {}, () => {})).rejects.toThrow('libfoo.so: cannot open');
  });
});
