/* One keyed call, from its half-close to its status; see keyed-server.ts for what it promises. */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { Pool } from '@holdfast/postgres';
import type { Fingerprinter } from '../core/fingerprint.ts';
import { parseKey } from '../core/new-key.ts';
import type { Settlement } from '../core/outcome.ts';
import { KEY_FAULT_REASONS, OUTCOME_REASONS } from '../core/outcome-reasons.ts';
import { isKeyExpired } from '../core/retention-clock.ts';
import { ask } from '../postgres/claims/read-claims.ts';
import { loadFingerprinter } from '../postgres/fingerprint-secret.ts';
import type { KeyedOutcome, KeyedRunner } from '../postgres/keyed-runner.ts';
import { storeFaultReason } from '../postgres/store-fault.ts';
import { type AnsweredStatus, type BufferedResponse, bufferedResponse } from './buffered-response.ts';
import { errorStatus, type KeyErrorReason } from './error-status.ts';
import type { IdempotentCall } from './idempotent-call.ts';
import { decodeRefusal, encodeRefusal } from './stored-refusal.ts';

export interface KeyedServerParts {
  pool: Pool;
  runner: KeyedRunner;
  inHand: WeakMap<Metadata, IdempotentCall & { fail: (error: unknown) => void }>;
  tenantOf: (metadata: Metadata) => string;
  storedCodes: ReadonlySet<status>;
  domain: string;
  onError: (error: unknown, path: string) => void;
  tombstoneMs: number;
  now: () => number;
}

const MAX_WAIT_MS = 2_000;
const LOWEST_WAIT_MS = 20;
const REPLAYED = 'idempotent-replayed';

/** Carries a status that is not stored out of the transaction, which is rolled back. */
class NotStored extends Error {
  readonly status: AnsweredStatus;
  constructor(answered: AnsweredStatus) {
    super('answered with a status that is not stored');
    this.status = answered;
  }
}

/** An error of the key itself, on its way to the caller. */
class KeyError extends Error {
  readonly reason: KeyErrorReason;
  constructor(reason: KeyErrorReason) {
    super(reason);
    this.reason = reason;
  }
}

export function interceptKeyed(parts: KeyedServerParts, keyedPaths: ReadonlyMap<string, string>): ServerInterceptor {
  let fingerprinter: Fingerprinter | undefined;
  const loaded = async () => {
    fingerprinter ??= await loadFingerprinter(parts.pool);
    return fingerprinter;
  };
  return (method, call) => {
    if (!keyedPaths.has(method.path)) return new ServerInterceptingCall(call);
    const buffered = bufferedResponse();
    let metadata: Metadata | undefined;
    let message: unknown;
    const handle = async (startHandler: () => void) => {
      if (metadata === undefined) throw new Error('a call was half-closed before its metadata came');
      const request = { path: method.path, metadata, message, waitMs: waitMs(call, parts.now()) };
      const encode = (response: unknown) => Buffer.from(method.responseSerialize(response));
      return await runCall(parts, await loaded(), request, async (inHand) => {
        const failed = Promise.withResolvers<never>();
        parts.inHand.set(request.metadata, { ...inHand, fail: failed.reject });
        startHandler();
        const response = await Promise.race([buffered.response, failed.promise]);
        return settlementOf(response, encode, parts.storedCodes);
      });
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (received, pass) => {
            metadata = received;
            pass(received);
          },
          onReceiveMessage: (received, pass) => {
            message = received;
            pass(received);
          },
          onReceiveHalfClose: (startHandler) => {
            handle(startHandler).then(
              (outcome) => answer(call, buffered, parts, outcome),
              (error: unknown) => call.sendStatus(statusOf(error, parts, method.path)),
            );
          },
        }),
      ...buffered.responder,
    });
  };
}

interface KeyedServerRequest {
  path: string;
  metadata: Metadata;
  message: unknown;
  waitMs: number;
}

async function runCall(
  parts: KeyedServerParts,
  fingerprinter: Fingerprinter,
  { path, metadata, message, waitMs }: KeyedServerRequest,
  effect: (inHand: IdempotentCall) => Promise<Settlement>,
): Promise<KeyedOutcome> {
  const parsed = parseKey(metadata.get('idempotency-key').map(String));
  if (parsed.kind !== 'key') throw new KeyError(KEY_FAULT_REASONS[parsed.kind]);
  const { key } = parsed;
  const tenantId = parts.tenantOf(metadata);
  if (isKeyExpired(key, parts.tombstoneMs, parts.now())) {
    const known = await ask(parts.pool, tenantId, key);
    if (known.kind === 'not_found') throw new KeyError(KEY_FAULT_REASONS.key_expired);
  }
  const fingerprint = fingerprinter.of(path, plain(message), { nameMembers: true });
  const childKey = (name: string) => fingerprinter.derivedId('child', tenantId, key, name);
  return await parts.runner.run({ tenantId, key, operation: path, fingerprint, waitMs }, (tx) =>
    effect({ tx, key, tenantId, childKey }),
  );
}

/** The message as a plain object: generated classes know how, others are plain already. */
function plain(message: unknown): object {
  const { toObject } = message as { toObject?: () => object };
  return typeof toObject === 'function' ? toObject.call(message) : (message as object);
}

function settlementOf(
  response: Awaited<BufferedResponse['response']>,
  encode: (message: unknown) => Buffer,
  storedCodes: ReadonlySet<status>,
): Settlement {
  if (response.kind === 'message') return { kind: 'completed', answer: encode(response.message) };
  const code = response.status.code ?? status.UNKNOWN;
  if (storedCodes.has(code)) return { kind: 'refused', answer: encodeRefusal(response.status) };
  throw new NotStored(response.status);
}

function answer(
  call: ServerInterceptingCallInterface,
  buffered: BufferedResponse,
  parts: KeyedServerParts,
  outcome: KeyedOutcome,
): void {
  if (outcome.kind !== 'completed') call.sendStatus(statusOfOutcome(outcome, parts.domain));
  else if (outcome.replayed) buffered.replay(call, outcome.answer);
  else buffered.release(outcome.answer);
}

/** The one place where an outcome without a message becomes a status. */
function statusOfOutcome(outcome: Exclude<KeyedOutcome, { kind: 'completed' }>, domain: string): AnsweredStatus {
  if (outcome.kind === 'refused') {
    const refusal = decodeRefusal(outcome.answer);
    refusal.metadata.set('grpc-retry-pushback-ms', '-1');
    refusal.metadata.set(REPLAYED, String(outcome.replayed));
    return refusal;
  }
  const info = outcome.kind === 'reused' ? { differing: outcome.differing.join(',') } : {};
  return errorStatus(OUTCOME_REASONS[outcome.kind], domain, info);
}

/** The one place where what was thrown becomes a status. */
function statusOf(error: unknown, parts: KeyedServerParts, path: string): AnsweredStatus {
  if (error instanceof NotStored) return error.status;
  if (error instanceof KeyError) return errorStatus(error.reason, parts.domain);
  if (isStatus(error)) return error;
  const reason = storeFaultReason(error);
  if (reason === undefined) parts.onError(error, path);
  return errorStatus(reason ?? 'INTERNAL', parts.domain);
}

function isStatus(error: unknown): error is AnsweredStatus & Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** G5: half of what the caller has left, at most 2 s. */
function waitMs(call: ServerInterceptingCallInterface, nowMs: number): number {
  const deadline = call.getDeadline();
  const atMs = Number(deadline);
  return Math.max(Math.min((atMs - nowMs) / 2, MAX_WAIT_MS), LOWEST_WAIT_MS);
}
