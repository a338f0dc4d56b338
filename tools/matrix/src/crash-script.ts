/*
 * What a case tells the processes under test, and what they tell it: files in one folder, written with one system call
 * each, since a process that is about to die has no time for more. Only the programs of this folder look at them.
 */
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type RpcFault =
  | 'request-lost'
  | 'reply-lost'
  | 'duplicated'
  | 'past-the-deadline'
  | 'after-its-undo'
  /** Before it comes another, with its key and an epoch that no saga has (K4). */
  | 'after-a-forged-epoch';

/** What shall go wrong in the case that is running. Without `times` or `fault`: nothing. */
export interface CrashScript {
  caseId: string;
  service: string;
  /** A crash point, as `operation/point`; the engine's have no operation before the slash. */
  point: string | null;
  /** A point at which a process dies once before, so that the other one is come by at all. */
  before: string | null;
  /** How often a process dies there. */
  times: number;
  /** How long the process that dies stays away. */
  downMs: number;
  /** A method, and what happens to the first call of it. */
  rpc: string | null;
  fault: RpcFault | null;
}

/** One line of `events.log`. */
export interface CrashEvent {
  kind: 'reached' | 'died' | 'fault';
  caseId: string;
  service: string;
  /** The point or the method. */
  what: string;
  orderId: string;
}

const scriptIn = (folder: string) => join(folder, 'script.json');
const eventsIn = (folder: string) => join(folder, 'events.log');

export function writeScript(folder: string, script: CrashScript): void {
  const draft = `${scriptIn(folder)}.new`;
  writeFileSync(draft, JSON.stringify(script));
  // Whoever reads meanwhile finds the one or the other, never half of it.
  renameSync(draft, scriptIn(folder));
}

export function clearScript(folder: string): void {
  rmSync(scriptIn(folder), { force: true });
}

export function readScript(folder: string): CrashScript | undefined {
  const text = textOf(scriptIn(folder));
  return text === undefined ? undefined : JSON.parse(text);
}

export function tellEvent(folder: string, event: CrashEvent): void {
  appendFileSync(eventsIn(folder), `${JSON.stringify(event)}\n`);
}

export function readEvents(folder: string): CrashEvent[] {
  const lines = (textOf(eventsIn(folder)) ?? '').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
