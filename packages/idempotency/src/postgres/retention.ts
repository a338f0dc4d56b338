/*
 * The end of retention: days of answers are dropped whole; claims, fences and other modules' rows go in short batches.
 *
 * K5  Only what is settled and older than the tombstone window goes. The effects keep their own unique keys, so that a
 *     key that is not known any more still finds what was done under it. A claim that is such a unique key itself is pinned, and
 *     stays. Of a claim that stays, the answer goes when it has expired; a refusal never does (S5).
 * K4  A fence goes only when no claim of its order is left, which is checked under the fence's lock: a call for the order
 *     waits for that lock meanwhile, and raises the fence anew.
 * K7  One process at a time, per batch (an advisory lock that ends with its transaction, so it dies with its process). Every
 *     batch is one walk over a range of blocks: no index is needed for it, so keys cost nothing more when they are written.
 *     Batches are sized to take about TARGET_BATCH_MS, with a pause behind each: a long one where there was nothing to remove, or
 *     a walk over millions of keys that all stay would keep a core busy that callers need.
 *
 * A crash anywhere loses the place of the walk and nothing else: the next one begins at the first block.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  inSchema,
  type Pool,
  type Query,
  type Statement,
  statement,
  transaction,
  unnamedStatement,
} from '@holdfast/postgres';
import { DAY_MS, TOMBSTONE_MS } from '../core/retention-clock.ts';

export interface RetentionOptions {
  pool: Pool;
  /** Where the tables of keys are. Default `holdfast`. */
  schema?: string | undefined;
  /** How long a settled claim stays, counted from its end. Longer than any answer is kept, and than any caller retries. */
  tombstoneMs?: number;
  /** Operations whose claims stay for ever: the claim is the unique key of their effect. */
  pinned?: readonly string[];
  /** How long after its claim an answer is given that has no last day of its own: those of claims-fragment.ts. Default: for ever. */
  answerMs?: number;
  /** Tables of other modules that are purged with the claims, such as a consumer's inbox. */
  others?: readonly OtherTable[];
  /** Called after every batch that removed something. */
  onPurged?: (table: string, rows: number, tookMs: number) => void;
  /** Called when a walk failed; it is tried again. */
  onError?: (error: Error) => void;
  clock?: RetentionClock;
}

export interface OtherTable {
  table: string;
  /** Removes at most `limit` rows that are past their retention, in one short statement. @returns how many */
  purge(tx: Query, limit: number): Promise<number>;
}

export interface RetentionClock {
  /** In milliseconds. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

export interface Purged {
  claims: number;
  /** Answers of claims that stay. */
  answers: number;
  fences: number;
  /** Rows of other modules' tables. */
  others: number;
  /** Days of answers that were dropped. */
  days: number;
  /** Age of the oldest settled claim that stays; 0 without one. */
  oldestMs: number;
}

const OTHERS_BATCH = 1_000;
/**
 * A key that says its age is refused as expired by *its* date, a claim goes by the date of its end. A key that was made by
 * a clock ahead of ours would be unknown before it is refused: in between it would run again. So claims stay longer.
 */
const CLOCKS_AHEAD_MS = 12 * 60 * 60 * 1_000;
/** An answer whose claim goes within this time goes with it: its row is not written once more for that. */
const SOON_MS = DAY_MS;
// Any constant will do, as long as every process of a database uses the same. The other half of the lock's name is the table.
const LOCK = 7_415_927;
const TRY_LOCK = `pg_try_advisory_xact_lock($1::int, 'holdfast.claims'::regclass::oid::int)`;
const BLOCKS = { first: 64, least: 8, most: 4_096 };
const TARGET_BATCH_MS = 15;
/** Batches long is the pause behind one that removed nothing: such a walk takes a tenth of one connection. */
const IDLE_PAUSES = 9;
/** A partition for each day that an answer may be kept until, and some for processes whose clocks are ahead of a sweep. */
const DAYS_AHEAD = 35;

