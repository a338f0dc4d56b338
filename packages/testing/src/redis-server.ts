/**
 * A real redis-server as a child process, where one is installed (Debian: redis-server): for the tests, and for `up --redis`.
 * It keeps nothing on disk: what it holds may be lost at any time, and everything must go on all the same.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './postgres/embedded-postgres.ts';

export interface RedisServer {
  port: number;
  url: string;
  /** Of the process as it is now, or was last. */
  readonly pid: number;
  /** Sends one command in plain words, such as `FLUSHALL`. @returns the raw reply. @throws Error when none comes */
  command(words: string): Promise<string>;
  /** SIGSTOP: connections stay open, nothing answers. */
  pause(): void;
  resume(): void;
  /** Kills it, and with it all that it holds. */
  kill(): Promise<void>;
  /** On the same port as before, empty. */
  startAgain(): Promise<void>;
  /** For good; nothing happens when it has ended already. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 2_000;
const POLL_MS = 20;
const RESTART_PAUSE_MS = 100;
const CLUSTER_TIMEOUT_MS = 20_000;
const NOTHING_ON_DISK = ['--save', '', '--appendonly', 'no'];
const CLUSTER_ARGS = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000'];

export function isRedisInstalled(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

export interface RedisOptions {
  /** Settings; by default that nothing is kept on disk. */
  args?: string[];
  /** Starts it again, empty, whenever it ends without having been asked to; called each time that it has come back. */
  onStart?: () => void;
}

/** @throws Error when it does not come up */
export async function startRedis({ args = NOTHING_ON_DISK, onStart }: RedisOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-redis-'));
  let stopping = false;
  const start = async (): Promise<ChildProcess> => {
    // A configuration file comes first, where there is one.
    const started = await spawnRedis(port, [...args, '--dir', dir]);
    if (onStart !== undefined) started.once('exit', () => void startAgain());
    return started;
  };
  const startAgain = async (): Promise<void> => {
    while (!stopping) {
      await delay(RESTART_PAUSE_MS);
      if (stopping) return;
      try {
        child = await start();
        return onStart?.();
      } catch (error) {
        console.error((error as Error).message);
      }
    }
  };
  let child = await start();
  const discard = () => child.kill('SIGKILL');
  process.once('exit', discard);
  const end = async () => {
    // A paused one can't hear anything else.
    child.kill('SIGKILL');
    await gone(child);
  };
  return {
    port,
    url: `redis://${HOST}:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    command: (words) => redisCommand(port, words),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: end,
    async startAgain() {
      child = await start();
    },
    async stop() {
      stopping = true;
      await end();
      process.removeListener('exit', discard);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A Sentinel that watches `master` under the name `holdfast`. */
export async function startSentinel(master: RedisServer): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-sentinel-'));
  const config = join(folder, 'sentinel.conf');
  writeFileSync(config, `sentinel monitor holdfast ${HOST} ${master.port} 1\n`);
  const sentinel = await startRedis({ args: [config, '--sentinel'] });
  return {
    ...sentinel,
    async stop() {
      await sentinel.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A cluster of three masters that share the slots, each a process of its own. */
export async function startRedisCluster(): Promise<{ nodes: RedisServer[]; stop(): Promise<void> }> {
  const nodes: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let at = 0; at < 3; at++) nodes.push(await startRedis({ args: [...NOTHING_ON_DISK, ...CLUSTER_ARGS] }));
    const slots = ['0 5460', '5461 10922', '10923 16383'];
    for (const [at, node] of nodes.entries()) {
      await node.command(`CLUSTER ADDSLOTSRANGE ${slots[at]}`);
      await node.command(`CLUSTER MEET ${HOST} ${nodes[0]?.port}`);
    }
    const deadlineAt = Date.now() + CLUSTER_TIMEOUT_MS;
    for (const node of nodes) {
      while (!(await node.command('CLUSTER INFO')).includes('cluster_state:ok')) {
        if (Date.now() > deadlineAt) throw new Error('the Redis cluster did not come up');
        await delay(POLL_MS);
      }
    }
    return { nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function spawnRedis(port: number, args: string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', [...args, '--port', String(port), '--bind', HOST], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-2_000);
    });
  }
  const deadlineAt = Date.now() + START_TIMEOUT_MS;
  while (
    !(await redisCommand(port, 'PING').then(
      (reply) => reply.startsWith('+PONG'),
      () => false,
    ))
  ) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > deadlineAt) {
      child.kill('SIGKILL');
      throw new Error(`redis-server did not start on port ${port}. It said:\n${said}`);
    }
    await delay(POLL_MS);
  }
  return child;
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

async function redisCommand(port: number, words: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, HOST, () => socket.write(`${words}\r\n`));
    socket.setTimeout(COMMAND_TIMEOUT_MS, () => socket.destroy(new Error('redis-server does not answer')));
    socket.once('data', (reply) => {
      resolve(reply.toString());
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('redis-server closed the connection')));
  });
}
