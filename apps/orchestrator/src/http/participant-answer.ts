import type { CallOptions, CallResult } from '@holdfast/rpc';
import { newTraceparent } from '@holdfast/service';
import type { FastifyRequest } from 'fastify';
import { Problem, type ProblemCode, reusedKey } from './problem.ts';

// Calls to participants that a request waits for: what they are called with, and what their answers mean over HTTP.

const CALL_TIMEOUT_MS = 5_000;

export function callOptions(request: FastifyRequest, key?: string): CallOptions {
  return {
    tenantId: request.tenantId,
    timeoutMs: CALL_TIMEOUT_MS,
    traceparent: newTraceparent(request.headers.traceparent as string | undefined),
    ...(key !== undefined && { key }),
  };
}

/** @throws Problem */
export async function answer<T>(call: Promise<CallResult<T>>): Promise<T> {
  const result = await call;
  if (result.kind === 'ok') return result.message;
  throw problemOf(result);
}

const CODE_BY_REASON: Record<string, ProblemCode> = {
  NOT_FOUND: 'not-found',
  INVALID_REQUEST: 'invalid-request',
  CONFLICT: 'conflict',
  OUT_OF_STOCK: 'out-of-stock',
  INSUFFICIENT_FUNDS: 'insufficient-funds',
  IDEMPOTENCY_KEY_INVALID: 'idempotency-key-invalid',
  IDEMPOTENCY_KEY_REUSED: 'idempotency-key-reused',
  REQUEST_IN_PROGRESS: 'request-in-progress',
  TRY_AGAIN: 'try-again',
  STORE_UNAVAILABLE: 'store-unavailable',
  UNAVAILABLE: 'service-unavailable',
  DEADLINE_EXCEEDED: 'service-unavailable',
};

/** The border between gRPC's errors and ours. */
export function problemOf(error: Extract<CallResult<unknown>, { kind: 'error' }>): Problem {
  const code = CODE_BY_REASON[error.reason] ?? 'internal';
  if (code === 'service-unavailable') return new Problem(code, 'send the same request again');
  if (code === 'idempotency-key-reused') return reusedKey(error.metadata.differing?.split(',').filter(Boolean) ?? []);
  return new Problem(code, error.message);
}
