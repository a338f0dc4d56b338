import { Metadata, type status } from '@grpc/grpc-js';
import type { AnsweredStatus } from './buffered-response.ts';

const DETAILS = 'grpc-status-details-bin';
const NEWLINE = 0x0a;

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