const tryLock = statement('idempotency.lock-retention', `select ${TRY_LOCK} as mine`);

// A batch does not wait until its commit is on the disk. What a crash of the server brings back is deleted by the next walk,
// and until then it is kept for longer than needed, which does no harm: rows only go, and all later writes stand behind them
// in the log. The other choice is worse: each batch would stand in the queue of the callers' commits.
const tryBatch = statement(
  'idempotency.lock-batch',
  `select ${TRY_LOCK} as mine, set_config('synchronous_commit', 'off', true)`,
);

const missingDays = statement(
  'idempotency.missing-days',
  `select to_char(day, 'YYYY-MM-DD') as day, to_char(day + 1, 'YYYY-MM-DD') as next, to_char(day, 'YYYYMMDD') as suffix
     from (select (clock_timestamp() at time zone 'utc')::date + n as day from generate_series(0, $1::int) n) days
    where to_regclass('holdfast.answers_' || to_char(day, 'YYYYMMDD')) is null
      and not exists (select from holdfast.answers_rest where kept_until = day)`,
);

const pastDays = statement(
  'idempotency.past-days',
  // @guard K5 the days that are past, as those to drop: "and to_date(right(c.relname, 8), 'YYYYMMDD') < (clock_timestamp() at time zone 'utc')::date`" -> "and to_date(right(c.relname, 8), 'YYYYMMDD') > (clock_timestamp() at time zone 'utc')::date`"
  `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'holdfast.answers'::regclass and c.relname ~ '^answers_\\d{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < (clock_timestamp() at time zone 'utc')::date`,
);

const purgeRest = statement(
  'idempotency.purge-rest',
  `delete from holdfast.answers_rest where kept_until < (clock_timestamp() at time zone 'utc')::date`,
);

/**
 * Makes the partitions of the days to come and drops those that are past, unless another process is doing so.
 * @param pool a view of it (inSchema) where the tables are not in the schema `holdfast`
 * @returns how many were dropped. @throws pg errors; 55P03 when a statement holds the table for longer than a moment
 */
export async function rotateDays(pool: Pool): Promise<number> {
  return await transaction(pool, async (tx) => {
    if (!(await isMine(tx, tryLock))) return 0;
    // A drop waits for every reader of the table, and all later statements wait for the drop: give up soon, try again later.
    await tx.query(`set local lock_timeout = '200ms'`);
    const { rows: missing } = await tx.query<{ day: string; next: string; suffix: string }>({
      ...missingDays,
      values: [DAYS_AHEAD],
    });
    // Names and bounds come from the statement above: digits and hyphens only.
    for (const { day, next, suffix } of missing) {
      const bounds = `from ('${day}') to ('${next}')`;
      await tx.query(
        unnamedStatement(`create table holdfast.answers_${suffix} partition of holdfast.answers for values ${bounds}`),
      );
    }
    const { rows: past } = await tx.query<{ name: string }>(pastDays);
    for (const { name } of past) await tx.query(unnamedStatement(`drop table holdfast.${name}`));
    await tx.query(purgeRest);
    return past.length;
  });
}

const lastBlockOf = (table: 'claims' | 'fences') =>
  statement(
    `idempotency.last-block-of-${table}`,
    `select greatest(pg_relation_size('holdfast.${table}'::regclass) / current_setting('block_size')::bigint, 0)::bigint as blocks`,
  );
const lastBlock = { claims: lastBlockOf('claims'), fences: lastBlockOf('fences') };

