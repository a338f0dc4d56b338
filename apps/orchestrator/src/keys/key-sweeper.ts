/*
 * Gives back the space of answers and keys that are past their retention. Housekeeping only: what a caller is told
 * depends on the clock (key-retention.ts), never on how far this has come.
 *
 * K5  Keys of orders stay for as long as their orders. Keys of adjustments go after the tombstone window, when done.
 * K7  One process at a time, by a lease on the database's clock. Every batch is one short statement, sized to take about
 *     TARGET_BATCH_MS, with a pause as long as itself behind it: orders go on meanwhile.
 *
 * A crash anywhere loses at most the note of one batch, and sweeping it again changes nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Pool, statement } from '@holdfast/postgres';
import type { Log, Metrics } from '@holdfast/service';
import type { Retention } from './key-retention.ts';
import { PLACE_ORDER } from './key-store.ts';

export interface KeySweeperOptions {
  pool: Pool;
  retention: Retention;
  log: Log;
  metrics: Metrics;
  /** Which process this is; unique. */
  holder: string;
}

export interface KeySweeper {
  /** Sweeps what is due, if no other process does. For tests; the timer calls it otherwise. @returns rows changed */
  sweep(): Promise<number>;
  stop(): Promise<void>;
}

const TARGET_BATCH_MS = 25;
const BATCH = { first: 500, least: 50, most: 10_000 };
const HELD_MS = 60_000;
const EVERY_MS = { least: 500, most: 60_000 };

const hold = statement(
  'keys.hold-sweep',
  `update sweeps set holder = $2::text, held_until = clock_timestamp() + $3::integer * interval '1 millisecond'
    where name = $1::text and (holder = $2::text or held_until is null or held_until < clock_timestamp())
    returning true`,
);

/** One batch, oldest first: from where the sweep has come, `$3` keys further, none younger than the limit. */
const batchSql = (change: string) => `
  with sweep as (select swept_to from sweeps where name = $1::text and holder = $2::text),
  due as (
    select created_at from keys
     where created_at > (select swept_to from sweep)
       and created_at < (select clock_timestamp() - $4::bigint * interval '1 millisecond')
     order by created_at limit $3::integer
  ), reach as (select max(created_at) as upto, count(*)::integer as met from due),
  changed as (${change} returning true),
  noted as (
    update sweeps set swept_to = reach.upto from reach
     where sweeps.name = $1::text and sweeps.holder = $2::text and reach.upto is not null
  )
  select reach.met, (select count(*)::integer from changed) as changed,
         greatest(extract(epoch from clock_timestamp() - reach.upto), 0)::float8 as age
    from reach`;

const IN_REACH = 'keys.created_at > sweep.swept_to and keys.created_at <= reach.upto';

const SWEEPS = [
  {
    name: 'answers',
    limit: (retention: Retention) => retention.keyLifetimeMs,
    // A refusal is final and small: it stays as long as its key.
    batch: statement(
      'keys.sweep-answers',
      batchSql(`update keys set answer = null, members = null from sweep, reach
                 where ${IN_REACH} and keys.status < 400 and keys.answer is not null`),
    ),
  },
  {
    name: 'tombstones',
    limit: (retention: Retention) => Math.max(retention.tombstoneLifetimeMs, retention.keyLifetimeMs),
    batch: statement(
      'keys.sweep-tombstones',
      batchSql(`delete from keys using sweep, reach
                 where ${IN_REACH} and keys.operation <> '${PLACE_ORDER}' and keys.status is not null`),
    ),
  },
] as const;

// Never counted: that would read the whole table. -1 before its first analyze.
const estimateRows = statement(
  'keys.estimate-rows',
  `select greatest(reltuples, 0)::float8 as rows from pg_class where oid = 'keys'::regclass`,
);

type Sweep = (typeof SWEEPS)[number];

/** Sweeps in the background until stopped. */
export function startKeySweeper(options: KeySweeperOptions): KeySweeper {
  const { pool, retention, log, metrics, holder } = options;
  const changedTotal = metrics.counter('holdfast_keys_swept_total', 'Answers and keys past their retention', ['sweep']);
  const batchSeconds = metrics.histogram('holdfast_key_sweep_batch_seconds', 'Time of one batch', ['sweep']);
  const lag = new Map<string, number>();
  metrics.gauge('holdfast_key_sweep_lag_seconds', 'How far past its retention the oldest unswept key is', () =>
    Math.max(0, ...lag.values()),
  );
  let rows = 0;
  metrics.gauge('holdfast_keys_rows', 'Keys remembered, as the database estimates it', () => rows);
  const everyMs = Math.min(Math.max(retention.keyLifetimeMs / 10, EVERY_MS.least), EVERY_MS.most);
  const stopping = new AbortController();

  async function sweepAll(sweep: Sweep): Promise<number> {
    const held = await pool.query({ ...hold, values: [sweep.name, holder, HELD_MS] });
    if (held.rowCount === 0) return 0;
    const limitMs = sweep.limit(retention);
    const heldUntilMs = performance.now() + HELD_MS / 2;
    let size: number = BATCH.first;
    let total = 0;
    // Not longer than the lease lasts; the next turn goes on.
    while (!stopping.signal.aborted && performance.now() < heldUntilMs) {
      const startedMs = performance.now();
      const values = [sweep.name, holder, size, limitMs];
      const { rows } = await pool.query<{ met: number; changed: number; age: number | null }>({
        ...sweep.batch,
        values,
      });
      const tookMs = performance.now() - startedMs;
      const { met = 0, changed = 0, age = null } = rows[0] ?? {};
      total += changed;
      changedTotal.inc({ sweep: sweep.name }, changed);
      lag.set(sweep.name, age === null || met < size ? 0 : age - limitMs / 1_000);
      if (met === 0) return total;
      batchSeconds.observe({ sweep: sweep.name }, tookMs / 1_000);
      if (met < size) return total;
      size = Math.round(
        Math.min(Math.max((size * TARGET_BATCH_MS) / tookMs, size / 2, BATCH.least), size * 2, BATCH.most),
      );
      await pause(tookMs, stopping.signal);
    }
    return total;
  }

  async function sweep(): Promise<number> {
    let total = 0;
    for (const each of SWEEPS) total += await sweepAll(each);
    rows = (await pool.query<{ rows: number }>(estimateRows)).rows[0]?.rows ?? 0;
    return total;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await pause(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await sweep().catch((error: Error) => log.warn({ err: error }, 'sweeping old keys failed; trying again'));
    }
  }
  const running = run();
  return {
    sweep,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Resolves after `ms`, or at once when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
