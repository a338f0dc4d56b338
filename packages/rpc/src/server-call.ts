import type { Metadata, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
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

export function serverCall(
  call: ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>,
): ServerCall {
  const cancelled = new AbortController();
  call.on('cancelled', () => cancelled.abort());
  const { metadata } = call;
  return {
    key: () => keyIn(metadata),
    epoch() {
      const raw = single(metadata, 'saga-epoch') ?? '0';
      if (!EPOCH.test(raw)) throw new InvalidRequest('saga-epoch', 'send a whole number, the saga’s current epoch');
      return Number(raw);
    },
    tenantId() {
      const raw = single(metadata, 'tenant-id');
      if (raw === undefined || !TENANT.test(raw)) {
        throw new InvalidRequest('tenant-id', 'send the tenant’s id, 1 to 64 of [A-Za-z0-9_-]');
      }
      return raw;
    },
    authorization: () => single(metadata, 'authorization'),
    traceparent: () => single(metadata, 'traceparent'),
    remainingMs() {
      const deadline = call.getDeadline();
      const atMs = deadline instanceof Date ? deadline.getTime() : deadline;
      return Math.min(Math.max(atMs - Date.now(), 0), MAX_REMAINING_MS);
    },
    signal: cancelled.signal,
  };
}

function single(metadata: Metadata, name: string): string | undefined {
  const values = metadata.get(name);
  if (values.length > 1) throw new InvalidRequest(name, 'send it once');
  return values[0]?.toString();
}

function keyIn(metadata: Metadata): string {
  const name = 'idempotency-key';
  const values = metadata.get(name);
  if (values.length === 0) {
    throw new InvalidRequest(name, 'send one with every changing call', 'IDEMPOTENCY_KEY_MISSING');
  }
  const key = values[0]?.toString() ?? '';
  if (values.length > 1 || !KEY.test(key)) {
    throw new InvalidRequest(name, 'send one key of 16 to 128 of [A-Za-z0-9._~:-]', 'IDEMPOTENCY_KEY_INVALID');
  }
  return key;
}
