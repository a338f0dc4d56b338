import { randomBytes } from 'node:crypto';

/** W3C Trace Context, version 00. */
export type Traceparent = string;

const FORMAT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A new span in the caller's trace when it sent a well-formed header, else in a new trace. */
export function newTraceparent(incoming?: string): Traceparent {
  const traceId = (incoming && traceIdOf(incoming)) || randomHex(16);
  return `00-${traceId}-${randomHex(8)}-01`;
}

// Drawn in blocks: asking the system for a few bytes costs as much as asking for many.
const BLOCK_BYTES = 4_096;
let block = Buffer.alloc(0);

function randomHex(bytes: number): string {
  if (block.length < bytes) block = randomBytes(BLOCK_BYTES);
  const drawn = block.toString('hex', 0, bytes);
  block = block.subarray(bytes);
  return drawn;
}

/** The trace id, for the log; undefined when malformed. */
export function traceIdOf(traceparent: string): string | undefined {
  return FORMAT.exec(traceparent)?.[1];
}
