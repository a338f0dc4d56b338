/**
 * The whole system on this machine: an embedded Postgres and every service as a process of its own, kept running
 * whatever happens to them. For `up`, for the demo and for the tests of the whole system: only a process that is really
 * killed, paused and started again shows that nothing but Postgres holds the state.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ClusterParts } from './cluster-parts.ts';
import {
  connectionsNeeded,
  mainOf,
  type Overrides,
  planCluster,
  portsNeeded,
  REPOSITORY,
  SERVICES,
  type ServiceName,
  TENANT_ID,
  type TlsFiles,
} from './cluster-plan.ts';
import { chooseFreePorts, isPortFree } from './ports.ts';
import { bundlePrograms, compileCacheOf } from './programs.ts';
import { type RunFile, removeRunFile } from './run-file.ts';
import type { ProcessEvent } from './supervision/supervised-process.ts';
import { superviseStateDir } from './supervision/supervision-record.ts';

/** `postgres` is one of the names. */
export type ClusterEvent = ProcessEvent;

export interface ClusterOptions {
  /** Holds the data, logs, certificates, API key and `run.json`. Default `.holdfast` in the repository. */
  stateDir?: string;
  /** Default 1. */
  orchestrators?: number;
  /** Replicas of inventory, payment and shipping each. Default 1. */
  participants?: number;
  /** Of the (first) orchestrator: must be free. 0: any free one. Left out: 8080, or when that is taken another, aloud. */
  httpPort?: number;
  /** Starts without any data, logs, certificates and API key of before. Default false. */
  clean?: boolean;
  /** Starts a redis-server for the services too. Default false. */
  redis?: boolean;
  /**
   * Puts a PgBouncer in transaction mode between the services and their databases. Default: whether the environment has
   * HOLDFAST_POOLER=pgbouncer, so that every program that starts a cluster can do so behind one.
   */
  pooler?: boolean;
  /**
   * The services prove to each other who they are (mutual TLS), with certificates that are made here. Default true; false is
   * for comparisons.
   */
  tls?: boolean;
  /** Settings of the services over the usual ones; `undefined` takes one away. */
  env?: Overrides;
  /** Programs to run instead of the services' own: the same service, with ports handed in that tests listen at. */
  mains?: Partial<Record<ServiceName, string>>;
  /** What dies is started again at once, however often: for tests in which it dies by intention. */
  restartAtOnce?: boolean;
  /** The orchestrators' `LEASE_MS`. */
  leaseMs?: number;
  /** Postgres settings, as `-c name=value`. */
  databaseSettings?: Record<string, string | number>;
  /** Gets what a person who is watching should know, line by line. */
  say?: (line: string) => void;
  onEvent?: (event: ClusterEvent) => void;
  /** Gives up the start; what has been started is stopped again. */
  signal?: AbortSignal;
  /** Until everything serves. Default 60 s. */
  startTimeoutMs?: number;
}

export interface Cluster {
  /** As `run.json` is now. */
  readonly run: RunFile;
  readonly stateDir: string;
  readonly logDir: string;
  /** Whose API key `run.apiKey` is. */
  readonly tenantId: string;
  /** `kill -9`, and waits for the process to be gone. It is started again at once, on the same ports. */
  kill(name: ServiceName, replica?: number): Promise<{ kind: 'killed'; pid: number } | { kind: 'not_running' }>;
  /** SIGSTOP: the process stands still and keeps its connections. */
  pause(name: ServiceName, replica?: number): void;
  resume(name: ServiceName, replica?: number): void;
  /**
   * Returns when it serves (again): the process after the one that was killed.
   * @throws Error when it is not started any more, or not in time
   */
  untilServing(name: ServiceName, replica?: number, timeoutMs?: number): Promise<void>;
  /** Ends Postgres, as by a power failure (`kill`, the default) or orderly, and returns when it is back. */
  restartPostgres(how?: 'kill' | 'stop'): Promise<void>;
  databaseUrl(name: ServiceName): string;
  /** As the services reach them; undefined where no pooler stands between. */
  pooledUrl: ((name: ServiceName) => string) | undefined;
  /** Orchestrators first, so that they can hand over; then participants, sandbox, Postgres. Keeps the state. */
  stop(): Promise<void>;
}

const DEFAULT_HTTP_PORT = 8_080;
const START_TIMEOUT_MS = 60_000;
const SERVE_TIMEOUT_MS = 30_000;
const MIN_CONNECTIONS = 300;

export const DEFAULT_STATE_DIR = join(REPOSITORY, '.holdfast');

