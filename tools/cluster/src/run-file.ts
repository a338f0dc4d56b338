import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One process of the system, as `run.json` lists it. */
export interface RunningService {
  name: string;
  /** From 0. */
  replica: number;
  pid: number;
  /** host:port; null for the sandbox, which speaks HTTP only. */
  grpc: string | null;
  /** The API on the orchestrator; health and readiness everywhere. */
  http: string;
  /** Health, readiness and metrics; of all but the orchestrator the same as `http`. */
  ops: string;
  databaseUrl: string;
}

/** `.holdfast/run.json`: where everything is. Tools outside this repository read it, so members are never renamed. */
export interface RunFile {
  http: string;
  sandbox: string;
  services: RunningService[];
  postgres: { pid: number; port: number };
  redisUrl: string | null;
  apiKey: string;
  /** Paths of PEM files with which a tool of the operator may call the services; null: they speak in clear text. */
  tls: { ca: string; cert: string; key: string } | null;
}

const pathIn = (stateDir: string) => join(stateDir, 'run.json');

/** Holds passwords and the API key: for its owner only. Written in one step; nobody ever reads half of it. */
export function writeRunFile(stateDir: string, run: RunFile): void {
  replaceFile(pathIn(stateDir), `${JSON.stringify(run, null, 2)}\n`);
}

/** @throws Error when nothing runs there, or when what is there is no run file */
export function readRunFile(stateDir: string): RunFile {
  let text: string;
  try {
    text = readFileSync(pathIn(stateDir), 'utf8');
  } catch (cause) {
    throw new Error(`${pathIn(stateDir)} cannot be read: start the system first, with \`npm run up\``, { cause });
  }
  try {
    return JSON.parse(text) as RunFile;
  } catch (cause) {
    throw new Error(`${pathIn(stateDir)} is not JSON: stop the system, remove the file, and start again`, { cause });
  }
}

export function removeRunFile(stateDir: string): void {
  rmSync(pathIn(stateDir), { force: true });
}

/** Gives `path` a new content in one step, readable for its owner only. */
export function replaceFile(path: string, text: string): void {
  const partial = `${path}.${process.pid}.tmp`;
  writeFileSync(partial, text, { mode: 0o600 });
  // crash here: a partial file stays behind under its own name, the old one is still whole.
  renameSync(partial, path);
}
