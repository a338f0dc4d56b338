import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { KEY_PATTERN, reasons } from '@holdfast/contracts';
import { type ErrorReason, errorOf, type RpcError } from './status.ts';

/** Thrown by request checks, translated once, at the server's border. `field` is the path in the message. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest';
  readonly rpcError: RpcError;
  constructor(field: string, message: string, reason: ErrorReason = 'INVALID_REQUEST') {
    super(`${field}: ${message}`);
    this.rpcError = errorOf(reason, this.message, { field });
  }
}

const TENANT = /^[A-Za-z0-9_-]{1,64}$/;
const EPOCH = /^\d{1,15}$/;
const MAX_REMAINING_MS = 60_000;

/** One incoming call: who, under which key and epoch, and how long the caller will wait. */
export interface ServerCall {
  /** @throws InvalidRequest IDEMPOTENCY_KEY_MISSING (G1) or IDEMPOTENCY_KEY_INVALID (G2) */
  key(): string;
  /** As `key`; undefined when none was sent. @throws InvalidRequest IDEMPOTENCY_KEY_INVALID */
  keyIfSent(): string | undefined;
  /** The caller's epoch; 0 when it sent none. @throws InvalidRequest */
  epoch(): number;
  /** @throws InvalidRequest */
  tenantId(): string;
  authorization(): string | undefined;
  traceparent(): string | undefined;
  /** Any other header, by its name in lower case; undefined when none was sent. @throws InvalidRequest when it was sent twice */
  header(name: string): string | undefined;
  /** Milliseconds until the caller stops waiting; at most a minute. */
  remainingMs(): number;
  /** Aborted when the caller hangs up. Work that has begun goes on all the same (G13). */
  signal: AbortSignal;
}

/** A call of its own: its fields are its metadata. */
class MetadataCall implements ServerCall {
  readonly #call: IncomingCall;
  readonly signal: AbortSignal;

  constructor(call: IncomingCall) {
    const cancelled = new AbortController();
    call.on('cancelled', () => cancelled.abort());
    this.#call = call;
    this.signal = cancelled.signal;
  }

  key(): string {
    return checkKey(this.keyIfSent());
  }

  keyIfSent(): string | undefined {
    const keys = this.#values('idempotency-key');
    if (keys.length > 1) throw keyFault('IDEMPOTENCY_KEY_INVALID');
    return keys[0] === undefined ? undefined : checkKey(keys[0]);
  }

  epoch(): number {
    return checkEpoch(this.#single('saga-epoch') ?? '0');
  }

  tenantId(): string {
    return checkTenantId(this.#single('tenant-id'));
  }

  authorization(): string | undefined {
    return this.#single('authorization');
  }

  traceparent(): string | undefined {
    return this.#single('traceparent');
  }

  header(name: string): string | undefined {
    return this.#single(name);
  }

  remainingMs(): number {
    const deadline = this.#call.getDeadline();
    const atMs = deadline instanceof Date ? deadline.getTime() : deadline;
    return boundedRemainingMs(atMs - Date.now());
  }

  #single(name: string): string | undefined {
    const values = this.#values(name);
    if (values.length > 1) throw new InvalidRequest(name, 'send it once');
    return values[0];
  }

  #values(name: string): string[] {
    return this.#call.metadata.get(name).map(String);
  }
}

type IncomingCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

export function serverCall(call: IncomingCall): ServerCall {
  return new MetadataCall(call);
}

/** @throws InvalidRequest */
export function checkKey(key: string | undefined): string {
  if (key === undefined) {
    throw keyFault('IDEMPOTENCY_KEY_MISSING');
  }
  if (!KEY_PATTERN.test(key)) throw keyFault('IDEMPOTENCY_KEY_INVALID');
  return key;
}

function keyFault(reason: 'IDEMPOTENCY_KEY_MISSING' | 'IDEMPOTENCY_KEY_INVALID'): InvalidRequest {
  return new InvalidRequest('idempotency-key', reasons[reason].detail, reason);
}

/** @throws InvalidRequest */
export function checkEpoch(raw: string): number {
  if (!EPOCH.test(raw)) throw new InvalidRequest('saga-epoch', 'send a whole number, the saga’s current epoch');
  return Number(raw);
}

/** @throws InvalidRequest */
export function checkTenantId(raw: string | undefined): string {
  if (raw === undefined || !TENANT.test(raw)) {
    throw new InvalidRequest('tenant-id', 'send the tenant’s id, 1 to 64 of [A-Za-z0-9_-]');
  }
  return raw;
}

export function boundedRemainingMs(ms: number): number {
  return Math.min(Math.max(ms, 0), MAX_REMAINING_MS);
}
