import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { type ErrorReason, errorOf, type RpcError } from './errors.ts';

/** Thrown by request checks, translated once, at the server's border. `field` is the path in the message. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest';
  readonly rpcError: RpcError;
  constructor(field: string, message: string, reason: ErrorReason = 'INVALID_REQUEST') {
    super(`${field}: ${message}`);
    this.rpcError = errorOf(reason, this.message, { field });
  }
}

const KEY = /^[A-Za-z0-9._~:-]{16,128}$/;
const TENANT = /^[A-Za-z0-9_-]{1,64}$/;
const EPOCH = /^\d{1,15}$/;
const MAX_REMAINING_MS = 60_000;

/** One incoming call: who, under which key and epoch, and how long the caller will wait. */
export interface ServerCall {
  /** @throws InvalidRequest IDEMPOTENCY_KEY_MISSING (G1) or IDEMPOTENCY_KEY_INVALID (G2) */
  key(): string;
  /** The caller's epoch; 0 when it sent none. @throws InvalidRequest */
  epoch(): number;
  /** @throws InvalidRequest */
  tenantId(): string;
  authorization(): string | undefined;
  traceparent(): string | undefined;
  /** Milliseconds until the caller stops waiting; at most a minute. */
  remainingMs(): number;
  /** Aborted when the caller hangs up. Work that has begun goes on all the same (G13). */
  signal: AbortSignal;
}

/** Where a call's fields are read from: metadata, or a message that carries many calls. */
export interface CallSource {
  /** Every value sent under this name; none when it was not sent. */
  values(name: string): string[];
  remainingMs(): number;
  signal: AbortSignal;
}

export function serverCall(
  call: ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>,
): ServerCall {
  const cancelled = new AbortController();
  call.on('cancelled', () => cancelled.abort());
  return serverCallFrom({
    values: (name) => call.metadata.get(name).map(String),
    remainingMs() {
      const deadline = call.getDeadline();
      const atMs = deadline instanceof Date ? deadline.getTime() : deadline;
      return atMs - Date.now();
    },
    signal: cancelled.signal,
  });
}

export function serverCallFrom(source: CallSource): ServerCall {
  const single = (name: string): string | undefined => {
    const values = source.values(name);
    if (values.length > 1) throw new InvalidRequest(name, 'send it once');
    return values[0];
  };
  return {
    key: () => keyIn(source.values('idempotency-key')),
    epoch() {
      const raw = single('saga-epoch') ?? '0';
      if (!EPOCH.test(raw)) throw new InvalidRequest('saga-epoch', 'send a whole number, the saga’s current epoch');
      return Number(raw);
    },
    tenantId() {
      const raw = single('tenant-id');
      if (raw === undefined || !TENANT.test(raw)) {
        throw new InvalidRequest('tenant-id', 'send the tenant’s id, 1 to 64 of [A-Za-z0-9_-]');
      }
      return raw;
    },
    authorization: () => single('authorization'),
    traceparent: () => single('traceparent'),
    remainingMs: () => Math.min(Math.max(source.remainingMs(), 0), MAX_REMAINING_MS),
    signal: source.signal,
  };
}

function keyIn(values: string[]): string {
  const name = 'idempotency-key';
  const [key] = values;
  if (key === undefined) {
    throw new InvalidRequest(name, 'send one with every changing call', 'IDEMPOTENCY_KEY_MISSING');
  }
  if (values.length > 1 || !KEY.test(key)) {
    throw new InvalidRequest(name, 'send one key of 16 to 128 of [A-Za-z0-9._~:-]', 'IDEMPOTENCY_KEY_INVALID');
  }
  return key;
}
