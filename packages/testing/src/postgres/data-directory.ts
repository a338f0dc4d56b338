import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { chown, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { canEnter, type RunAs, statIfAny, temporaryHome } from './postgres-binaries.ts';
import { commandOf, isAlive } from './process-identity.ts';

/** The superuser of every embedded server. */
export const SUPERUSER = 'postgres';
// Kept inside the data directory, which only the server's user and root may read.
const PASSWORD_FILE = 'holdfast-password';
const LOCK_FILE = 'postmaster.pid';

/** A data directory that is ready to be served. */
export interface DataDirectory {
  path: string;
  user: RunAs;
  password: string;
}

/**
 * Makes `wanted` a data directory that the server can use: initialised once, reused afterwards, moved below the
 * temporary folder (aloud) when the server's user cannot enter it.
 *
 * @throws Error when it holds something else, belongs to another user, or a live server uses it
 */
export async function prepareDataDirectory(options: {
  wanted: string;
  native: string;
  user: RunAs;
  fresh: boolean;
  sync: boolean;
  log: (line: string) => void;
}): Promise<DataDirectory> {
  const path = await reachableDirectory(resolve(options.wanted), options.user, options.log);
  const found = await directoryState(path);
  await refuseLiveServer(path);
  if (options.fresh) await rm(path, { recursive: true, force: true });
  const state = options.fresh ? 'empty' : found;
  if (state === 'foreign') {
    throw new Error(`${path} is not empty and not a data directory of Holdfast: remove it or choose another`);
  }
  if (state === 'empty') await initialise(path, options.native, options.user, options.sync);
  await removeStaleLock(path);
  const password = (await readFile(join(path, PASSWORD_FILE), 'utf8')).trim();
  return { path, user: await ownerOf(path, options.user), password };
}

/** The process id of the live server on this data directory, by its lock file; undefined when there is none. */
export async function runningServerPid(dataDir: string): Promise<number | undefined> {
  const lock = await readLock(dataDir);
  return lock !== undefined && isPostgresOf(lock.pid, dataDir) ? lock.pid : undefined;
}

/** What the server has written in its lock file. `ready` once it accepts connections. */
export async function readLock(dataDir: string): Promise<{ pid: number; status: string } | undefined> {
  try {
    const lines = (await readFile(join(dataDir, LOCK_FILE), 'utf8')).split('\n');
    return { pid: Number(lines[0]), status: lines[7]?.trim() ?? '' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function reachableDirectory(wanted: string, user: RunAs, log: (line: string) => void): Promise<string> {
  const parent = dirname(wanted);
  await mkdir(parent, { recursive: true });
  if (await canEnter(parent, user)) return wanted;
  if (user.uid === undefined) throw new Error(`${parent} cannot be entered: choose another data directory`);
  const moved = join(await temporaryHome(wanted), 'data');
  if (!(await canEnter(dirname(moved), user))) {
    throw new Error(`the user that Postgres runs as can enter neither ${parent} nor ${dirname(moved)}: set TMPDIR`);
  }
  const abandoned = (await statIfAny(join(wanted, 'PG_VERSION'))) !== undefined;
  if (abandoned && (await statIfAny(moved)) === undefined) {
    const partial = `${moved}.${randomBytes(6).toString('hex')}`;
    await cp(wanted, partial, { recursive: true });
    execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, partial]);
    await rename(partial, moved);
  }
  log(`the user that Postgres runs as cannot enter ${parent}: its data is in ${moved}`);
  return moved;
}

async function directoryState(path: string): Promise<'empty' | 'initialised' | 'foreign'> {
  const entries = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[];
    if (error.code !== 'EACCES') throw error;
    throw new Error(`${path} belongs to another user: run as that user, remove it, or choose another`, {
      cause: error,
    });
  });
  if (entries.length === 0) return 'empty';
  return entries.includes('PG_VERSION') && entries.includes(PASSWORD_FILE) ? 'initialised' : 'foreign';
}

/** As root, an existing directory is served by whoever owns it: Postgres refuses another user's files. */
async function ownerOf(path: string, user: RunAs): Promise<RunAs> {
  const stat = await statIfAny(path);
  if (user.uid === undefined || stat === undefined || stat.uid === 0) return user;
  return { uid: stat.uid, gid: stat.gid };
}

async function initialise(path: string, native: string, user: RunAs, sync: boolean): Promise<void> {
  const work = `${path}.initdb-${randomBytes(6).toString('hex')}`;
  const [data, password] = [join(work, 'data'), join(work, 'password')];
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  try {
    for (const entry of [work, data, password]) await own(entry, user);
    await initdb(native, data, password, user, sync);
    await rename(password, join(data, PASSWORD_FILE));
    // crash here: only the work folder exists, and the next start begins anew. A data directory is never half made.
    await rename(data, path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function initdb(native: string, data: string, password: string, user: RunAs, sync: boolean): Promise<void> {
  const flags = [`--pgdata=${data}`, `--username=${SUPERUSER}`, `--pwfile=${password}`, '--auth=scram-sha-256'];
  const shape = ['--no-locale', '--encoding=UTF8', '--no-instructions', ...(sync ? [] : ['--no-sync'])];
  const options = { ...user, cwd: '/', env: serverEnvironment() };
  try {
    await promisify(execFile)(join(native, 'bin', 'initdb'), [...flags, ...shape], options);
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: string; message: string };
    throw new Error(`initdb failed in ${data}: ${stderr?.trim() || message}`, { cause });
  }
}

async function own(path: string, user: RunAs): Promise<void> {
  if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
}

/** What the server inherits: nothing of the caller's `PG*` variables, locale or time zone. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

async function refuseLiveServer(path: string): Promise<void> {
  const pid = await runningServerPid(path);
  if (pid === undefined) return;
  throw new Error(`Postgres (pid ${pid}) already runs on ${path}: stop it (\`kill -INT ${pid}\`) or choose another`);
}

/**
 * After `kill -9` the lock file stays. Postgres sees by itself that its process is gone, but refuses to start when the
 * process id has gone to another process of the same user, as it often has after a restart of a container.
 */
async function removeStaleLock(path: string): Promise<void> {
  const lock = await readLock(path);
  if (lock === undefined || !isAlive(lock.pid)) return;
  await refuseLiveServer(path);
  await rm(join(path, LOCK_FILE), { force: true });
}

/**
 * Errs towards yes: a postmaster whose data directory cannot be told is taken for ours, because a second server on the
 * same files destroys them.
 */
function isPostgresOf(pid: number, dataDir: string): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return false;
  const command = commandOf(pid);
  // A postmaster keeps the command it was started with; its children call themselves `postgres: …`.
  if (!/(^|\/)postgres( |$)/.test(command)) return false;
  const served = / -D ?(.+?)(?= -|$)/.exec(command)?.[1];
  return served === undefined || command.includes(` ${dataDir} `) || isSameFolder(served, dataDir);
}

function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [one, other].map((folder) => statSync(folder, { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
