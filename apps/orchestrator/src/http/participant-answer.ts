import type { CallOptions, CallResult } from '@holdfast/rpc';
import type { FastifyRequest } from 'fastify';
import { traceparentOf } from './keyed-change.ts';
import { codeByReason, Problem, type ProblemCode, reusedKey } from './problem.ts';

// Calls to participants that a request waits for: what they are called with, and what their answers mean over HTTP.

const CALL_TIMEOUT_MS = 5_000;

export function callOptions(request: FastifyRequest, key?: string): CallOptions {
  return {
    tenantId: request.tenantId,
    timeoutMs: CALL_TIMEOUT_MS,
    traceparent: traceparentOf(request),
    ...(key !== undefined && { key }),
  };
}

/** @throws Problem */
export async function answer<T>(call: Promise<CallResult<T>>): Promise<T> {
  const result = await call;
  if (result.kind === 'completed') return result.message;
  throw problemOf(result);
}

/** What a participant says and no reason of the catalogue does: refusals, and statuses that came without a reason. */
const OTHER_CODES: Readonly<Record<string, ProblemCode>> = {
  OUT_OF_STOCK: 'out-of-stock',
  INSUFFICIENT_FUNDS: 'insufficient-funds',
  OUTCOME_UNKNOWN: 'service-unavailable',
  UNAVAILABLE: 'service-unavailable',
  DEADLINE_EXCEEDED: 'service-unavailable',
  // The credentials and the key of this call are ours: our caller can't fix them.
  UNAUTHENTICATED: 'internal',
  IDEMPOTENCY_KEY_MISSING: 'internal',
};

/** The border between gRPC's errors and ours. */
export function problemOf(error: Extract<CallResult<unknown>, { kind: 'error' }>): Problem {
  const code = OTHER_CODES[error.reason] ?? codeByReason.get(error.reason) ?? 'internal';
  if (code === 'service-unavailable') return new Problem(code);
  if (code === 'idempotency-key-reused') return reusedKey(error.metadata.differing?.split(',').filter(Boolean) ?? []);
  return new Problem(code, error.message);
}
