/*
 * `idempotency-key` for a grpc-js server of one's own: an interceptor around unary handlers.
 *
 * K1  The handler's effect, the key's claim and the stored answer are one transaction. Nothing leaves before it commits: the
 *     handler's metadata, message and status are buffered until then.
 * K2  Replays are the stored bytes, of the message or of the status and its details.
 * G13 A caller that hangs up, or whose deadline has passed, ends nothing: the handler goes on, and its answer is stored.
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
import { inSchema, type Pool } from '@holdfast/postgres';
import type { AnswerCache } from '../core/answer-cache.ts';
import { TOMBSTONE_MS } from '../core/retention-clock.ts';
import { createKeyedRunner } from '../postgres/keyed-runner.ts';
import type { IdempotentCall } from './idempotent-call.ts';
import { interceptKeyed, type KeyedServerParts } from './intercept-keyed.ts';
import { storableCodes } from './stored-refusal.ts';

export interface KeyedServerOptions {
  /** Of the database that holds both the claims and the handlers' own tables. */
  pool: Pool;
  /** Where the tables of keys are. Default `holdfast`. */
  schema?: string | undefined;
  /** Whose key it is, from the credentials. @throws a grpc-js error (with a `code`) for a caller without any */
  tenantOf: (metadata: Metadata) => string;
  /** Shared by all processes, such as Redis. None: the same answers. */
  cache?: AnswerCache | undefined;
  /** Codes of business refusals, stored and replayed. Default FAILED_PRECONDITION only. */
  storedCodes?: readonly status[];
  /** How long a handler may run before it is rolled back. Default 10 s. */
  handlerTimeoutMs?: number;
  /** A key whose date is older than this and that is not known was forgotten, not new (H16). Default 30 days. */
  tombstoneMs?: number;
  /** In the ErrorInfo of errors of its own. Default `holdfast`. */
  domain?: string;
  /** Called with a handler's error that is not for the caller, who gets INTERNAL. */
  onError?: (error: unknown, path: string) => void;
  /** Milliseconds since 1970. */
  now?: () => number;
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

const HANDLER_TIMEOUT_MS = 10_000;

export function createKeyedServer(options: KeyedServerOptions): KeyedServer {
  const inHand = new WeakMap<Metadata, IdempotentCall & { fail: (error: unknown) => void }>();
  const keyedPaths = new Map<string, string>();
  const { cache, handlerTimeoutMs = HANDLER_TIMEOUT_MS } = options;
  const pool = inSchema(options.pool, options.schema);
  const parts: KeyedServerParts = {
    pool,
    inHand,
    runner: createKeyedRunner({ pool, cache, effectTimeoutMs: handlerTimeoutMs }),
    tenantOf: options.tenantOf,
    storedCodes: storableCodes(options.storedCodes ?? [status.FAILED_PRECONDITION]),
    domain: options.domain ?? 'holdfast',
    onError: options.onError ?? (() => {}),
    tombstoneMs: options.tombstoneMs ?? TOMBSTONE_MS,
    now: options.now ?? Date.now,
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
