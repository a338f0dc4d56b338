import { ConfigError } from './config.ts';

/** `EX_CONFIG` of sysexits.h: restarting does not help, the settings must be mended first. */
export const EXIT_BAD_CONFIG = 78;
const SHUTDOWN_DEADLINE_MS = 9_500;

type Stop = () => Promise<void>;
const stops: Stop[] = [];

/** Registers what must end before the process does. Run one after the other, the last registered first. */
export function onShutdown(stop: Stop): void {
  stops.push(stop);
}

/**
 * Starts a service and stays until SIGTERM or SIGINT, then runs what `onShutdown` was given and exits 0 within 10 s.
 * Exit codes: 0 asked to stop; 1 could not start, or could not stop in time; 78 wrong settings, all of them listed.
 */
export async function runService(start: () => Promise<void>): Promise<void> {
  const signalled = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  try {
    await start();
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\n`);
      process.exit(EXIT_BAD_CONFIG);
    }
    process.stderr.write(`could not start: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
  await signalled;
  // What has not ended by now is handed over by the crash path: leases run out and others adopt.
  setTimeout(() => process.exit(1), SHUTDOWN_DEADLINE_MS).unref();
  for (const stop of stops.reverse()) await stop();
  process.exit(0);
}
