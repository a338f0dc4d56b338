import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process as it can be told from a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own words; '' when that could not be told. */
  startedAt: string;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a live process; empty for a zombie and for one that has ended. */
export function commandOf(pid: number): string {
  if (process.platform !== 'linux') return ps(pid, 'args=');
  return (readProc(pid, 'cmdline') ?? '').replaceAll('\0', ' ').trim();
}

/** Process ids are given again; the same id with the same start is the same process. */
export function identityOf(pid: number): ProcessIdentity {
  if (process.platform !== 'linux') return { pid, startedAt: ps(pid, 'lstart=') };
  // The second field, the program's name, may contain spaces and parentheses; the start is the 20th after it.
  const fields = readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ');
  return { pid, startedAt: fields?.[19] ?? '' };
}

export function isSameProcess({ pid, startedAt }: ProcessIdentity): boolean {
  return commandOf(pid) !== '' && identityOf(pid).startedAt === startedAt;
}

function ps(pid: number, column: string): string {
  return spawnSync('ps', ['-ww', '-p', String(pid), '-o', column], { encoding: 'utf8' }).stdout.trim();
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    // ESRCH and ENOENT: it has ended.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
