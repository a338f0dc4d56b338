import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

// Each test starts a process of its own.
vi.setConfig({ testTimeout: 30_000 });

const RUN_SERVICE = new URL('./run-service.ts', import.meta.url).href;
const CONFIG = new URL('./config.ts', import.meta.url).href;
const PROBE = fileURLToPath(new URL('./probe.sh', import.meta.url));

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** @param whenSaid called once the process has written this on standard output */
function run(args: string[], env: NodeJS.ProcessEnv = {}, whenSaid?: (child: ChildProcess) => void): Promise<Ended> {
  return ended(spawn(process.execPath, args, { env: { ...process.env, ...env }, timeout: 20_000 }), whenSaid);
}

function ended(child: ChildProcessWithoutNullStreams, whenSaid?: (child: ChildProcess) => void): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += data;
    if (stdout.includes('said\n')) whenSaid?.(child);
    if (stdout.includes('said\n')) whenSaid = undefined;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-service-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The arguments that run `main` as a service. */
async function service(main: string, ...args: string[]): Promise<string[]> {
  const path = join(folder, `${randomUUID()}.mjs`);
  const imports = `import { onShutdown, runService } from '${RUN_SERVICE}'; import { loadConfig, text } from '${CONFIG}';`;
  await writeFile(path, `${imports}\n${main}`);
  return [path, ...args];
}

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'that is still starting ends on %s, in order, with exit code 0',
    async (signal) => {
      const start = `await runService(async () => {
      onShutdown(async () => console.log('closed'));
      console.log('said');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
      const ended = await run(await service(start), {}, (child) => child.kill(signal));
      expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'said\nclosed\n' });
    },
  );

  it('says nothing of what broke because it was stopped while starting', async () => {
    const start = `let fail;
      await runService(async () => {
        onShutdown(async () => { fail(new Error('the pool was closed')); await new Promise(setImmediate); });
        console.log('said');
        await Promise.all([new Promise((_, reject) => { fail = reject; }), new Promise((resolve) => setTimeout(resolve, 60_000))]);
      });`;
    expect(await run(await service(start), {}, (child) => child.kill('SIGTERM'))).toMatchObject({
      code: 0,
      stderr: '',
    });
  });

  it('lists its wrong settings without a stack trace and exits 78, be it thrown or rejected', async () => {
    for (const start of [
      `() => loadConfig({ NAME: text('a name') }, {})`,
      `async () => loadConfig({ NAME: text('a name') }, {})`,
    ]) {
      expect(await run(await service(`await runService(${start});`))).toMatchObject({
        code: 78,
        stderr: 'wrong settings:\n  NAME: missing; expected a name\n',
      });
    }
  });
});

describe('a job', () => {
  const jobs = `await runService(async () => console.log('serving'), {
    migrate: async () => { onShutdown(async () => console.log('closed')); console.log('migrated'); },
    fail: async () => { throw new Error('no database'); },
  });`;

  it('is done instead of serving, and the process ends', async () => {
    expect(await run(await service(jobs, 'migrate'))).toMatchObject({ code: 0, stdout: 'migrated\nclosed\n' });
  });

  it('that could not be done exits 1 and says why', async () => {
    const ended = await run(await service(jobs, 'fail'));
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('could not fail: Error: no database');
  });

  it.each(['migrat', 'toString'])('that does not exist (%s) exits 64 and names those that do', async (name) => {
    expect(await run(await service(jobs, name))).toMatchObject({
      code: 64,
      stdout: '',
      stderr: `${name} is no job of this service: say migrate or fail, or nothing to serve\n`,
    });
  });
});

describe('the probe', () => {
  /** Answers each path with its status, and never where that is `undefined`. */
  const answering = async (status: Record<string, number | undefined>, test: (port: string) => Promise<void>) => {
    const server = createServer(({ url = '' }, response) => {
      if (status[url] !== undefined) response.writeHead(status[url]).end(`${url}\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await test(String((server.address() as AddressInfo).port));
    } finally {
      server.close();
      server.closeAllConnections();
    }
  };
  const probe = (port: string, ...args: string[]) =>
    ended(spawn(PROBE, args, { env: { ...process.env, HTTP_PORT: port }, timeout: 20_000 }));

  it('says whether the service can serve, and with `livez` whether it answers at all', async () => {
    await answering({ '/readyz': 503, '/livez': 200 }, async (port) => {
      expect(await probe(port)).toMatchObject({ code: 1, stdout: '/readyz\n' });
      expect(await probe(port, 'livez')).toMatchObject({ code: 0, stdout: '/livez\n' });
    });
    await answering({ '/readyz': 200 }, async (port) => {
      expect(await probe(port)).toMatchObject({ code: 0 });
    });
  });

  it('fails when no server listens, and when an answer does not come', async () => {
    expect(await probe('1')).toMatchObject({ code: 1, stderr: expect.stringContaining('refused') });
    await answering({ '/readyz': undefined }, async (port) => {
      expect(await probe(port)).toMatchObject({ code: 1, stderr: '/readyz: no answer within 2 s\n' });
    });
  });
});
