import { Metadata, status } from '@grpc/grpc-js';
import { decodeStatus, encodeStatus } from './status-details.ts';

/**
 * The gRPC error catalogue: every reason that a service of ours puts into `google.rpc.ErrorInfo`. Business refusals
 * (OUT_OF_STOCK, CARD_DECLINED, …) are the failure reasons of the contract and travel the same way. docs/errors.md is
 * held to this list by a test.
 */
export const rpcErrors = {
  IDEMPOTENCY_KEY_MISSING: { code: status.INVALID_ARGUMENT, pushbackMs: -1 },
  IDEMPOTENCY_KEY_INVALID: { code: status.INVALID_ARGUMENT, pushbackMs: -1 },
  INVALID_REQUEST: { code: status.INVALID_ARGUMENT, pushbackMs: -1 },
  IDEMPOTENCY_KEY_REUSED: { code: status.FAILED_PRECONDITION, pushbackMs: -1 },
  IDEMPOTENCY_KEY_EXPIRED: { code: status.FAILED_PRECONDITION, pushbackMs: -1 },
  SEALED: { code: status.FAILED_PRECONDITION, pushbackMs: -1 },
  CANCEL_REFUSED: { code: status.FAILED_PRECONDITION, pushbackMs: -1 },
  CONFLICT: { code: status.FAILED_PRECONDITION, pushbackMs: -1 },
  UNAUTHENTICATED: { code: status.UNAUTHENTICATED, pushbackMs: -1 },
  NOT_FOUND: { code: status.NOT_FOUND, pushbackMs: -1 },
  FENCED: { code: status.ABORTED, pushbackMs: -1 },
  REQUEST_IN_PROGRESS: { code: status.ABORTED, pushbackMs: 50 },
  TRY_AGAIN: { code: status.UNAVAILABLE, pushbackMs: 50 },
  STORE_UNAVAILABLE: { code: status.UNAVAILABLE, pushbackMs: 200 },
  OUTCOME_UNKNOWN: { code: status.UNAVAILABLE, pushbackMs: 100 },
  // A fault of ours is mended by somebody, if at all: no hurry.
  INTERNAL: { code: status.INTERNAL, pushbackMs: 1_000 },
} as const;

export type ErrorReason = keyof typeof rpcErrors;

/** Reasons after which the same call under the same key is worth sending again. */
export const RETRYABLE_REASONS: ReadonlySet<string> = new Set(
  Object.entries(rpcErrors)
    .filter(([, entry]) => entry.pushbackMs >= 0)
    .map(([reason]) => reason),
);

/** An error on its way to the wire. */
export interface RpcError {
  kind: 'error';
  /** google.rpc.Status, as stored or to be stored: replayed byte for byte. */
  statusBytes: Buffer;
  pushbackMs: number;
  replayed: boolean;
}

/** What a handler gives back: a message, the stored bytes of one, or an error. */
export type Answer<T> = { kind: 'ok'; message: T } | { kind: 'stored'; bytes: Buffer; replayed: boolean } | RpcError;

/** An error of the catalogue. `message` tells the caller what to do; `metadata` never holds values of the request. */
export function errorOf(reason: ErrorReason, message: string, metadata: Record<string, string> = {}): RpcError {
  const { code, pushbackMs } = rpcErrors[reason];
  return { kind: 'error', statusBytes: encodeStatus({ code, message, reason, metadata }), pushbackMs, replayed: false };
}

/** The bytes under which a business refusal is stored, and later replayed. */
export function statusBytes(reason: string, message: string): Buffer {
  return encodeStatus({ code: status.FAILED_PRECONDITION, message, reason, metadata: {} });
}

/** What grpc-js takes as an error: code, message and trailers (in trailers, never in early metadata). */
export function toServiceError(error: RpcError): { code: number; details: string; metadata: Metadata } {
  const detail = decodeStatus(error.statusBytes);
  const trailers = new Metadata();
  trailers.set('grpc-status-details-bin', error.statusBytes);
  trailers.set('grpc-retry-pushback-ms', String(error.pushbackMs));
  if (error.replayed) trailers.set('idempotent-replayed', 'true');
  return { code: detail?.code ?? status.INTERNAL, details: detail?.message ?? 'damaged status', metadata: trailers };
}
