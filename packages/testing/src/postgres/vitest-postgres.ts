/** Vitest's global setup: one Postgres server for the whole run, whatever projects take part in it. */
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type PostgresServer, startPostgres } from './embedded-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresAdminUrl: string;
  }
}

interface TestServer {
  postgres: PostgresServer;
  folder: string;
  /** For a run that is ended by a signal: no teardown then, only the event `exit`. */
  discard: () => void;
}
interface Run {
  server: Promise<TestServer>;
  projects: number;
}
// Each project loads its own copy of this module, so the run's server is kept where all copies find it.
const RUN = Symbol.for('holdfast.vitest-postgres');
const runs = globalThis as typeof globalThis & { [RUN]?: Run | undefined };

/** Starts the server for the first project, hands its address to every project, stops it after the last one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = runs[RUN] ?? { server: startForTests(), projects: 0 };
  runs[RUN] = run;
  run.projects += 1;
  const { postgres, folder, discard } = await run.server;
  project.provide('postgresAdminUrl', postgres.adminUrl);
  return async () => {
    run.projects -= 1;
    if (run.projects > 0) return;
    runs[RUN] = undefined;
    process.removeListener('exit', discard);
    await postgres.stop();
    for (const path of [folder, postgres.dataDir]) await rm(path, { recursive: true, force: true });
  };
}

async function startForTests(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  // Made for its owner only, and the server may run as another user.
  await chmod(folder, 0o755);
  try {
    return await serveTests(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function serveTests(folder: string): Promise<TestServer> {
  const postgres = await startPostgres({
    dataDir: join(folder, 'data'),
    // Tests crash processes, never the machine: what the operating system has been given survives all of them.
    settings: { fsync: 'off', full_page_writes: 'off', max_wal_size: '4GB' },
    log: (line) => {
      if (/PANIC|FATAL: .*(too many|out of)|^the user that/.test(line)) console.error(line);
    },
    onExit: ({ code, signal }) => console.error(`the tests' Postgres ended by itself (code ${code}, signal ${signal})`),
  });
  const discard = () => {
    void postgres.kill();
    // The killed server's children may write for a moment longer, hence the retries.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 });
  };
  process.once('exit', discard);
  return { postgres, folder, discard };
}
