/** Runs a service as a process of its own and starts it again whenever it ends without having been asked to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT_BAD_CONFIG } from '@holdfast/service';

export interface ProcessSpec {
  name: string;
  replica: number;
  /** The program, for Node. */
  main: string;
  /** All of its environment: nothing is inherited. */
  env: Record<string, string>;
  /** Gets its output, appended. */
  logFile: string;
  /** Asked again and again until it says yes; must not take longer than a second or so. */
  isServing: () => Promise<boolean>;
  /** Its deaths are intended, and say nothing about the program. */
  restartAtOnce?: boolean;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export type ProcessEvent = { name: string; replica: number; pid: number } & (
  | { kind: 'started' }
  /** Ended without having been asked to; `restartInMs` is null when it is not started again. */
  | ({ kind: 'died'; restartInMs: number | null } & Exit)
  /** Serves again, `afterMs` after it died. */
  | { kind: 'restarted'; afterMs: number }
);

export type Serving =
  | { kind: 'serving'; pid: number }
  /** It is not started again: its settings are wrong, or it has never served. `lastWords` are its log's last lines. */
  | { kind: 'gave_up'; exit: Exit; lastWords: string }
  | { kind: 'stopped' };

export interface ProcessHooks {
  /** Called as soon as a process exists, before it serves. */
  onSpawn: (pid: number) => void;
  onEvent: (event: ProcessEvent) => void;
  now?: () => number;
}

export interface SupervisedProcess {
  readonly spec: ProcessSpec;
  /** Of the process as it is now, or was last. */
  readonly pid: number;
  /** Resolves when it serves (again), or never will. */
  untilServing(): Promise<Serving>;
  /** `kill -9`, and waits for its end; it is started again at once. @returns undefined when it was not running */
  kill(): Promise<number | undefined>;
  /** Stops it where it stands, as a machine that has gone to sleep. */
  pause(): void;
  resume(): void;
  /** Asks it to end; kills it when it has not within `deadlineMs`. It is not started again. */
  stop(deadlineMs: number): Promise<void>;
  /** `kill -9` without waiting, for when our own process ends. */
  killNow(): void;
}

const QUICK_DEATH_MS = 5_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const DEATHS_BEFORE_SERVING = 3;
const POLL_MS = 50;
const LAST_WORDS_BYTES = 4_000;

/** How long to wait before it is started again, by how many times in a row it has died soon after its start. */
export function restartPauseMs(quickDeaths: number): number {
  return quickDeaths <= 1 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (quickDeaths - 2), LONGEST_PAUSE_MS);
}

export function superviseProcess(spec: ProcessSpec, hooks: ProcessHooks): SupervisedProcess {
  const now = hooks.now ?? Date.now;
  const about = { name: spec.name, replica: spec.replica };
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let ended: Promise<Exit> = Promise.resolve({ code: null, signal: null });
  let lastPid = 0;
  let killAsked = false;
  let serving = Promise.withResolvers<Serving>();

  /** From one start to the death after it. */
  async function live(diedAt: number | undefined): Promise<{ exit: Exit; served: boolean; said: number }> {
    const said = logSize(spec.logFile);
    child = start(spec);
    const pid = child.pid ?? 0;
    lastPid = pid;
    ended = exitOf(child);
    killAsked = false;
    hooks.onSpawn(pid);
    const served = await untilAnswers(spec, ended);
    if (served && !stopping.signal.aborted) {
      const kind = diedAt === undefined ? ({ kind: 'started' } as const) : restarted(now() - diedAt);
      hooks.onEvent({ ...about, pid, ...kind });
      serving.resolve({ kind: 'serving', pid });
    }
    const exit = await ended;
    child = undefined;
    if (served && !stopping.signal.aborted) serving = Promise.withResolvers<Serving>();
    return { exit, served, said };
  }

  async function keepAlive(): Promise<void> {
    let quickDeaths = 0;
    let hasServed = false;
    let diedAt: number | undefined;
    while (!stopping.signal.aborted) {
      const startedAt = now();
      const { exit, served, said } = await live(diedAt);
      if (stopping.signal.aborted) return;
      hasServed ||= served;
      diedAt = now();
      // A death that was asked for says nothing about the program.
      quickDeaths =
        !killAsked && spec.restartAtOnce !== true && diedAt - startedAt < QUICK_DEATH_MS ? quickDeaths + 1 : 0;
      const hopeless = exit.code === EXIT_BAD_CONFIG || (!hasServed && quickDeaths >= DEATHS_BEFORE_SERVING);
      const restartInMs = hopeless ? null : restartPauseMs(quickDeaths);
      hooks.onEvent({ ...about, kind: 'died', pid: lastPid, restartInMs, ...exit });
      if (restartInMs === null) {
        return serving.resolve({ kind: 'gave_up', exit, lastWords: lastWordsOf(spec.logFile, said) });
      }
      await delay(restartInMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const running = keepAlive();
  return {
    spec,
    get pid() {
      return lastPid;
    },
    untilServing: () => serving.promise,
    async kill() {
      if (child === undefined) return undefined;
      const { pid } = child;
      killAsked = true;
      child.kill('SIGKILL');
      await ended;
      return pid;
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async stop(deadlineMs) {
      stopping.abort();
      serving.resolve({ kind: 'stopped' });
      child?.kill('SIGTERM');
      // A paused one hears of it only when it goes on.
      child?.kill('SIGCONT');
      const late = setTimeout(() => child?.kill('SIGKILL'), deadlineMs);
      await running;
      clearTimeout(late);
    },
    killNow: () => void child?.kill('SIGKILL'),
  };
}

function restarted(afterMs: number): { kind: 'restarted'; afterMs: number } {
  return { kind: 'restarted', afterMs };
}

// By its own choice Node takes 130 MB for the young generation on a machine with much memory, and lets the old one grow to four
// times what is alive in it. With half of the young one and a growth by three fifths every service stays at about 250 MB or
// below and works as fast; with a quarter of it, orders outlive it, and collecting them costs a third of the speed.
const NODE_FLAGS = ['--max-semi-space-size=32', '--heap-growing-percent=60'];

function start(spec: ProcessSpec): ChildProcess {
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    return spawn(process.execPath, [...NODE_FLAGS, spec.main], {
      env: spec.env,
      stdio: ['ignore', log, log],
      // Its own process group: Ctrl-C goes to us alone, and we end them in the right order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    // It could not be started at all: out of processes or memory. Tried again, as after any other death.
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}

async function untilAnswers(spec: ProcessSpec, ended: Promise<Exit>): Promise<boolean> {
  let over = false;
  const gone = ended.then(() => {
    over = true;
    return false;
  });
  while (!over) {
    if (await Promise.race([spec.isServing(), gone])) return !over;
    await Promise.race([delay(POLL_MS), gone]);
  }
  return false;
}

function logSize(logFile: string): number {
  return statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
}

/** What it said last, since its start: there it says why it ended. */
function lastWordsOf(logFile: string, from: number): string {
  const said = readFileSync(logFile).subarray(from);
  return said
    .subarray(Math.max(said.length - LAST_WORDS_BYTES, 0))
    .toString()
    .trim();
}
