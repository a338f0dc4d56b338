import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDeadline } from '@holdfast/resilience';
import type { PostgresOptions, PostgresServer } from '@holdfast/testing';
import { identityOf, isRedisInstalled, type RedisServer, startRedis } from '@holdfast/testing';
import type { PlannedService, ServiceName, TlsFiles } from './cluster-plan.ts';
import { type Pooler, startPooler } from './pooler.ts';
import { type RunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { isServing } from './supervision/serving.ts';
import { type SupervisedPostgres, supervisePostgres } from './supervision/supervised-postgres.ts';
import { type ProcessEvent, type SupervisedProcess, superviseProcess } from './supervision/supervised-process.ts';
import type { RecordedChild, Supervision } from './supervision/supervision-record.ts';

const STOP_TIMEOUT_MS = 10_000;
/** One after the other: who calls ends before who is called. */
const STOP_ORDER: readonly (readonly ServiceName[])[] = [
  ['orchestrator'],
  ['inventory', 'payment', 'shipping'],
  ['sandbox'],
];

interface Part {
  planned: PlannedService;
  child: SupervisedProcess;
}

/** What a cluster is made of, as far as it has been started: so that a start that failed half-way can be undone. */
export class ClusterParts {
  readonly stateDir: string;
  readonly logDir: string;
  readonly say: (line: string) => void;
  readonly #supervision: Supervision;
  readonly #onEvent: (event: ProcessEvent) => void;
  readonly #parts: Part[] = [];
  #postgres: SupervisedPostgres | undefined;
  #postgresServer: PostgresServer | undefined;
  #redis: RedisServer | undefined;
  #pooler: Pooler | undefined;
  #apiKey = '';
  #operator: TlsFiles | null = null;
  #isUp = false;
  #stopped: Promise<void> | undefined;
  readonly #killAll = () => {
    for (const { child } of this.#parts) child.killNow();
  };

  constructor(options: {
    stateDir: string;
    supervision: Supervision;
    say: (line: string) => void;
    onEvent: (event: ProcessEvent) => void;
  }) {
    this.stateDir = options.stateDir;
    this.logDir = join(options.stateDir, 'logs');
    this.say = options.say;
    this.#supervision = options.supervision;
    this.#onEvent = options.onEvent;
    // Whatever ends this process in an orderly way, nothing that nobody supervises stays behind.
    process.once('exit', this.#killAll);
  }

  get postgres(): SupervisedPostgres {
    if (this.#postgres === undefined) throw new Error('Postgres has not been started yet');
    return this.#postgres;
  }

  get pooler(): Pooler | undefined {
    return this.#pooler;
  }

  get redis(): RedisServer | undefined {
    return this.#redis;
  }

  /** @throws Error when the cluster has no such process */
  process(name: ServiceName, replica: number): SupervisedProcess {
    const part = this.#parts.find(({ planned }) => planned.name === name && planned.replica === replica);
    if (part === undefined) throw new Error(`this cluster has no replica ${replica} of ${name}: they count from 0`);
    return part.child;
  }

  async startPostgres(options: Pick<PostgresOptions, 'fresh' | 'settings'> & { port: number }): Promise<void> {
    const logFile = join(this.logDir, 'postgres.log');
    const log = (line: string) => {
      appendFileSync(logFile, `${line}\n`);
      if (line.startsWith('the user that Postgres runs as')) this.say(line);
    };
    const onStart = (server: PostgresServer) => {
      this.#postgresServer = server;
      this.#pidsChanged();
    };
    this.#postgres = await supervisePostgres(
      { ...options, dataDir: join(this.stateDir, 'postgres'), log },
      { onStart, onEvent: this.#onEvent, say: this.say },
    );
  }

  /** Empty, and started again, empty, whenever it ends. @throws Error when none is installed, or it does not come up */
  async startRedis(): Promise<void> {
    if (!isRedisInstalled()) {
      throw new Error(
        'there is no redis-server on the PATH: install it (Debian: redis-server), or start without --redis',
      );
    }
    this.#redis = await startRedis({ onStart: () => this.#pidsChanged() });
    this.#pidsChanged();
  }

  /** @throws Error when none is installed, or it does not come up */
  async startPooler(): Promise<void> {
    this.#pooler = await startPooler({ server: this.postgres.server, logFile: join(this.logDir, 'pooler.log') });
    this.#pidsChanged();
  }

  /** @throws Error naming everything that does not serve, and why */
  async startServices(options: {
    plan: PlannedService[];
    apiKey: string;
    /** What `run.json` shows to tools of the operator. */
    operator: TlsFiles | null;
    timeoutMs: number;
    signal: AbortSignal | undefined;
    restartAtOnce: boolean;
  }): Promise<void> {
    const { plan, apiKey, timeoutMs, signal, restartAtOnce } = options;
    this.#apiKey = apiKey;
    this.#operator = options.operator;
    for (const planned of plan) {
      const spec = {
        ...planned,
        logFile: join(this.logDir, `${planned.name}-${planned.replica}.log`),
        isServing: () => isServing(planned),
        restartAtOnce,
      };
      const onSpawn = () => this.#pidsChanged();
      const child = superviseProcess(spec, { onSpawn, onEvent: (event) => this.#report(event) });
      this.#parts.push({ planned, child });
      this.#pidsChanged();
    }
    const children = this.#parts.map(({ child }) => child);
    await this.untilServing(children, timeoutMs, signal);
    this.#isUp = true;
    this.#pidsChanged();
  }

  /** @throws Error naming those that are not started any more, or not in time */
  async untilServing(children: SupervisedProcess[], timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const waiting = new Set(children);
    const faults: string[] = [];
    const all = children.map(async (child) => {
      const { name, replica, logFile } = child.spec;
      const serving = await child.untilServing();
      waiting.delete(child);
      if (serving.kind === 'stopped') faults.push(`${name} ${replica} was stopped`);
      if (serving.kind !== 'gave_up') return;
      const { exit, lastWords } = serving;
      faults.push(
        `${name} ${replica} ended with ${exit.signal ?? `exit code ${exit.code}`}: ${lastWords} (${logFile})`,
      );
    });
    await withDeadline(timeoutMs, Promise.all(all), signal);
    signal?.throwIfAborted();
    for (const { spec } of waiting) {
      faults.push(`${spec.name} ${spec.replica} does not serve after ${timeoutMs} ms; its log is ${spec.logFile}`);
    }
    if (faults.length > 0) throw new Error(`not everything serves:\n${faults.join('\n')}`);
  }

  /** Where everything is now. */
  run(): RunFile {
    const http = (name: ServiceName) => this.#parts.find(({ planned }) => planned.name === name)?.planned.http ?? '';
    return {
      http: http('orchestrator'),
      sandbox: http('sandbox'),
      services: this.#parts.map(({ planned, child }) => ({
        name: planned.name,
        replica: planned.replica,
        pid: child.pid,
        grpc: planned.grpc,
        http: planned.http,
        ops: planned.ops,
        databaseUrl: planned.databaseUrl,
      })),
      postgres: { pid: this.#postgresServer?.pid ?? 0, port: this.#postgresServer?.port ?? 0 },
      redisUrl: this.#redis?.url ?? null,
      apiKey: this.#apiKey,
      tls: this.#operator,
    };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    for (const group of STOP_ORDER) {
      const stopping = this.#parts.filter(({ planned }) => group.includes(planned.name));
      await Promise.all(stopping.map(({ child }) => child.stop(STOP_TIMEOUT_MS)));
    }
    await Promise.all([this.#pooler?.stop(), this.#postgres?.stop(), this.#redis?.stop()]);
    process.removeListener('exit', this.#killAll);
    removeRunFile(this.stateDir);
    this.#supervision.release();
  }

  #report(event: ProcessEvent): void {
    if (event.kind === 'died' && event.restartInMs === null && this.#isUp) {
      const { name, replica, code } = event;
      this.say(`${name} ${replica} ended with exit code ${code} and is NOT started again: see ${this.logDir}`);
    }
    this.#onEvent(event);
  }

  /** A process that exists and is written down nowhere would outlive us unnoticed, so this comes first. */
  #pidsChanged(): void {
    this.#supervision.record(this.#children());
    if (this.#isUp) writeRunFile(this.stateDir, this.run());
  }

  #children(): RecordedChild[] {
    const services = this.#parts.map(({ planned, child }) => ({
      ...identityOf(child.pid),
      name: `${planned.name} ${planned.replica}`,
      mark: planned.main,
      endWith: 'SIGKILL' as const,
    }));
    const children: RecordedChild[] = services;
    const [server, pooler, redis] = [this.#postgresServer, this.#pooler, this.#redis];
    if (server !== undefined) {
      const mark = `-D ${server.dataDir}`;
      children.push({ ...identityOf(server.pid), name: 'postgres', mark, endWith: 'SIGINT' });
    }
    if (pooler !== undefined) {
      children.push({ ...identityOf(pooler.pid), name: 'pgbouncer', mark: pooler.mark, endWith: 'SIGKILL' });
    }
    if (redis !== undefined) {
      // It changes its command line to this.
      const mark = `redis-server 127.0.0.1:${redis.port}`;
      children.push({ ...identityOf(redis.pid), name: 'redis', mark, endWith: 'SIGKILL' });
    }
    return children;
  }
}
