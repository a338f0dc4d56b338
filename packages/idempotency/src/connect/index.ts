/*
 * `idempotency-key` for servers of Connect-ES (Connect, gRPC and gRPC-Web): `const idempotent = idempotency({ pool, tenantOf })`,
 * then `router.service(Payments, { charge: idempotent(Payments.method.charge, handler) })`.
 *
 * It wraps the handler and is no interceptor: one that answers a duplicate itself, without the handler, would have to make the
 * headers of each protocol.
 */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import type { Transaction } from '@holdfast/postgres';
import type { KeyedOutcome } from '../postgres/keyed-runner.ts';
import { ERROR_INFO, encodeErrorInfo } from '../rpc/error-info.ts';
import type { IdempotentCall } from '../rpc/idempotent-call.ts';
import {
  type KeyErrorReason,
  keyErrorReason,
  keyErrors,
  messageOf,
  NEVER_AGAIN,
  outcomeError,
  PUSHBACK,
  REPLAYED,
  storableCodes,
} from '../rpc/key-errors.ts';
import { KeyedCalls, type KeyedCallsOptions } from '../rpc/keyed-calls.ts';
import { membersOf } from './members.ts';
import { decodeRefusal, encodeRefusal } from './stored-refusal.ts';

export type { IdempotentCall } from '../rpc/idempotent-call.ts';

export interface IdempotencyOptions extends KeyedCallsOptions {
  /** Whose key it is, from the credentials. @throws ConnectError for a caller without any */
  tenantOf: (context: HandlerContext) => string;
  /** Codes of business refusals, stored and replayed. Default FailedPrecondition only. */
  storedCodes?: readonly Code[];
}

/** Runs at most once per key, in the open transaction `tx`: write through it and nothing else, and call no network meanwhile. */
export type IdempotentHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  tx: Transaction,
  inHand: IdempotentCall,
  context: HandlerContext,
) => Promise<MessageInitShape<O>>;

/** Carries an error that is not stored out of the transaction, which is rolled back. */
class NotStored extends Error {
  readonly error: ConnectError;
  constructor(error: ConnectError) {
    super('answered with an error that is not stored');
    this.error = error;
  }
}

/** @returns what makes a method's implementation of a keyed handler */
export function idempotency({ tenantOf, storedCodes = [Code.FailedPrecondition], ...options }: IdempotencyOptions) {
  const calls = new KeyedCalls(options);
  const stored = storableCodes(storedCodes);
  return <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    handler: IdempotentHandler<I, O>,
  ): ((request: MessageShape<I>, context: HandlerContext) => Promise<MessageShape<O>>) => {
    const path = `/${method.parent.typeName}/${method.name}`;
    return async (request, context) => {
      const asked = {
        path,
        keys: context.requestHeader.get('idempotency-key') ?? undefined,
        tenantOf: () => tenantOf(context),
        members: () => membersOf(request),
        remainingMs: context.timeoutMs() ?? Number.POSITIVE_INFINITY,
      };
      try {
        const outcome = await calls.run(asked, async (inHand) => {
          try {
            const made = create(method.output, await handler(request, inHand.tx, inHand, context));
            return { kind: 'completed', answer: Buffer.from(toBinary(method.output, made)) };
          } catch (error) {
            if (!(error instanceof ConnectError)) throw error;
            if (!stored.has(error.code)) throw new NotStored(error);
            return { kind: 'refused', answer: encodeRefusal(error) };
          }
        });
        if (outcome.kind !== 'completed') throw errorOfOutcome(outcome, calls.domain);
        context.responseTrailer.set(REPLAYED, String(outcome.replayed));
        // The first answer is read back too: whatever a codec makes of the message, it makes of both.
        return fromBinary(method.output, outcome.answer);
      } catch (error) {
        throw errorOf(error, calls, path);
      }
    };
  };
}

/** The one place where an outcome without a message becomes an error. */
function errorOfOutcome(outcome: Exclude<KeyedOutcome, { kind: 'completed' }>, domain: string): ConnectError {
  if (outcome.kind === 'refused') {
    const refusal = decodeRefusal(outcome.answer);
    refusal.metadata.set(PUSHBACK, NEVER_AGAIN);
    refusal.metadata.set(REPLAYED, String(outcome.replayed));
    return refusal;
  }
  const { reason, info } = outcomeError(outcome);
  return keyError(reason, domain, info);
}

/** The one place where what was thrown becomes an error for the caller. */
function errorOf(error: unknown, calls: KeyedCalls, path: string): ConnectError {
  if (error instanceof NotStored) return error.error;
  if (error instanceof ConnectError) return error;
  const reason = keyErrorReason(error);
  if (reason === undefined) calls.onError(error, path);
  return keyError(reason ?? 'INTERNAL', calls.domain);
}

function keyError(reason: KeyErrorReason, domain: string, info: Record<string, string> = {}): ConnectError {
  const { code, pushbackMs } = keyErrors[reason];
  const error = new ConnectError(messageOf(reason), code, { [PUSHBACK]: String(pushbackMs) });
  error.details.push({ type: ERROR_INFO, value: encodeErrorInfo({ reason, domain, info }) });
  return error;
}
