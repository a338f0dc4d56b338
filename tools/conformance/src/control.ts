import { setTimeout as delay } from 'node:timers/promises';
import { type RunFile, type RunningService, readRunFile } from '@holdfast/cluster';

export type ServiceName = 'orchestrator' | 'inventory' | 'payment' | 'shipping';

const BACK_WITHIN_MS = 30_000;
const POLL_MS = 25;

/**
 * What the kit may do to a system's processes: only by the pids of its run file, which is written anew whenever one of
 * them has been restarted.
 */
export class Control {
  readonly #stateDir: string;
  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  run(): RunFile {
    return readRunFile(this.#stateDir);
  }

  service(name: ServiceName, replica = 0): RunningService {
    const found = this.run().services.find((service) => service.name === name && service.replica === replica);
    if (found === undefined) throw new Error(`the run file lists no replica ${replica} of ${name}`);
    return found;
  }

  replicas(name: ServiceName): number {
    return this.run().services.filter((service) => service.name === name).length;
  }

  /** `kill -9`. @returns when its successor is ready */
  async killAndAwait(name: ServiceName, replica = 0): Promise<void> {
    const { pid } = this.service(name, replica);
    process.kill(pid, 'SIGKILL');
    await this.untilReady(name, replica, pid);
  }

  kill(name: ServiceName, replica = 0): void {
    process.kill(this.service(name, replica).pid, 'SIGKILL');
  }

  pause(name: ServiceName, replica = 0): void {
    process.kill(this.service(name, replica).pid, 'SIGSTOP');
  }

  resume(name: ServiceName, replica = 0): void {
    process.kill(this.service(name, replica).pid, 'SIGCONT');
  }

  /** @param notPid the process that is known to be gone */
  async untilReady(name: ServiceName, replica = 0, notPid?: number): Promise<void> {
    await until(`${name} ${replica} is ready`, BACK_WITHIN_MS, async () => {
      const { pid, http } = this.service(name, replica);
      return pid !== notPid && (await isReady(http));
    });
  }

  /** Ends the database server as a power failure would; whoever keeps the system up starts it again. */
  killPostgres(): void {
    process.kill(this.run().postgres.pid, 'SIGKILL');
  }

  async untilAllReady(): Promise<void> {
    await until('every process is ready', BACK_WITHIN_MS, async () => {
      const ready = await Promise.all(this.run().services.map(({ http }) => isReady(http)));
      return ready.every(Boolean);
    });
  }
}

async function isReady(http: string): Promise<boolean> {
  return await fetch(`${http}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Polls until `look` says true. @throws Error when it doesn't in time */
export async function until(what: string, withinMs: number, look: () => Promise<boolean>): Promise<void> {
  const deadlineAtMs = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > deadlineAtMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}