const purgeClaims = statement(
  'idempotency.purge-claims',
  // @guard K5 the refusals among the answers that are taken when they have expired: "state = 'completed' and answer is not null" -> "answer is not null"
  // @guard K5 the pin of claims that are the unique key of their effect: "and found.is_due and not found.is_pinned" -> "and found.is_due"
  // @guard K5 the age at which a claim is purged: "settled_at < clock_timestamp() - $3::float8 * interval '1 millisecond'" -> "settled_at < clock_timestamp() and $3::float8 is not null"
  // @guard K5 the answer that a claim still has to give, when it is purged: "and coalesce(kept_until < (clock_timestamp() at time zone 'utc')::date, true) as is_due" -> "as is_due"
  `with found as materialized (
     select ctid, settled_at, operation = any($4::text[]) as is_pinned,
            settled_at < clock_timestamp() - $3::float8 * interval '1 millisecond'
              and coalesce(kept_until < (clock_timestamp() at time zone 'utc')::date, true) as is_due,
            settled_at >= clock_timestamp() - ($3::float8 - ${SOON_MS}) * interval '1 millisecond' as stays,
            state = 'completed' and answer is not null
              and coalesce(kept_until < (clock_timestamp() at time zone 'utc')::date,
                           claimed_at < clock_timestamp() - $5::float8 * interval '1 millisecond') as has_expired
       from holdfast.claims
      where ctid >= ('(' || $1::bigint || ',0)')::tid and ctid < ('(' || $2::bigint || ',0)')::tid
        and settled_at is not null
   ), purged as (
     delete from holdfast.claims using found where claims.ctid = found.ctid and found.is_due and not found.is_pinned returning true
   ), emptied as (
     update holdfast.claims set answer = null, members = null
       from found where claims.ctid = found.ctid and found.has_expired and (found.is_pinned or found.stays) returning true
   )
   select (select count(*) from purged)::int as claims, (select count(*) from emptied)::int as answers,
          coalesce(extract(epoch from clock_timestamp() -
                             (select min(settled_at) from found where not is_due and not is_pinned)) * 1000, 0)::float8
            as "oldestMs"`,
);

const lockFences = statement(
  'idempotency.lock-fences',
  `select tenant_id, order_id from holdfast.fences
    where ctid >= ('(' || $1::bigint || ',0)')::tid and ctid < ('(' || $2::bigint || ',0)')::tid
      and not exists (select from holdfast.claims c where c.tenant_id = fences.tenant_id and c.scope = fences.order_id)
      for update skip locked`,
);

// A statement of its own: it sees every claim that was committed before the fences were locked.
const deleteFences = statement(
  'idempotency.delete-fences',
  // @guard K4 the last look for claims before a fence is purged: "\n      and not exists (select from holdfast.claims c where c.tenant_id = f.tenant_id and c.scope = f.order_id)`" -> "`"
  `delete from holdfast.fences f using unnest($1::text[], $2::text[]) as r (tenant_id, order_id)
    where f.tenant_id = r.tenant_id and f.order_id = r.order_id
      and not exists (select from holdfast.claims c where c.tenant_id = f.tenant_id and c.scope = f.order_id)`,
);

/** One walk over claims, fences, days and other modules' tables. Stops early when `signal` aborts. @throws pg errors */
export async function purge(given: RetentionOptions, signal?: AbortSignal): Promise<Purged> {
  const options = { ...given, pool: inSchema(given.pool, given.schema) };
  const days = await rotateDays(options.pool);
  let oldestMs = 0;
  // @guard K5 the time that claims outlive the refusal of their keys: "?? TOMBSTONE_MS) + CLOCKS_AHEAD_MS" -> "?? TOMBSTONE_MS)"
  const tombstoneMs = (options.tombstoneMs ?? TOMBSTONE_MS) + CLOCKS_AHEAD_MS;
  const { claims = 0, answers = 0 } = await walk(options, 'claims', signal, async (tx, from, to) => {
    const values = [from, to, tombstoneMs, options.pinned ?? [], options.answerMs ?? null];
    const { rows } = await tx.query<{ claims: number; answers: number; oldestMs: number }>({ ...purgeClaims, values });
    const [batch = { claims: 0, answers: 0, oldestMs: 0 }] = rows;
    oldestMs = Math.max(oldestMs, batch.oldestMs);
    return { claims: batch.claims, answers: batch.answers };
  });
  const { fences = 0 } = await walk(options, 'fences', signal, async (tx, from, to) => ({
    fences: await purgeFencesOf(tx, from, to),
  }));
  let others = 0;
  for (const other of options.others ?? []) others += await purgeOther(options, other, signal);
  return { claims, answers, fences, others, days, oldestMs };
}

