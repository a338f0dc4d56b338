import { Metadata, status } from '@grpc/grpc-js';
import type { AnsweredStatus } from './buffered-response.ts';

const DETAILS = 'grpc-status-details-bin';
const NEWLINE = 0x0a;

/** Codes that say that it is not known or not yet decided what happened; storing one would make a moment's trouble final. */
const NEVER_STORED: ReadonlySet<status> = new Set([
  status.OK,
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
  status.UNAUTHENTICATED,
]);

/** @throws RangeError when one of them must not be stored */
export function storableCodes(codes: readonly status[]): ReadonlySet<status> {
  for (const code of codes) {
    if (NEVER_STORED.has(code)) throw new RangeError(`${status[code]} is never stored: it says nothing final`);
  }
  return new Set(codes);
}

/** A refusal as it is stored: code and message as one line of JSON, then the bytes of `grpc-status-details-bin`. */
export function encodeRefusal({ code, details, metadata }: AnsweredStatus): Buffer {
  const [bytes] = metadata?.get(DETAILS) ?? [];
  const head = Buffer.from(`${JSON.stringify({ code, details })}\n`);
  return bytes instanceof Uint8Array ? Buffer.concat([head, bytes]) : head;
}

export function decodeRefusal(stored: Buffer): { code: status; details: string; metadata: Metadata } {
  const end = stored.indexOf(NEWLINE);
  const { code, details } = JSON.parse(stored.subarray(0, end).toString()) as { code: status; details: string };
  const metadata = new Metadata();
  const bytes = stored.subarray(end + 1);
  if (bytes.length > 0) metadata.set(DETAILS, bytes);
  return { code, details, metadata };
}
