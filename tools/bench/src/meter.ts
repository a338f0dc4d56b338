import { readdirSync, readFileSync } from 'node:fs';
import { type Cluster, SERVICES } from '@holdfast/cluster';
import { createPool, type Pool } from '@holdfast/postgres';

/** What a stretch of load has cost, from one reading of a meter to the next. */
export interface Cost {
  seconds: number;
  /** CPU seconds by process name; `postgres` is the server with all its backends, `load` is the load generator. */
  cpuSeconds: Record<string, number>;
  /** Of `postgres`: by database, and by process of its own. */
  postgresSeconds: Record<string, number>;
  /** Resident memory at the end, by process name, in MB. */
  residentMb: Record<string, number>;
  commits: number;
  /** Of the write-ahead log. */
  fsyncs: number;
  walBytes: number;
  /** Whole pages among them: a page's first change after a checkpoint. */
  fullPages: number;
}

interface Reading {
  atMs: number;
  cpuSeconds: Record<string, number>;
  postgresSeconds: Record<string, number>;
  commits: number;
  fsyncs: number;
  walBytes: number;
  fullPages: number;
}

// The kernel's unit in /proc, 100 a second on every Linux that Node runs on.
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** Processes that are measured beside those of the cluster: their ids, by name. */
export type Beside = Record<string, number>;

/** Reads what the processes of a cluster and its database use. Linux only: it reads /proc. */
export class Meter {
  readonly #cluster: Cluster;
  readonly #beside: Beside;
  readonly #pool: Pool;
  #last: Reading | undefined;

  constructor(cluster: Cluster, beside: Beside = {}) {
    this.#cluster = cluster;
    this.#beside = beside;
    this.#pool = createPool({ databaseUrl: cluster.databaseUrl('orchestrator'), applicationName: 'bench', max: 1 });
  }

  async start(): Promise<void> {
    this.#last = await this.#read();
  }

  /** @returns what was used since `start`, or since the last call */
  async lap(): Promise<Cost> {
    const from = this.#last;
    if (from === undefined) throw new Error('start the meter first');
    const to = await this.#read();
    this.#last = to;
    return {
      seconds: (to.atMs - from.atMs) / 1_000,
      cpuSeconds: difference(to.cpuSeconds, from.cpuSeconds),
      postgresSeconds: difference(to.postgresSeconds, from.postgresSeconds),
      residentMb: residentMb(this.#cluster),
      commits: to.commits - from.commits,
      fsyncs: to.fsyncs - from.fsyncs,
      walBytes: to.walBytes - from.walBytes,
      fullPages: to.fullPages - from.fullPages,
    };
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #read(): Promise<Reading> {
    const { rows } = await this.#pool.query<{ commits: string; fsyncs: string; pages: string; wal: string }>(
      `select (select sum(xact_commit) from pg_stat_database where datname = any($1::text[]))::text as commits,
              (select sum(fsyncs) from pg_stat_io where object = 'wal')::text as fsyncs,
              (select wal_fpi from pg_stat_wal)::text as pages,
              pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as wal`,
      [SERVICES],
    );
    const row = rows[0];
    const postgresSeconds = postgresCpu(this.#cluster.run.postgres.pid);
    const postgres = Object.values(postgresSeconds).reduce((sum, each) => sum + each, 0);
    return {
      atMs: performance.now(),
      cpuSeconds: { ...this.#cpu(), postgres },
      postgresSeconds,
      commits: Number(row?.commits),
      fsyncs: Number(row?.fsyncs),
      walBytes: Number(row?.wal),
      fullPages: Number(row?.pages),
    };
  }

  #cpu(): Record<string, number> {
    const used: Record<string, number> = { load: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 };
    for (const [name, pid] of [...processesOf(this.#cluster), ...Object.entries(this.#beside)])
      used[name] = statOf(pid)?.cpuSeconds ?? 0;
    return used;
  }
}

function difference(to: Record<string, number>, from: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(to).map(([name, value]) => [name, value - (from[name] ?? 0)]));
}

function processesOf({ run }: Cluster): [name: string, pid: number][] {
  return run.services.map(({ name, replica, pid }) => [replica === 0 ? name : `${name} ${replica}`, pid]);
}

/** What every service holds now, by process name; a page that two of them share counts in both. */
export function residentMb(cluster: Cluster): Record<string, number> {
  return Object.fromEntries(processesOf(cluster).map(([name, pid]) => [name, statOf(pid)?.residentMb ?? 0]));
}

interface Stat {
  parent: number;
  cpuSeconds: number;
  /** Of children that have ended and been waited for. */
  childrenSeconds: number;
  residentMb: number;
}

function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // The process has ended between the listing and now: what it used is with its parent.
    return undefined;
  }
  // The name in brackets may hold spaces; the numbers begin behind it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const at = (index: number) => fields[index] ?? 0;
  return {
    parent: at(1),
    cpuSeconds: (at(11) + at(12)) / TICKS_PER_SECOND,
    childrenSeconds: (at(13) + at(14)) / TICKS_PER_SECOND,
    residentMb: (at(21) * PAGE_BYTES) / 1e6,
  };
}

function postgresCpu(postmaster: number): Record<string, number> {
  const own = statOf(postmaster);
  if (own === undefined) return {};
  // Backends that have ended are not told apart any more.
  const used: Record<string, number> = { ended: own.cpuSeconds + own.childrenSeconds };
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(Number(entry));
    if (stat?.parent !== postmaster) continue;
    const part = partOf(Number(entry));
    used[part] = (used[part] ?? 0) + stat.cpuSeconds;
  }
  return used;
}

/** By the title that Postgres gives its processes: a backend's database, else what the process does. */
function partOf(pid: number): string {
  let title = '';
  try {
    title = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return 'ended';
  }
  const [, database, job] = /^postgres: (?:postgres (\S+) |([a-z ]+))/.exec(title) ?? [];
  return database ?? job?.trim() ?? 'ended';
}
