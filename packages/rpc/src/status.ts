import { Metadata, status } from '@grpc/grpc-js';
import { isRetryable, type Reason, reasons } from '@holdfast/contracts';
import { decodeStatus, encodeStatus } from './status-details.ts';

export type ErrorReason = Reason;

/**
 * The gRPC error catalogue: every reason that a service of ours puts into `google.rpc.ErrorInfo`. Business refusals
 * (OUT_OF_STOCK, CARD_DECLINED, …) are the failure reasons of the contract and travel the same way.
 */
export const rpcErrors = Object.fromEntries(
  Object.entries(reasons).map(([reason, entry]) => [
    reason,
    { code: status[entry.status], pushbackMs: entry.pushbackMs },
  ]),
) as Record<ErrorReason, { code: status; pushbackMs: number }>;

/** Reasons after which the same call under the same key is worth sending again. */
export const RETRYABLE_REASONS: ReadonlySet<string> = new Set((Object.keys(reasons) as Reason[]).filter(isRetryable));

/** An error on its way to the wire. */
export interface RpcError {
  kind: 'error';
  /** google.rpc.Status, as stored or to be stored: replayed byte for byte. */
  statusBytes: Buffer;
  pushbackMs: number;
  replayed: boolean;
}

/** What a handler gives back: a message, the stored bytes of one, or an error. */
export type Answer<T> =
  | { kind: 'completed'; message: T }
  | { kind: 'completed'; bytes: Buffer; replayed: boolean }
  | RpcError;

/** An error of the catalogue. @param message where there is more to say than the catalogue does @param metadata no values of the request */
export function errorOf(
  reason: ErrorReason,
  message: string = reasons[reason].detail,
  metadata: Record<string, string> = {},
): RpcError {
  const { code, pushbackMs } = rpcErrors[reason];
  return { kind: 'error', statusBytes: encodeStatus({ code, message, reason, metadata }), pushbackMs, replayed: false };
}

/** The bytes under which a business refusal is stored, and later replayed. */
export function statusBytes(reason: string, message: string, metadata: Record<string, string> = {}): Buffer {
  return encodeStatus({ code: status.FAILED_PRECONDITION, message, reason, metadata });
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