/**
 * Starts everything and returns when orders can be placed.
 * @throws Error when a port that was given is taken, a setting is wrong (all faults are in the message), the state
 *   directory is in use, or something does not serve in time
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const stateDir = resolve(options.stateDir ?? DEFAULT_STATE_DIR);
  const say = options.say ?? (() => {});
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const supervision = await superviseStateDir(stateDir, say);
  const parts = new ClusterParts({ stateDir, supervision, say, onEvent: options.onEvent ?? (() => {}) });
  try {
    await bringUp(parts, options);
  } catch (error) {
    await parts.stop();
    throw error;
  }
  return clusterOf(parts);
}

async function bringUp(parts: ClusterParts, options: ClusterOptions): Promise<void> {
  const { stateDir, say } = parts;
  removeRunFile(stateDir);
  if (options.clean === true) wipe(stateDir);
  const { orchestrators = 1, participants = 1 } = options;
  const httpPort = await chooseHttpPort(options.httpPort, say);
  const count = 1 + portsNeeded({ orchestrators, participants });
  const [postgresPort = 0, ...ports] = await chooseFreePorts(count, httpPort);
  const max_connections = Math.max(MIN_CONNECTIONS, connectionsNeeded({ orchestrators, participants }));
  const mains = SERVICES.map((name) => options.mains?.[name] ?? mainOf(name));
  const [programs] = await Promise.all([
    bundlePrograms(REPOSITORY, mains),
    parts.startPostgres({
      port: postgresPort,
      fresh: options.clean === true,
      settings: { max_connections, ...options.databaseSettings },
    }),
  ]);
  options.signal?.throwIfAborted();
  await Promise.all(SERVICES.map((name) => parts.postgres.server.createDatabase(name)));
  options.signal?.throwIfAborted();
  if (options.redis === true) await parts.startRedis();
  if (options.pooler ?? process.env.HOLDFAST_POOLER === 'pgbouncer') await parts.startPooler();
  options.signal?.throwIfAborted();
  const apiKey = secretIn(stateDir, 'api-key');
  const tls = (options.tls ?? true) ? await certificatesIn(stateDir) : undefined;
  const plan = planCluster({
    orchestrators,
    participants,
    httpPort,
    ports,
    apiKey,
    eventKey: secretIn(stateDir, 'event-key'),
    databaseUrl: (name) => parts.postgres.server.databaseUrl(name),
    pooledUrl: parts.pooler?.databaseUrl,
    leaseMs: options.leaseMs,
    redisUrl: parts.redis?.url,
    env: options.env,
    mains: options.mains,
    tls,
    compileCache: compileCacheOf(REPOSITORY),
  });
  await parts.startServices({
    plan: plan.map((service) => ({ ...service, main: programs.get(service.main) ?? service.main })),
    apiKey,
    operator: tls?.operator ?? null,
    timeoutMs: options.startTimeoutMs ?? START_TIMEOUT_MS,
    signal: options.signal,
    restartAtOnce: options.restartAtOnce ?? false,
  });
}

/** Only what is ours: the directory may be somebody's who keeps other things in it. */
function wipe(stateDir: string): void {
  for (const entry of ['logs', 'api-key', 'event-key', 'tls'])
    rmSync(join(stateDir, entry), { recursive: true, force: true });
  mkdirSync(join(stateDir, 'logs'));
}

/** An authority and certificates for every service and for the operator, kept from start to start. */
async function certificatesIn(stateDir: string): Promise<Record<string, TlsFiles>> {
  // Only here: whoever uses this package for its auditor alone need not have it.
  const { keepCertificates, LOCAL_HOLDERS } = await import('@holdfast/certificates');
  return await keepCertificates(join(stateDir, 'tls'), LOCAL_HOLDERS, new Date());
}

/** Kept from start to start: what was set up with it goes on working. */
function secretIn(stateDir: string, name: 'api-key' | 'event-key'): string {
  const path = join(stateDir, name);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = randomBytes(24).toString('base64url');
  writeFileSync(path, `${made}\n`, { mode: 0o600 });
  return made;
}

async function chooseHttpPort(wanted: number | undefined, say: (line: string) => void): Promise<number> {
  if (wanted !== undefined && wanted !== 0) {
    if (await isPortFree(wanted)) return wanted;
    throw new Error(`port ${wanted} is taken: end what listens there, give another, or give none for a free one`);
  }
  if (wanted === undefined && (await isPortFree(DEFAULT_HTTP_PORT))) return DEFAULT_HTTP_PORT;
  const [free = 0] = await chooseFreePorts(1);
  if (wanted === undefined) say(`port ${DEFAULT_HTTP_PORT} is taken: the API is on port ${free}`);
  return free;
}

function clusterOf(parts: ClusterParts): Cluster {
  return {
    get run() {
      return parts.run();
    },
    stateDir: parts.stateDir,
    logDir: parts.logDir,
    tenantId: TENANT_ID,
    async kill(name, replica = 0) {
      const pid = await parts.process(name, replica).kill();
      return pid === undefined ? { kind: 'not_running' } : { kind: 'killed', pid };
    },
    pause: (name, replica = 0) => parts.process(name, replica).pause(),
    resume: (name, replica = 0) => parts.process(name, replica).resume(),
    untilServing: (name, replica = 0, timeoutMs = SERVE_TIMEOUT_MS) =>
      parts.untilServing([parts.process(name, replica)], timeoutMs),
    restartPostgres: (how = 'kill') => parts.postgres.restart(how),
    databaseUrl: (name) => parts.postgres.server.databaseUrl(name),
    pooledUrl: parts.pooler?.databaseUrl,
    stop: () => parts.stop(),
  };
}
