/*
 * How fast old claims go, and whom that delays: a table of old claims is purged while new ones are made at a fixed rate. What the
 * disk takes to make a page durable is measured before and after, since a commit can't be faster.
 *
 *   node tools/bench/src/purge.ts [--claims 1000000] [--rate 500]
 */
import { randomUUID } from 'node:crypto';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSingleFlight, idempotencyMigrations, loadFingerprinter, purge, rotateDays } from '@holdfast/idempotency';
import { createStepRunner } from '@holdfast/participant';
import { createPool, migrate, type Pool } from '@holdfast/postgres';
import { startPostgres } from '@holdfast/testing';
import { openLoop, percentile } from './load/loops.ts';

const { values } = parseArgs({
  options: { claims: { type: 'string', default: '1000000' }, rate: { type: 'string', default: '500' } },
});
const CLAIMS = Number(values.claims);
const RATE = Number(values.rate);
const AFTER_SECONDS = 3;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-purge-'));
const postgres = await startPostgres({ dataDir: join(folder, 'data') });
const pool = createPool({
  databaseUrl: await postgres.createDatabase('purge'),
  applicationName: 'bench-purge',
  keyLookupsOnly: true,
  statementTimeoutMs: 300_000,
});
try {
  await migrate(pool, [idempotencyMigrations]);
  await rotateDays(pool);
  console.error(`making ${CLAIMS} old claims …`);
  await makeOld(pool);
  await measure(pool);
} finally {
  await pool.end();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function makeOld(db: Pool): Promise<void> {
  await db.query(
    `insert into holdfast.claims (tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, claimed_at, settled_at,
                         kept_until)
     select 'shop', gen_random_uuid()::text, 'charge', 'charge', 'completed', sha256(n::text::bytea), 1,
            clock_timestamp() - interval '40 days', clock_timestamp() - interval '40 days', current_date - 26
       from generate_series(1, ${CLAIMS}) n`,
  );
  await db.query('vacuum analyze holdfast.claims');
}

async function measure(db: Pool): Promise<void> {
  const fingerprinter = await loadFingerprinter(db);
  const run = createStepRunner<string>(db, createSingleFlight(), {
    operation: 'charge',
    prepare: async (_, calls) => calls.map(() => ({ kind: 'completed' as const, answer: Buffer.from('charged') })),
  });
  const once = async () => {
    const orderId = randomUUID();
    const fingerprint = fingerprinter.of('charge', { orderId });
    const call = { tenantId: 'shop', key: `${orderId}:charge`, operation: 'charge', fingerprint, waitMs: 1_000 };
    const { kind } = await run({ ...call, fence: { orderId, epoch: 1 } }, orderId);
    return kind === 'completed' ? { kind: 'ended' as const, status: kind } : { kind: 'failed' as const, why: kind };
  };
  const disk = [...syncsOfDisk()];
  const alone = await openLoop(once, RATE, AFTER_SECONDS);
  const batches: number[] = [];
  const startedMs = performance.now();
  const purging = purge({ pool: db, onPurged: (_table, _rows, tookMs) => batches.push(tookMs) });
  let beside = await openLoop(once, RATE, 1);
  const latencies = [...beside.latenciesMs];
  let endedMs: number | undefined;
  const ended = purging.finally(() => {
    endedMs = performance.now();
  });
  while (endedMs === undefined) {
    beside = await openLoop(once, RATE, 1);
    latencies.push(...beside.latenciesMs);
  }
  const purged = await ended;
  const seconds = (endedMs - startedMs) / 1_000;
  disk.push(...syncsOfDisk());
  batches.sort((a, b) => a - b);
  console.log(
    `purged ${purged.claims} claims in ${seconds.toFixed(1)} s (${Math.round(purged.claims / seconds)} a second, pauses and all)`,
  );
  const busy = batches.reduce((sum, ms) => sum + ms, 0) / 1_000;
  console.log(
    `${batches.length} batches: p50 ${percentile(batches, 0.5).toFixed(0)} ms, p99 ${percentile(batches, 0.99).toFixed(0)} ms, ` +
      `longest ${batches.at(-1)?.toFixed(0)} ms; ${Math.round(purged.claims / busy)} a second while at it`,
  );
  for (const [name, of] of [
    [`claims at ${RATE} a second, alone`, alone.latenciesMs],
    [`claims at ${RATE} a second, beside the purge`, latencies],
    ['a page made durable, nothing else going on', disk],
  ] as const) {
    const sorted = of.toSorted((a, b) => a - b);
    console.log(`${name}: p50 ${percentile(sorted, 0.5).toFixed(1)} ms, p99 ${percentile(sorted, 0.99).toFixed(1)} ms`);
  }
}

/** How long the disk takes for a page of 8 KiB at the end of a file, in milliseconds, one after the other. */
function syncsOfDisk(): number[] {
  const file = openSync(join(folder, 'syncs'), 'a');
  const page = Buffer.alloc(8_192);
  const took = Array.from({ length: 500 }, () => {
    const startedMs = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - startedMs;
  });
  closeSync(file);
  return took;
}
