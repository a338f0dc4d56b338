import { expect } from 'vitest';
import type { Reply } from '../target.ts';

const PROBLEM = 'application/problem+json';

/** What every answer to a keyed request carries. */
export function expectKeyHeaders(reply: Reply, key: string, replayed: boolean): void {
  expect(reply.headers.get('idempotency-key')).toBe(key);
  expect(reply.headers.get('idempotent-replayed')).toBe(String(replayed));
  expect(Date.parse(reply.headers.get('idempotency-expires') ?? '')).toBeGreaterThan(0);
}

export function expectProblem(reply: Reply, status: number, code: string, retryable: boolean): void {
  expect(reply.status, reply.text).toBe(status);
  expect(reply.headers.get('content-type')).toContain(PROBLEM);
  expect(reply.body).toMatchObject({ status, code, retryable });
  if (retryable) expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
}
