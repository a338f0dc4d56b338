import { Metadata, type status } from '@grpc/grpc-js';
import { encodeStatus } from '../rpc/error-info.ts';
import { type KeyErrorReason, keyErrors, messageOf, PUSHBACK } from '../rpc/key-errors.ts';

export interface ErrorStatus {
  code: status;
  details: string;
  metadata: Metadata;
}

/**
 * A status with its details and pushback in the trailers: early metadata would turn the client's retries off.
 * @param info never holds values of the request
 */
export function errorStatus(reason: KeyErrorReason, domain: string, info: Record<string, string> = {}): ErrorStatus {
  const { code, pushbackMs } = keyErrors[reason];
  const message = messageOf(reason);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeStatus({ code, message, reason, domain, info }));
  metadata.set(PUSHBACK, String(pushbackMs));
  return { code, details: message, metadata };
}
