/** An embedded Postgres that is started again, on the same port and data, whenever it ends without having been asked to. */
import { setTimeout as delay } from 'node:timers/promises';
import { type PostgresOptions, type PostgresServer, startPostgres } from '@holdfast/testing';
import { type ProcessEvent, restartPauseMs } from './supervised-process.ts';

export interface PostgresHooks {
  /** Called as soon as a server accepts connections. */
  onStart: (server: PostgresServer) => void;
  onEvent: (event: ProcessEvent) => void;
  say: (line: string) => void;
  now?: () => number;
}

export interface SupervisedPostgres {
  /** As it is now, or was last. */
  readonly server: PostgresServer;
  /** `kill`: as after a power failure. `stop`: fast shutdown. Returns when it accepts connections again. */
  restart(how: 'kill' | 'stop'): Promise<void>;
  stop(): Promise<void>;
}

const QUICK_DEATH_MS = 5_000;
const ABOUT = { name: 'postgres', replica: 0 };

/** @throws Error as `startPostgres`, when the first start fails; later ones are tried again, aloud */
export async function supervisePostgres(
  options: Omit<PostgresOptions, 'onExit'> & { port: number },
  hooks: PostgresHooks,
): Promise<SupervisedPostgres> {
  const now = hooks.now ?? Date.now;
  const stopping = new AbortController();
  let quickDeaths = 0;
  let startedAt = now();
  // The start under way; whoever wants the server to be there waits for it.
  let starting: Promise<void> = Promise.resolve();

  const start = async (fresh: boolean) => {
    const started = await startPostgres({ ...options, fresh, onExit: (exit) => onDeath(started.pid, exit) });
    startedAt = now();
    hooks.onStart(started);
    return started;
  };
  const onDeath = (pid: number, exit: { code: number | null; signal: NodeJS.Signals | null }) => {
    if (stopping.signal.aborted) return;
    const diedAt = now();
    quickDeaths = diedAt - startedAt < QUICK_DEATH_MS ? quickDeaths + 1 : 0;
    hooks.onEvent({ ...ABOUT, kind: 'died', pid, restartInMs: restartPauseMs(quickDeaths), ...exit });
    starting = startAgain(diedAt);
  };
  const startAgain = async (diedAt: number) => {
    while (!stopping.signal.aborted) {
      await delay(restartPauseMs(quickDeaths), undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        server = await start(false);
        return hooks.onEvent({ ...ABOUT, kind: 'restarted', pid: server.pid, afterMs: now() - diedAt });
      } catch (error) {
        quickDeaths += 1;
        hooks.say(`Postgres does not start: ${(error as Error).message}`);
      }
    }
  };

  let server = await start(options.fresh ?? false);
  hooks.onEvent({ ...ABOUT, kind: 'started', pid: server.pid });
  return {
    get server() {
      return server;
    },
    async restart(how) {
      await starting;
      const diedAt = now();
      await (how === 'kill' ? server.kill() : server.stop());
      quickDeaths = 0;
      starting = startAgain(diedAt);
      await starting;
    },
    async stop() {
      stopping.abort();
      await starting;
      await server.stop();
    },
  };
}