/** In short batches, as long as there are full ones. */
async function purgeOther(
  { pool, onPurged }: RetentionOptions,
  other: OtherTable,
  signal: AbortSignal | undefined,
): Promise<number> {
  let total = 0;
  while (!signal?.aborted) {
    const startedMs = performance.now();
    const purged = await transaction(pool, async (tx) =>
      (await isMine(tx, tryBatch)) ? await other.purge(tx, OTHERS_BATCH) : 0,
    );
    const tookMs = performance.now() - startedMs;
    if (purged > 0) onPurged?.(other.table, purged, tookMs);
    total += purged;
    if (purged < OTHERS_BATCH) break;
    await pause(tookMs, signal);
  }
  return total;
}

async function purgeFencesOf(tx: Query, from: number, to: number): Promise<number> {
  const { rows } = await tx.query<{ tenant_id: string; order_id: string }>({ ...lockFences, values: [from, to] });
  if (rows.length === 0) return 0;
  const values = [rows.map((row) => row.tenant_id), rows.map((row) => row.order_id)];
  const { rowCount } = await tx.query({ ...deleteFences, values });
  return rowCount ?? 0;
}

type Rows = Partial<Record<'claims' | 'answers' | 'fences', number>>;

/** @returns what `batch` has removed, all in all */
async function walk(
  { pool, onPurged, clock = systemClock }: RetentionOptions,
  table: 'claims' | 'fences',
  signal: AbortSignal | undefined,
  batch: (tx: Query, from: number, to: number) => Promise<Rows>,
): Promise<Rows> {
  const { rows } = await pool.query<{ blocks: number }>(lastBlock[table]);
  const end = rows[0]?.blocks ?? 0;
  const total: Rows = {};
  let size = BLOCKS.first;
  for (let from = 0; from < end && !signal?.aborted; ) {
    const startedMs = clock.now();
    const to = from + size;
    const purged = await transaction(pool, async (tx) =>
      (await isMine(tx, tryBatch)) ? await batch(tx, from, to) : undefined,
    );
    // Another process is at it: it does what we would have done.
    if (purged === undefined) return total;
    const tookMs = clock.now() - startedMs;
    const removed = (Object.entries(purged) as [keyof Rows, number][]).filter(([, rows]) => rows > 0);
    for (const [of, rows] of removed) {
      onPurged?.(of, rows, tookMs);
      total[of] = (total[of] ?? 0) + rows;
    }
    from = to;
    size = Math.round(
      Math.min(Math.max((size * TARGET_BATCH_MS) / tookMs, size / 2, BLOCKS.least), size * 2, BLOCKS.most),
    );
    await clock.pause(removed.length > 0 ? tookMs : IDLE_PAUSES * tookMs, signal);
  }
  return total;
}

async function isMine(tx: Query, lock: Statement): Promise<boolean> {
  const { rows } = await tx.query<{ mine: boolean }>({ ...lock, values: [LOCK] });
  // @guard K5 the lock of the housekeeping: "return rows[0]?.mine === true;" -> "return rows[0] !== undefined;"
  return rows[0]?.mine === true;
}

export interface RetentionTimer {
  stop(): Promise<void>;
}

/** Purges now and then until stopped: a walk, and `everyMs` after its end the next one. */
export function keepRetention(
  options: RetentionOptions & { everyMs?: number; onWalked?: (purged: Purged) => void },
): RetentionTimer {
  const stopping = new AbortController();
  const everyMs = options.everyMs ?? 60 * 60 * 1_000;
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        options.onWalked?.(await purge(options, stopping.signal));
      } catch (error) {
        options.onError?.(error as Error);
      }
      await pause(everyMs, stopping.signal);
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Resolves after `ms`, or at once when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

const systemClock: RetentionClock = { now: () => performance.now(), pause };
