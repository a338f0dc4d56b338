import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const START_TIMEOUT_MS = 20_000;

export interface TestProcess {
  child: ChildProcess;
  /** What it announced in its log. */
  ports: { httpPort: number; grpcPort?: number };
  /** SIGTERM by default; returns when it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Runs a service's main.ts with `env` alone, until it listens. */
export async function startProcess(main: URL, env: Record<string, string>): Promise<TestProcess> {
  const child = spawn(process.execPath, [fileURLToPath(main)], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  // Should the tests' own process end before `end` is called.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(() => process.off('exit', kill));
  const announced = Promise.withResolvers<TestProcess['ports']>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line);
    if (entry.msg === 'listening') announced.resolve(entry);
  });
  const late = delay(START_TIMEOUT_MS, undefined, { ref: false });
  const failed = Promise.race([ended, late]).then(() => Promise.reject(new Error(`${main.pathname} did not start`)));
  // Lost races are nobody's error.
  failed.catch(() => undefined);
  const ports = await Promise.race([announced.promise, failed]);
  return {
    child,
    ports,
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}
