/*
 * `idempotency-key` for a grpc-js server of one's own: an interceptor around unary handlers.
 *
 * What is promised is at the top of keyed-calls.ts. Here:
 * K1  Nothing leaves before the commit: the handler's metadata, message and status are buffered until then.
 */
import {
  type handleUnaryCall,
  type Metadata,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { IdempotentCall } from '../rpc/idempotent-call.ts';
import { storableCodes } from '../rpc/key-errors.ts';
import { KeyedCalls, type KeyedCallsOptions } from '../rpc/keyed-calls.ts';
import { interceptKeyed, type KeyedServerParts } from './intercept-keyed.ts';

export interface KeyedServerOptions extends KeyedCallsOptions {
  /** Whose key it is, from the credentials. @throws a grpc-js error (with a `code`) for a caller without any */
  tenantOf: (metadata: Metadata) => string;
  /** Codes of business refusals, stored and replayed. Default FAILED_PRECONDITION only. */
  storedCodes?: readonly status[];
}

export interface KeyedServer {
  /** For `new Server({ interceptors: [...] })`, after those that authenticate. */
  interceptor: ServerInterceptor;
  /** The definition to add to the server: its methods of these names need a key; all must be unary. */
  service<D extends ServiceDefinition<UntypedServiceImplementation>>(
    definition: D,
    keyedMethods: readonly (keyof D & string)[],
  ): D;
  /** The transaction a keyed method runs in. @throws Error outside of one */
  inHand(call: ServerUnaryCall<unknown, unknown>): IdempotentCall;
  /**
   * A handler as an async function: what it returns is answered; a thrown error with a gRPC `code` is answered as it is
   * (and stored, if its code is one of `storedCodes`); any other is rolled back and answered as INTERNAL.
   */
  unary<Request, Response>(
    handler: (request: Request, inHand: IdempotentCall, call: ServerUnaryCall<Request, Response>) => Promise<Response>,
  ): handleUnaryCall<Request, Response>;
}

export function createKeyedServer(options: KeyedServerOptions): KeyedServer {
  const inHand = new WeakMap<Metadata, IdempotentCall & { fail: (error: unknown) => void }>();
  const keyedPaths = new Map<string, string>();
  const parts: KeyedServerParts = {
    calls: new KeyedCalls(options),
    inHand,
    tenantOf: options.tenantOf,
    storedCodes: storableCodes(options.storedCodes ?? [status.FAILED_PRECONDITION]),
  };
  const of = (call: { metadata: Metadata }) => {
    const found = inHand.get(call.metadata);
    if (found === undefined) {
      throw new Error('this call has no key: put the interceptor into the server, and name the method in service()');
    }
    return found;
  };
  return {
    interceptor: interceptKeyed(parts, keyedPaths),
    service: (definition, keyedMethods) => keyedDefinition(definition, keyedMethods, keyedPaths),
    inHand: of,
    unary: (handler) => (call, callback) => {
      const context = of(call);
      handler(call.request, context, call).then(
        (response) => callback(null, response),
        (error: unknown) => (isStatusError(error) ? callback(error) : context.fail(error)),
      );
    },
  };
}

function keyedDefinition<D extends ServiceDefinition<UntypedServiceImplementation>>(
  definition: D,
  keyedMethods: readonly string[],
  keyedPaths: Map<string, string>,
): D {
  const methods = Object.entries(definition).map(([name, method]) => {
    if (!keyedMethods.includes(name)) return [name, method];
    if (method.requestStream || method.responseStream)
      throw new Error(`${method.path} streams: only unary methods take a key`);
    keyedPaths.set(method.path, name);
    const encode = method.responseSerialize;
    // A stored answer leaves as the bytes that were stored, not decoded and encoded again (K2).
    return [
      name,
      { ...method, responseSerialize: (value: unknown) => (Buffer.isBuffer(value) ? value : encode(value)) },
    ];
  });
  for (const name of keyedMethods) {
    if (!Object.hasOwn(definition, name)) throw new Error(`the service has no method ${name}`);
  }
  return Object.fromEntries(methods) as D;
}

/** A pg error has a `code` too: five characters. */
function isStatusError(error: unknown): error is Error & { code: status } {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code in status;
}
