/* One keyed call, from its half-close to its status; see keyed-server.ts for what it promises. */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { Settlement } from '../core/outcome.ts';
import type { KeyedOutcome } from '../postgres/keyed-runner.ts';
import type { IdempotentCall } from '../rpc/idempotent-call.ts';
import { keyErrorReason, NEVER_AGAIN, outcomeError, PUSHBACK, REPLAYED } from '../rpc/key-errors.ts';
import type { KeyedCalls } from '../rpc/keyed-calls.ts';
import { type AnsweredStatus, type BufferedResponse, bufferedResponse } from './buffered-response.ts';
import { errorStatus } from './error-status.ts';
import { decodeRefusal, encodeRefusal } from './stored-refusal.ts';

export interface KeyedServerParts {
  calls: KeyedCalls;
  inHand: WeakMap<Metadata, IdempotentCall & { fail: (error: unknown) => void }>;
  tenantOf: (metadata: Metadata) => string;
  storedCodes: ReadonlySet<status>;
}

/** Carries a status that is not stored out of the transaction, which is rolled back. */
class NotStored extends Error {
  readonly status: AnsweredStatus;
  constructor(answered: AnsweredStatus) {
    super('answered with a status that is not stored');
    this.status = answered;
  }
}

export function interceptKeyed(parts: KeyedServerParts, keyedPaths: ReadonlyMap<string, string>): ServerInterceptor {
  return (method, call) => {
    if (!keyedPaths.has(method.path)) return new ServerInterceptingCall(call);
    const buffered = bufferedResponse();
    let metadata: Metadata | undefined;
    let message: unknown;
    const handle = async (startHandler: () => void) => {
      if (metadata === undefined) throw new Error('a call was half-closed before its metadata came');
      const caller = metadata;
      const request = {
        path: method.path,
        keys: caller.get('idempotency-key').map(String),
        tenantOf: () => parts.tenantOf(caller),
        members: () => plain(message),
        remainingMs: Number(call.getDeadline()) - parts.calls.now(),
      };
      const encode = (response: unknown) => Buffer.from(method.responseSerialize(response));
      return await parts.calls.run(request, async (inHand) => {
        const failed = Promise.withResolvers<never>();
        parts.inHand.set(caller, { ...inHand, fail: failed.reject });
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
  if (outcome.kind !== 'completed') call.sendStatus(statusOfOutcome(outcome, parts.calls.domain));
  else if (outcome.replayed) buffered.replay(call, outcome.answer);
  else buffered.release(outcome.answer);
}

/** The one place where an outcome without a message becomes a status. */
function statusOfOutcome(outcome: Exclude<KeyedOutcome, { kind: 'completed' }>, domain: string): AnsweredStatus {
  if (outcome.kind === 'refused') {
    const refusal = decodeRefusal(outcome.answer);
    refusal.metadata.set(PUSHBACK, NEVER_AGAIN);
    refusal.metadata.set(REPLAYED, String(outcome.replayed));
    return refusal;
  }
  const { reason, info } = outcomeError(outcome);
  return errorStatus(reason, domain, info);
}

/** The one place where what was thrown becomes a status. */
function statusOf(error: unknown, { calls }: KeyedServerParts, path: string): AnsweredStatus {
  if (error instanceof NotStored) return error.status;
  if (isStatus(error)) return error;
  const reason = keyErrorReason(error);
  if (reason === undefined) calls.onError(error, path);
  return errorStatus(reason ?? 'INTERNAL', calls.domain);
}

function isStatus(error: unknown): error is AnsweredStatus & Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
