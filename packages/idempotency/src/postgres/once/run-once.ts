/* Running something once in a transaction of its own: jobs, webhooks, cron. */
import { inSchema, type Pool, type Transaction } from '@holdfast/postgres';
import type { Fingerprinter } from '../../core/fingerprint.ts';
import { IdempotencyError } from '../../core/idempotency-error.ts';
import { KEY_FAULT_REASONS } from '../../core/outcome-reasons.ts';
import { isKeyExpired, TOMBSTONE_MS } from '../../core/retention-clock.ts';
import { ask } from '../claims/read-claims.ts';
import { loadFingerprinter } from '../fingerprint-secret.ts';
import { createKeyedRunner, type KeyedRunner } from '../keyed-runner.ts';
import { encodeValue, type OnceRequest, type OnceResult, onceCall, onceResult } from './once-request.ts';

export interface RunOnceRequest extends OnceRequest {
  /** How long a duplicate waits for the call that runs. Default 5 s. */
  waitMs?: number;
  /** How long the effect may take before it is rolled back. Default 10 s. */
  timeoutMs?: number;
}

const WAIT_MS = 5_000;
const pools = new WeakMap<Pool, { runner: KeyedRunner; fingerprinter?: Fingerprinter }>();

/**
 * Runs `effect` at most once per key, in a transaction that also stores what it returns, a JSON value. What it throws is rolled
 * back, and the key is free again. It writes through `tx`, and calls no other service meanwhile.
 *
 * @throws IdempotencyError when nothing was run and there is no value; what `effect` and the database throw
 */
export async function runOnce<T>(
  host: Pool,
  key: string,
  request: RunOnceRequest,
  effect: (tx: Transaction) => Promise<T>,
): Promise<OnceResult<T>> {
  const pool = inSchema(host, request.schema);
  const known = pools.get(pool) ?? { runner: createKeyedRunner({ pool }) };
  pools.set(pool, known);
  known.fingerprinter ??= await loadFingerprinter(pool);
  const { waitMs = WAIT_MS, timeoutMs } = request;
  const call = onceCall(key, request, known.fingerprinter);
  if (
    isKeyExpired(call.key, TOMBSTONE_MS, Date.now()) &&
    (await ask(pool, call.tenantId, call.key)).kind === 'not_found'
  )
    throw new IdempotencyError(KEY_FAULT_REASONS.key_expired);
  const outcome = await known.runner.run(
    { ...call, waitMs, ...(timeoutMs !== undefined && { timeoutMs }) },
    async (tx) => ({
      kind: 'completed',
      answer: encodeValue(await effect(tx)),
    }),
  );
  return onceResult(outcome);
}
