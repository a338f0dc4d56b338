/* What a keyed method answers by itself, instead of the handler: which reason, with which code, after how long again. */
import { type Reason, type ReasonEntry, reasons } from '@holdfast/contracts/reasons';
import { OUTCOME_REASONS } from '../core/outcome-reasons.ts';
import type { KeyedOutcome } from '../postgres/keyed-runner.ts';
import { storeFaultReason } from '../postgres/store-fault.ts';

const KEY_REASONS = [
  'IDEMPOTENCY_KEY_MISSING',
  'IDEMPOTENCY_KEY_INVALID',
  'IDEMPOTENCY_KEY_REUSED',
  'IDEMPOTENCY_KEY_EXPIRED',
  'ANSWER_EXPIRED',
  'SEALED',
  'REQUEST_IN_PROGRESS',
  'TRY_AGAIN',
  'STORE_UNAVAILABLE',
  'INTERNAL',
] as const satisfies Reason[];

export type KeyErrorReason = (typeof KEY_REASONS)[number];

/** As gRPC and Connect number them alike. */
const CODES = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const satisfies Record<ReasonEntry['status'], number>;

export const keyErrors = Object.fromEntries(
  KEY_REASONS.map((reason) => [
    reason,
    { code: CODES[reasons[reason].status], pushbackMs: reasons[reason].pushbackMs },
  ]),
) as Record<KeyErrorReason, { code: number; pushbackMs: number }>;

/** What its caller does about it. */
export function messageOf(reason: KeyErrorReason): string {
  return reasons[reason].detail;
}

/** Goes out with an answer, as a trailer. */
export const REPLAYED = 'idempotent-replayed';
export const PUSHBACK = 'grpc-retry-pushback-ms';
/** Sending the call again does not help. */
export const NEVER_AGAIN = '-1';

/** An error of the key itself, on its way to the caller. */
export class KeyError extends Error {
  readonly reason: KeyErrorReason;
  constructor(reason: KeyErrorReason) {
    super(reason);
    this.reason = reason;
  }
}

/** @returns undefined for an error that is the handler's own */
export function keyErrorReason(error: unknown): KeyErrorReason | undefined {
  return error instanceof KeyError ? error.reason : storeFaultReason(error);
}

/** The one place where an outcome without an answer becomes an error. `info` never holds values of the request. */
export function outcomeError(outcome: Exclude<KeyedOutcome, { kind: 'completed' | 'refused' }>): {
  reason: KeyErrorReason;
  info: Record<string, string>;
} {
  const info: Record<string, string> = outcome.kind === 'reused' ? { differing: outcome.differing.join(',') } : {};
  return { reason: OUTCOME_REASONS[outcome.kind], info };
}

/** Codes that say that it is not known or not yet decided what happened; storing one would make a moment's trouble final. */
const NEVER_STORED: ReadonlyMap<number, string> = new Map([
  [0, 'OK'],
  [1, 'CANCELLED'],
  [2, 'UNKNOWN'],
  [4, 'DEADLINE_EXCEEDED'],
  [8, 'RESOURCE_EXHAUSTED'],
  [10, 'ABORTED'],
  [12, 'UNIMPLEMENTED'],
  [13, 'INTERNAL'],
  [14, 'UNAVAILABLE'],
  [15, 'DATA_LOSS'],
  [16, 'UNAUTHENTICATED'],
]);

/** @throws RangeError when one of them must not be stored */
export function storableCodes<Code extends number>(codes: readonly Code[]): ReadonlySet<Code> {
  for (const code of codes) {
    const name = NEVER_STORED.get(code);
    if (name !== undefined) throw new RangeError(`${name} is never stored: it says nothing final`);
  }
  return new Set(codes);
}
