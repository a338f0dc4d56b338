/* What once() and runOnce() have in common: a request of plain values, and its outcome as a value or an error. */
import type { Fingerprint, Fingerprinter } from '../../core/fingerprint.ts';
import { IdempotencyError } from '../../core/idempotency-error.ts';
import { parseKey } from '../../core/new-key.ts';
import { KEY_FAULT_REASONS, OUTCOME_REASONS } from '../../core/outcome-reasons.ts';
import type { KeyedOutcome } from '../keyed-runner.ts';

export interface OnceRequest {
  /** What is done under the key. Stored, and part of the fingerprint: never rename it. */
  operation: string;
  /** What makes it this request and no other: a JSON value. Another one under the same key is refused. */
  body?: unknown;
  /** Whose key it is, where there are several tenants. */
  tenantId?: string;
  /** How long the value is given again, in whole days. Default 30. */
  keepDays?: number;
  /** Where the tables of keys are. Default `holdfast`. */
  schema?: string;
}

export interface OnceResult<T> {
  value: T;
  /** Whether an earlier call returned it; nothing was run then. */
  replayed: boolean;
}

export interface OnceCall {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  keepDays?: number;
}

/** @throws IdempotencyError for a malformed key */
export function onceCall(raw: string, request: OnceRequest, fingerprinter: Fingerprinter): OnceCall {
  const parsed = parseKey(raw);
  if (parsed.kind !== 'key') throw new IdempotencyError(KEY_FAULT_REASONS[parsed.kind]);
  const { operation, body = null, tenantId = '', keepDays } = request;
  const members = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : { '': body };
  const fingerprint = fingerprinter.of(operation, members, { nameMembers: true });
  return { tenantId, key: parsed.key, operation, fingerprint, ...(keepDays !== undefined && { keepDays }) };
}

export function encodeValue(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value) ?? '');
}

/** The value as it is stored, so that the first call gets what every later one gets. @throws IdempotencyError */
export function onceResult<T>(outcome: KeyedOutcome): OnceResult<T> {
  if (outcome.kind === 'completed' || outcome.kind === 'refused') {
    const { answer, replayed } = outcome;
    return { value: (answer.length === 0 ? undefined : JSON.parse(answer.toString())) as T, replayed };
  }
  throw new IdempotencyError(OUTCOME_REASONS[outcome.kind], outcome.kind === 'reused' ? outcome.differing : []);
}
