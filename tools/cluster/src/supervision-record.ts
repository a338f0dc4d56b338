/*
 * Who supervises a state directory, and which processes that supervisor has started.
 *
 * A supervisor that is killed -9 ends none of its children. They would go on without anybody who restarts them, on ports
 * and on data that the next start wants. So each child is written down as soon as it exists, and the next start ends
 * those that are still there. A process is ended only when its id, its start and its command line all are what was
 * written down: process ids are given again, and nobody else's process must ever die of it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandOf, identityOf, isSameProcess, type ProcessIdentity } from '@holdfast/testing';
import { replaceFile } from './run-file.ts';

export interface RecordedChild extends ProcessIdentity {
  name: string;
  /** Part of its command line that nothing else on this machine has: its main.ts, its data directory. */
  mark: string;
  /** What asks it to end at once, without harm: `SIGKILL` for services, `SIGINT` (fast shutdown) for Postgres. */
  endWith: NodeJS.Signals;
}

interface SupervisionRecord {
  supervisor: ProcessIdentity;
  children: RecordedChild[];
}

export interface Supervision {
  /** Replaces what is written down. To be called as soon as a child exists. */
  record(children: RecordedChild[]): void;
  /** For when no child is left. */
  release(): void;
}

const ORPHAN_DEADLINE_MS = 10_000;
const POLL_MS = 20;

/**
 * Makes this process the supervisor of `stateDir`, and ends what a former one that was killed has left behind.
 * @throws Error when a supervisor is alive there, or an orphan cannot be ended
 */
export async function superviseStateDir(stateDir: string, say: (line: string) => void): Promise<Supervision> {
  const path = join(stateDir, 'supervisor.json');
  const own: SupervisionRecord = { supervisor: identityOf(process.pid), children: [] };
  const found = readRecord(path);
  if (found !== undefined) {
    refuseLiveSupervisor(found, stateDir);
    for (const child of found.children) await endOrphan(child, say);
    rmSync(path, { force: true });
  }
  try {
    // `wx`: of two that start at once, one creates it and the other is told.
    writeFileSync(path, serialise(own), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    refuseLiveSupervisor(readRecord(path) ?? own, stateDir);
    throw new Error(`another start on ${stateDir} is under way: try again`, { cause: error });
  }
  return {
    record: (children) => replaceFile(path, serialise({ ...own, children })),
    release: () => rmSync(path, { force: true }),
  };
}

function serialise(record: SupervisionRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

function readRecord(path: string): SupervisionRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SupervisionRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // The machine stopped while it was written: whoever wrote it is gone, and so is everything it has started.
    if (error instanceof SyntaxError) return { supervisor: { pid: 0, startedAt: '' }, children: [] };
    throw error;
  }
}

function refuseLiveSupervisor({ supervisor }: SupervisionRecord, stateDir: string): void {
  if (supervisor.pid === 0 || !isSameProcess(supervisor)) return;
  throw new Error(
    `Holdfast already runs on ${stateDir} (pid ${supervisor.pid}): ` +
      `use it, or stop it with Ctrl-C there or \`kill -INT ${supervisor.pid}\``,
  );
}

async function endOrphan(child: RecordedChild, say: (line: string) => void): Promise<void> {
  if (!isOurs(child)) return;
  say(`${child.name} (pid ${child.pid}) was left behind by a supervisor that was killed: ending it`);
  const deadlineAt = Date.now() + ORPHAN_DEADLINE_MS;
  signal(child.pid, child.endWith);
  while (isOurs(child)) {
    if (Date.now() > deadlineAt + ORPHAN_DEADLINE_MS) {
      throw new Error(`${child.name} (pid ${child.pid}) of an earlier start cannot be ended: end it yourself`);
    }
    if (Date.now() > deadlineAt) signal(child.pid, 'SIGKILL');
    await delay(POLL_MS);
  }
}

function isOurs(child: RecordedChild): boolean {
  return isSameProcess(child) && commandOf(child.pid).includes(child.mark);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // ESRCH: it ended by itself since we looked.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
