import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { auditSystem, booksAt } from '@holdfast/auditor';
import {
  type Cluster,
  type ClusterEvent,
  type ClusterOptions,
  type RunFile,
  readRunFile,
  startCluster,
} from '@holdfast/cluster';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newKey, orderFor } from './system.ts';

const folders: string[] = [];

function makeStateDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
  // Postgres runs as another user when we are root, and keeps its data here only where that user may enter.
  chmodSync(folder, 0o755);
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Processes die here, never the machine: what the operating system has been given survives all of them. */
const databaseSettings = { fsync: 'off' };

function isRunning(pid: number): boolean {
  try {
    // Empty for a zombie: it has ended and nobody has asked how yet.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toMatch(/ENOENT|ESRCH/);
    return false;
  }
}

const pidsOf = (run: RunFile) => [run.postgres.pid, ...run.services.map(({ pid }) => pid)];

async function call(run: RunFile, method: string, path: string, body?: object): Promise<Response> {
  return await fetch(run.http + path, {
    method,
    headers: {
      authorization: `Bearer ${run.apiKey}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(path === '/v1/orders' && { 'idempotency-key': newKey(), prefer: 'wait=20' }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
}

/** @returns the order's status and id, when it has ended */
async function placeOrder(run: RunFile, method = 'balance'): Promise<{ status: string; id: string }> {
  const response = await call(run, 'POST', '/v1/orders', orderFor({ payment: { method } }));
  const text = await response.text();
  expect(response.status, text).toBe(201);
  return JSON.parse(text) as { status: string; id: string };
}

async function setUp(run: RunFile): Promise<void> {
  for (const [path, body] of [
    ['/v1/stock/apple', { onHand: 1_000, unitPrice: 250, currency: 'EUR' }],
    ['/v1/stock/pear', { onHand: 1_000, unitPrice: 99, currency: 'EUR' }],
    ['/v1/accounts/ann', { balance: 1_000_000, currency: 'EUR' }],
  ] as const) {
    const response = await call(run, 'PUT', path, body);
    expect(response.status, await response.text()).toBe(200);
  }
}

describe.runIf(process.platform === 'linux')('a cluster of two replicas of everything', () => {
  let cluster: Cluster;
  let stateDir: string;
  const events: ClusterEvent[] = [];

  beforeAll(async () => {
    stateDir = makeStateDir();
    const onEvent = (event: ClusterEvent) => events.push(event);
    const replicas = { orchestrators: 2, participants: 2 };
    cluster = await startCluster({ stateDir, httpPort: 0, ...replicas, leaseMs: 1_000, databaseSettings, onEvent });
    await setUp(cluster.run);
  });
  afterAll(() => cluster.stop());

  it('writes down where everything is', () => {
    const run = readRunFile(stateDir);
    expect(run).toEqual(cluster.run);
    expect(run.services.map(({ name, replica }) => `${name} ${replica}`).sort()).toEqual([
      'inventory 0',
      'inventory 1',
      'orchestrator 0',
      'orchestrator 1',
      'payment 0',
      'payment 1',
      'sandbox 0',
      'shipping 0',
      'shipping 1',
    ]);
    expect(pidsOf(run).filter((pid) => !isRunning(pid))).toEqual([]);
  });

  it('completes an order from an account and one by card, and its books are right', async () => {
    expect(await placeOrder(cluster.run, 'balance')).toMatchObject({ status: 'completed' });
    expect(await placeOrder(cluster.run, 'pm_card_visa')).toMatchObject({ status: 'completed' });
    const report = await auditSystem(booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox));
    expect(report.violations, JSON.stringify(report.checks)).toBe(0);
    expect(report.orders.completed).toBeGreaterThanOrEqual(2);
  });

  it('brings every service back after kill -9: on the same ports, with its new pid in run.json', async () => {
    const names = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox'] as const;
    const comesBack = async (name: (typeof names)[number]) => {
      const entry = () => readRunFile(stateDir).services.find((service) => service.name === name);
      const before = entry();
      expect(await cluster.kill(name)).toEqual({ kind: 'killed', pid: before?.pid });
      await cluster.untilServing(name);
      const after = entry();
      expect({ ...after, pid: 0 }).toEqual({ ...before, pid: 0 });
      expect(after?.pid).not.toBe(before?.pid);
      expect(isRunning(before?.pid ?? 0)).toBe(false);
      expect(isRunning(after?.pid ?? 0)).toBe(true);
      const lived = events.filter((event) => event.name === name && event.replica === 0).map(({ kind }) => kind);
      expect([name, ...lived]).toEqual([name, 'started', 'died', 'restarted']);
    };
    await Promise.all(names.map(comesBack));
    expect(await placeOrder(cluster.run, 'pm_card_visa')).toMatchObject({ status: 'completed' });
  });

  it('brings back what somebody else has killed', async () => {
    const before = readRunFile(stateDir).services.find(
      ({ name, replica }) => name === 'shipping' && replica === 1,
    )?.pid;
    process.kill(before ?? 0, 'SIGKILL');
    await vi.waitUntil(() => events.some((event) => event.kind === 'died' && event.pid === before), {
      timeout: 10_000,
    });
    await cluster.untilServing('shipping', 1);
    expect(cluster.run.services.map(({ pid }) => pid)).not.toContain(before);
  });

  it('brings Postgres back, killed by somebody else or by itself, on the same port and with the data', async () => {
    const placed = await placeOrder(cluster.run);
    const before = cluster.run.postgres;
    process.kill(before.pid, 'SIGKILL');
    await vi.waitUntil(() => readRunFile(stateDir).postgres.pid !== before.pid, { timeout: 20_000 });
    const between = readRunFile(stateDir).postgres;
    await cluster.restartPostgres();
    const after = readRunFile(stateDir).postgres;
    expect([between.port, after.port]).toEqual([before.port, before.port]);
    expect(after.pid).not.toBe(between.pid);
    await vi.waitFor(
      async () => {
        const found = await call(cluster.run, 'GET', `/v1/orders/${placed.id}`);
        expect(found.status).toBe(200);
        expect(await placeOrder(cluster.run)).toMatchObject({ status: 'completed' });
      },
      { timeout: 20_000, interval: 200 },
    );
  });

  it('lets a process stand still and go on', async () => {
    const [first] = cluster.run.services.filter(({ name }) => name === 'inventory');
    const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
    cluster.pause('inventory');
    await vi.waitUntil(() => stateOf(first?.pid ?? 0) === 'T');
    cluster.resume('inventory');
    await vi.waitUntil(() => stateOf(first?.pid ?? 0) !== 'T');
    expect(() => cluster.pause('inventory', 2)).toThrow('this cluster has no replica 2 of inventory');
  });

  it('refuses a second supervisor', async () => {
    await expect(startCluster({ stateDir, httpPort: 0 })).rejects.toThrow(`Holdfast already runs on ${stateDir}`);
    expect(await placeOrder(cluster.run)).toMatchObject({ status: 'completed' });
  });

  it('leaves no process and no run.json behind when it is stopped', async () => {
    const pids = pidsOf(cluster.run);
    await cluster.stop();
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(join(stateDir, 'run.json'))).toBe(false);
    expect(existsSync(join(stateDir, 'supervisor.json'))).toBe(false);
  });
});

describe.runIf(process.platform === 'linux')('the start of a cluster', () => {
  const supervisors: ChildProcess[] = [];
  afterEach(() => {
    for (const supervisor of supervisors.splice(0)) supervisor.kill('SIGKILL');
  });

  /** A failed start must have ended all that it had started. */
  async function failsCleanly(options: ClusterOptions): Promise<string> {
    const stateDir = makeStateDir();
    const pids: number[] = [];
    const onEvent = (event: ClusterEvent) => {
      pids.push(event.pid);
      options.onEvent?.(event);
    };
    const failure = await startCluster({ httpPort: 0, stateDir, databaseSettings, ...options, onEvent }).then(
      async (cluster) => {
        await cluster.stop();
        return new Error('it started');
      },
      (error: Error) => error,
    );
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(join(stateDir, 'run.json'))).toBe(false);
    return failure.message;
  }

  it('says which settings are wrong, all of them, of all services', async () => {
    const message = await failsCleanly({
      env: {
        payment: { STRIPE_TIMEOUT_MS: 'soon', LOG_LEVEL: 'loud' },
        orchestrator: { API_KEYS: 'short', LEASE_MS: '1' },
      },
    });
    expect(message).toContain('payment 0 ended with exit code 78');
    expect(message).toContain('orchestrator 0 ended with exit code 78');
    for (const setting of ['STRIPE_TIMEOUT_MS', 'LOG_LEVEL', 'API_KEYS', 'LEASE_MS'])
      expect(message).toContain(setting);
  });

  it('says that the port which was asked for is taken', async () => {
    const holder = createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      expect(await failsCleanly({ httpPort: port })).toContain(`port ${port} is taken`);
    } finally {
      holder.close();
    }
  });

  it('is given up when asked', async () => {
    const asked = new AbortController();
    const onEvent = () => asked.abort(new Error('asked to stop'));
    expect(await failsCleanly({ signal: asked.signal, onEvent })).toBe('asked to stop');
  });

  /** A supervisor in a process of its own, which can be killed. */
  async function superviseElsewhere(
    stateDir: string,
    { clean = false, afterwards = '' } = {},
  ): Promise<{ supervisor: ChildProcess; run: RunFile }> {
    const script = `
      const { startCluster } = await import('@holdfast/cluster');
      const cluster = await startCluster(${JSON.stringify({ stateDir, httpPort: 0, clean, databaseSettings })});
      console.log('up ' + JSON.stringify(cluster.run));
      ${afterwards}
    `;
    const supervisor = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      // What the exception says is not this run's business.
      stdio: ['pipe', 'pipe', afterwards === '' ? 'inherit' : 'ignore'],
    });
    supervisors.push(supervisor);
    if (supervisor.stdout === null) throw new Error('no pipe');
    const [line] = (await once(createInterface({ input: supervisor.stdout }), 'line')) as [string];
    return { supervisor, run: JSON.parse(line.replace(/^up /, '')) as RunFile };
  }

  it('ends what a supervisor that was killed has left behind, goes on with its data or clean, and leaves nothing after an exception', async () => {
    const stateDir = makeStateDir();
    const { supervisor, run: before } = await superviseElsewhere(stateDir);
    await setUp(before);
    const placed = await placeOrder(before);
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    expect(pidsOf(before).filter(isRunning)).toHaveLength(6);

    const said: string[] = [];
    const cluster = await startCluster({ stateDir, httpPort: 0, databaseSettings, say: (line) => said.push(line) });
    try {
      expect(pidsOf(before).filter(isRunning)).toEqual([]);
      expect(said.filter((line) => line.includes('was left behind'))).toHaveLength(6);
      expect(cluster.run.apiKey).toBe(before.apiKey);
      const found = await call(cluster.run, 'GET', `/v1/orders/${placed.id}`);
      expect(await found.json()).toMatchObject({ status: 'completed' });
    } finally {
      await cluster.stop();
    }

    // The next one starts clean, and dies of an exception as soon as it is asked to.
    const clean = await superviseElsewhere(stateDir, {
      clean: true,
      afterwards: `process.stdin.once('data', () => { throw new Error('a fault'); });`,
    });
    expect(clean.run.apiKey).not.toBe(before.apiKey);
    expect((await call(clean.run, 'GET', `/v1/orders/${placed.id}`)).status).toBe(404);
    clean.supervisor.stdin?.write('now');
    await once(clean.supervisor, 'exit');
    await vi.waitUntil(() => pidsOf(clean.run).every((pid) => !isRunning(pid)), { timeout: 10_000 });
  });
});
