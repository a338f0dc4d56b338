import { randomBytes } from 'node:crypto';

/** W3C Trace Context, version 00. */
export type Traceparent = string;

const FORMAT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A new span in the caller's trace when it sent a well-formed header, else in a new trace. */
export function newTraceparent(incoming?: string): Traceparent {
  const traceId = (incoming && traceIdOf(incoming)) || randomBytes(16).toString('hex');
  return `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
}

/** The trace id, for the log; undefined when malformed. */
export function traceIdOf(traceparent: string): string | undefined {
  return FORMAT.exec(traceparent)?.[1];
}
