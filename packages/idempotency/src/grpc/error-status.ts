import { Metadata, status } from '@grpc/grpc-js';
import { type Reason, reasons } from '@holdfast/contracts/reasons';

// Errors as google.rpc.Status with one google.rpc.ErrorInfo. Only written here, never read, so a few lines of the wire
// format do, and this package brings no protobuf runtime.

/** What a keyed method answers by itself, instead of the handler. */
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

/** These reasons as grpc-js needs them. */
export const keyErrors = Object.fromEntries(
  KEY_REASONS.map((reason) => [
    reason,
    { code: status[reasons[reason].status], pushbackMs: reasons[reason].pushbackMs },
  ]),
) as Record<KeyErrorReason, { code: status; pushbackMs: number }>;

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
  const message = reasons[reason].detail;
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeStatus({ code, message, reason, domain, info }));
  metadata.set('grpc-retry-pushback-ms', String(pushbackMs));
  return { code, details: message, metadata };
}

export interface StatusParts {
  code: number;
  message: string;
  reason: string;
  domain: string;
  info: Record<string, string>;
}

/** The bytes of a google.rpc.Status, for `grpc-status-details-bin`. */
export function encodeStatus({ code, message, reason, domain, info }: StatusParts): Buffer {
  const entries = Object.entries(info).map(([key, value]) => bytesField(3, [textField(1, key), textField(2, value)]));
  const errorInfo = [textField(1, reason), textField(2, domain), ...entries];
  const any = [textField(1, 'type.googleapis.com/google.rpc.ErrorInfo'), bytesField(2, errorInfo)];
  return Buffer.concat([Buffer.from([0x08]), varint(code), textField(2, message), bytesField(3, any)]);
}

function textField(number: number, text: string): Buffer {
  return bytesField(number, [Buffer.from(text)]);
}

/** Wire type 2: a tag, a length, the bytes. */
function bytesField(number: number, parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
