/*
 * What a lease alone is worth: keys that two processes want to run, leases of 300 ms, handlers of 100 to 800 ms, and processes
 * that are stopped and go on. Counts the keys whose effect happened more than once, with the fence on the effect and without.
 *
 *   node tools/bench/src/leases.ts [--keys 10000] [--seed 1]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  attachClaims,
  type Claim,
  ClaimedMeanwhile,
  type ClaimRequest,
  claimKeys,
  createPool,
  idempotencyMigrations,
  insertClaims,
  loadFingerprinter,
  migrate,
  type Pool,
  settleClaims,
} from '@holdfast/idempotency';
import { classifyPostgresError, transaction } from '@holdfast/postgres';
import { startPostgres } from '@holdfast/testing';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const LEASE_MS = 300;
const AT_ONCE = 250;
const STOPPED_MS = 600;

interface Job {
  databaseUrl: string;
  keys: number;
  seed: number;
  fenced: boolean;
}

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    job: { type: 'string' },
  },
});
if (values.job === undefined) await compare(Number(values.keys), Number(values.seed));
else await work(JSON.parse(values.job) as Job);

async function compare(keys: number, seed: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-leases-'));
  const server = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off' } });
  console.log(
    `${keys} keys, two processes, leases of ${LEASE_MS} ms, handlers of 100 to 800 ms, SIGSTOP; seed ${seed}`,
  );
  try {
    for (const fenced of [true, false]) {
      const databaseUrl = await server.createDatabase(fenced ? 'fenced' : 'unfenced');
      const pool = createPool({ databaseUrl, applicationName: 'leases' });
      await migrate(pool, [idempotencyMigrations]);
      await pool.query('create table effects (key text not null)');
      await race({ databaseUrl, keys, seed, fenced });
      const { rows } = await pool.query(`
        select count(*)::int as ran, (count(*) filter (where times > 1))::int as doubled
          from (select key, count(*) as times from effects group by key) as by_key`);
      console.log(
        `${fenced ? 'with' : 'without'} the fence on the effect: ${rows[0].ran} keys ran, ${rows[0].doubled} twice`,
      );
      await pool.end();
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two processes work through all keys; one after the other is stopped in its tracks, for twice a lease. */
async function race(job: Job): Promise<void> {
  const workers = [1, 2].map((at) => {
    const args = ['--job', JSON.stringify({ ...job, seed: job.seed + at })];
    return fork(fileURLToPath(import.meta.url), args);
  });
  const ended = Promise.all(workers.map(exitOf));
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (let at = 0; !over; at++) {
    await Promise.race([delay(400), ended]);
    const worker = workers[at % 2];
    if (over || worker === undefined) break;
    worker.kill('SIGSTOP');
    await delay(STOPPED_MS);
    worker.kill('SIGCONT');
  }
  await ended;
}

async function exitOf(child: ChildProcess): Promise<void> {
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`a worker ended with ${code}`);
}

async function work({ databaseUrl, keys, seed, fenced }: Job): Promise<void> {
  const pool = createPool({ databaseUrl, applicationName: 'leases worker', connectTimeoutMs: 30_000 });
  const fingerprinter = await loadFingerprinter(pool);
  const random = xoroshiro128plus(seed);
  const durationMs = () => 100 + ((random.next() >>> 0) % 701);
  const todo = Array.from({ length: keys }, (_, at) => `key-of-the-race-${at}`).values();
  const one = async () => {
    for (const key of todo) {
      const request = { tenantId: 'bench', key, operation: 'race', fingerprint: fingerprinter.of('race', { key }) };
      while (!(await attempt(pool, { ...request, leaseMs: LEASE_MS }, durationMs, fenced))) await delay(LEASE_MS / 2);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  await pool.end();
}

/** @returns whether the key is settled */
async function attempt(pool: Pool, request: ClaimRequest, durationMs: () => number, fenced: boolean): Promise<boolean> {
  try {
    const outcome = await transaction(pool, async (tx) => {
      const [found] = await claimKeys(tx, [request]);
      if (found?.kind === 'claimed') {
        await insertClaims(tx, [{ claim: found.claim, request, state: 'in_progress', answer: null }]);
      }
      return found;
    });
    if (outcome?.kind !== 'claimed' && outcome?.kind !== 'resumed') return outcome?.kind !== 'in_progress';
    await delay(durationMs());
    return await finish(pool, outcome.claim, request.key, fenced);
  } catch (error) {
    if (error instanceof ClaimedMeanwhile) return false;
    // The other process was stopped while it held the row, or the server has ended our transaction while we were.
    if (classifyPostgresError(error) === 'other') throw error;
    return false;
  }
}

async function finish(pool: Pool, held: Claim, key: string, fenced: boolean): Promise<boolean> {
  const lost = new Error('the claim is no longer ours');
  try {
    await transaction(pool, async (tx) => {
      await tx.query('insert into effects (key) values ($1)', [key]);
      // The fence: an attempt that has been replaced may store nothing, so its effect goes with the rollback.
      const [claim] = await attachClaims(tx, [held]);
      if (claim !== undefined) await settleClaims(tx, [{ claim, state: 'completed', answer: Buffer.from('done') }]);
      else if (fenced) throw lost;
    });
    return true;
  } catch (error) {
    if (error !== lost) throw error;
    return false;
  }
}
