import { ConfigError } from './config.ts';

/** `EX_CONFIG` of sysexits.h: restarting does not help, the settings must be mended first. */
export const EXIT_BAD_CONFIG = 78;
/** `EX_USAGE` of sysexits.h: the first argument is no job of this service. */
export const EXIT_USAGE = 64;
const SHUTDOWN_DEADLINE_MS = 9_500;

type Stop = () => Promise<void>;
const stops: Stop[] = [];

/** Registers what must end before the process does. Run one after the other, the last registered first. */
export function onShutdown(stop: Stop): void {
  stops.push(stop);
}

/** What a service can do instead of serving, by the word that asks for it: `main.ts migrate`. */
export type Jobs = Record<string, () => Promise<void>>;

/**
 * Starts a service and stays until SIGTERM or SIGINT, then runs what `onShutdown` was given and exits 0 within 10 s. A
 * signal that comes while it still starts (it may be waiting for its database) ends it the same way.
 * With the name of a job as its first argument, does that job and ends.
 * Exit codes: 0 asked to stop, or the job is done; 1 could not start, could not stop in time, or could not do the job;
 * 64 no such job; 78 wrong settings, all of them listed, its own or those of its database connection.
 */
export async function runService(start: () => Promise<void>, jobs: Jobs = {}): Promise<void> {
  const wanted = process.argv[2];
  // As process 1 of a container nothing ends this process by default: a signal without a listener would be ignored.
  const signalled = new Promise<'signalled'>((resolve) => {
    process.once('SIGTERM', () => resolve('signalled'));
    process.once('SIGINT', () => resolve('signalled'));
  });
  if (wanted !== undefined) {
    const job = Object.hasOwn(jobs, wanted) ? jobs[wanted] : undefined;
    await orExit(job ?? (() => refuseJob(wanted, jobs)), `could not ${wanted}`, signalled);
    return await stopAll();
  }
  await orExit(start, 'could not start', signalled);
  await signalled;
  await stopAll();
}

/** Returns when `work` is done or the process was asked to stop; ends the process when it can't be done. */
async function orExit(work: () => Promise<void>, fault: string, signalled: Promise<unknown>): Promise<void> {
  let stopping = false;
  const working = Promise.try(work).catch((error: unknown) => {
    // Whatever breaks now, breaks because its connections were closed under it.
    if (!stopping) exitWith(error, fault);
  });
  await Promise.race([
    working,
    signalled.then(() => {
      stopping = true;
    }),
  ]);
}

async function refuseJob(wanted: string, jobs: Jobs): Promise<never> {
  const known = Object.keys(jobs).join(' or ') || 'nothing';
  process.stderr.write(`${wanted} is no job of this service: say ${known}, or nothing to serve\n`);
  process.exit(EXIT_USAGE);
}

function exitWith(error: unknown, fault: string): never {
  const isConfig =
    error instanceof ConfigError || (error as { exitCode?: unknown } | null)?.exitCode === EXIT_BAD_CONFIG;
  if (isConfig) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(EXIT_BAD_CONFIG);
  }
  process.stderr.write(`${fault}: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

async function stopAll(): Promise<never> {
  // What has not ended by now is handed over by the crash path: leases run out and others adopt.
  setTimeout(() => process.exit(1), SHUTDOWN_DEADLINE_MS).unref();
  for (const stop of stops.reverse()) await stop();
  process.exit(0);
}
