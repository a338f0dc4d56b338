import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type Cluster, type Overrides, startCluster } from '@holdfast/cluster';
import { startPostgres } from '@holdfast/testing';
import type { BenchOptions } from './arguments.ts';
import { checkpoint, type GrowProgress, grow, settle } from './growth/grow.ts';
import type { Database } from './growth/order-rows.ts';
import { bytesPerOrder, type DatabaseSize, readSizes, type Storage } from './growth/storage.ts';
import { placeAll, stockUp } from './load/shop.ts';
import { keyMaker, orders as ordersOf, type Workload } from './load/workload.ts';

/** What a system has behind it before it is measured. */
export interface Growth {
  orders: number;
  parked: number;
  /** Over how long the orders have come. */
  spanMs: number;
}

const TEMPLATES = { finished: 2_000, parked: 50 };
const ONE_LINE: Omit<Workload, 'seed' | 'poor'> = { shape: 'one-line', spread: 'uniform', method: 'balance' };
const MB = 1024 * 1024;

/**
 * For the filling only, which is worth nothing when it is interrupted: nothing but its end has to be durable. What is
 * measured runs with a server that has been started again, with its usual settings.
 */
const FILL_SETTINGS = {
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
  maintenance_work_mem: '512MB',
  work_mem: '64MB',
  shared_buffers: `${Math.min(4_096, Math.floor(totalmem() / MB / 6))}MB`,
};

/** A system of its own for the bench, with its data: it can be stopped, and started again with other settings. */
export class BenchSystem {
  readonly name: string;
  readonly storage: Storage[] = [];
  readonly #stateDir: string;
  readonly #options: BenchOptions;
  readonly #say: (line: string) => void;
  readonly #growth: Growth | null;
  #before: DatabaseSize[] | undefined;
  #cluster: Cluster | undefined;

  /** @param growth null: it is measured as it is when it has just been set up */
  constructor(name: string, growth: Growth | null, options: BenchOptions, say: (line: string) => void) {
    this.name = name;
    this.#growth = growth;
    this.#options = options;
    this.#say = say;
    this.#stateDir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
    // Postgres, which root has to run as another user, would keep its data elsewhere otherwise, and leave it there.
    chmodSync(this.#stateDir, 0o755);
  }

  /** Where a cluster keeps its data. */
  get #dataDir(): string {
    return join(this.#stateDir, 'postgres');
  }

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error(`the ${this.name} system is not open`);
    return this.#cluster;
  }

  /** Starts it; the first time, with its catalogue and its growth. */
  async open(env: Overrides): Promise<void> {
    if (this.#before !== undefined) {
      this.#cluster = await this.#start(env, false);
      return;
    }
    this.#cluster = await this.#start(env, true);
    await stockUp(this.#cluster);
    this.#before = await readSizes(this.#cluster.databaseUrl);
    if (this.#growth === null) return;
    await this.#grow(this.#growth);
    this.#cluster = await this.#start(env, false);
    await checkpoint(this.#cluster.databaseUrl);
  }

  async close(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = undefined;
    await cluster?.stop();
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.close();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  /**
   * For a process that is about to end: no time for an orderly shutdown of a server whose data goes as well. Its children
   * write for a moment longer, hence the retries.
   */
  removeNow(): void {
    try {
      // Its lock file begins with its process id, whoever has started it.
      process.kill(Number(readFileSync(join(this.#dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL');
    } catch {
      // It does not run.
    }
    rmSync(this.#stateDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 });
  }

  async measureStorage(
    after: string,
    databaseUrl: (name: Database) => string = this.cluster.databaseUrl,
  ): Promise<void> {
    const databases = bytesPerOrder(this.#before ?? [], await readSizes(databaseUrl));
    if (databases.length > 0) this.storage.push({ system: this.name, after, databases });
  }

  async #start(env: Overrides, clean: boolean): Promise<Cluster> {
    return await startCluster({
      stateDir: this.#stateDir,
      clean,
      httpPort: 0,
      tls: this.#options.tls,
      env: withProfiles(env, this.#options.profiles),
      databaseSettings: this.#options.database,
      say: this.#say,
    });
  }

  /** Places the orders that are to be copied, and fills the databases without anybody else in them. */
  async #grow(growth: Growth): Promise<void> {
    await this.#placeTemplates(growth);
    await this.close();
    const server = await startPostgres({ dataDir: this.#dataDir, settings: FILL_SETTINGS });
    const databaseUrl = (name: Database) => server.databaseUrl(name);
    try {
      for (const kind of ['parked', 'finished'] as const) {
        const orders = kind === 'parked' ? growth.parked : growth.orders;
        if (orders === 0) continue;
        const onProgress = (progress: GrowProgress) => this.#say(growLine(this.name, kind, progress));
        await grow({ databaseUrl, orders, kind, spanMs: growth.spanMs, onProgress });
        // A parked saga keeps its 1,800 attempts: they are no finished order's.
        if (kind === 'parked') this.#before = await readSizes(databaseUrl);
      }
      const startedMs = performance.now();
      await settle(databaseUrl);
      this.#say(`${this.name}: vacuum, analyze and checkpoint took ${seconds(performance.now() - startedMs)}`);
      if (growth.orders > 0) await this.measureStorage('filling', databaseUrl);
    } finally {
      await server.stop();
    }
  }

  async #placeTemplates({ parked }: Growth): Promise<void> {
    const { seed, randomKeys } = this.#options;
    const makeKey = keyMaker(randomKeys);
    await placeAll(this.cluster, ordersOf({ ...ONE_LINE, poor: false, seed }), { count: TEMPLATES.finished, makeKey });
    if (parked > 0)
      await placeAll(this.cluster, ordersOf({ ...ONE_LINE, poor: true, seed }), { count: TEMPLATES.parked, makeKey });
  }
}

function growLine(system: string, kind: string, { done, total, rows, seconds: took }: GrowProgress): string {
  const perSecond = done / took;
  return (
    `${system}: ${done} of ${total} ${kind} orders, ${perSecond.toFixed(0)} a second (${(rows / took).toFixed(0)} rows), ` +
    `${seconds(took * 1_000)} gone, ${seconds(((total - done) / perSecond) * 1_000)} to go`
  );
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(0)} s`;

function withProfiles(env: Overrides, folder: string | null): Overrides {
  if (folder === null) return env;
  mkdirSync(folder, { recursive: true });
  const NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${resolve(folder)}`;
  const names = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox'] as const;
  return Object.fromEntries(names.map((name) => [name, { ...env[name], NODE_OPTIONS }]));
}
