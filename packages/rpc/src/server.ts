import { once } from 'node:events';
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import type { RunStepsRequest, RunStepsResponseInput } from '@holdfast/contracts';
import type { Log } from '@holdfast/service';
import { HealthImplementation } from 'grpc-health-check';
import { packageDefinition, stepService } from './protos.ts';
import { InvalidRequest, type ServerCall, serverCall } from './server-call.ts';
import { type Answer, errorOf, type RpcError, toServiceError } from './status.ts';
import { type ServerIdentity, type ServerTls, serverIdentity } from './tls/server-tls.ts';

export type Unary<Request, Response> = (request: Request, call: ServerCall) => Promise<Answer<Response>>;
type Streaming<Request, Response> = (request: Request, call: ServerCall) => AsyncIterable<Answer<Response>>;

/** One function per method: it returns an answer, or (where the method streams) answers one after the other. */
export type Handlers<D> = {
  // The generated definition extends an index signature; only its named methods count.
  [M in keyof D as string extends M ? never : M]: D[M] extends MethodDefinition<
    infer _I,
    infer Response,
    infer Request,
    infer _O
  >
    ? Unary<Request, Response> | Streaming<Request, Response>
    : never;
};

export interface ServiceBinding {
  definition: ServiceDefinition;
  handlers: Record<string, Unary<never, unknown> | Streaming<never, unknown>>;
}

/** Binds a loaded service to its handlers, each checked against the generated types. */
export function service<D extends object>(definition: D, handlers: Handlers<D>): ServiceBinding {
  return {
    definition: definition as unknown as ServiceDefinition,
    handlers: handlers as unknown as ServiceBinding['handlers'],
  };
}

export interface RunningServer {
  port: number;
  /** What health checking answers for every service from now on. */
  setServing(serving: boolean): void;
  /** Stops accepting, waits for running calls up to `graceMs`, then closes. */
  stop(graceMs: number): Promise<void>;
}

export interface ServerOptions {
  host: string;
  port: number;
  services: ServiceBinding[];
  log: Log;
  /** Who may call, and who we are; undefined: in clear text. */
  tls?: ServerTls | undefined;
  /** Tells callers its services and messages (server reflection). Default false. */
  reflection?: boolean;
  /** Offers the unary methods in batches too (StepService): `stepStreams` of @holdfast/participant. */
  steps?: ((options: ServerOptions) => StepStreams) | undefined;
  /** Translates what a handler throws; undefined for what it does not know, which becomes INTERNAL. */
  translate: (error: unknown) => RpcError | undefined;
}

/** The server's side of StepService. */
export interface StepStreams {
  handle: handleBidiStreamingCall<RunStepsRequest, RunStepsResponseInput>;
  /** Reads no more; each stream ends when what it has read is answered. */
  drain(): void;
}

const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': 256 * 1024,
  'grpc.max_concurrent_streams': 1_000,
  // Clients look a name up when they connect, not while they are connected: without an end to connections, replicas that
  // are added would get no calls until others go away. Calls under way, such as an order that is watched, end on the old connection.
  'grpc.max_connection_age_ms': 30_000,
  'grpc.max_connection_age_grace_ms': 120_000,
};

/** Starts a gRPC server with standard health checking, and reflection where it is asked for, beside the given services. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const identity = serverIdentity(options.tls, options.log);
  const server = new Server({ ...SERVER_OPTIONS, interceptors: identity.interceptors });
  const health = new HealthImplementation({ '': 'SERVING' });
  const names = options.services.map((binding) => serviceName(binding.definition));
  for (const binding of options.services) addService(server, binding, options);
  const steps = options.steps?.(options);
  if (steps !== undefined) {
    server.addService(stepService, { RunSteps: steps.handle });
    names.push('holdfast.step.v1.StepService');
  }
  for (const name of names) health.setStatus(name, 'SERVING');
  health.addToServer(server);
  if (options.reflection === true) new ReflectionService(packageDefinition, { services: names }).addToServer(server);
  const port = await bind(server, `${options.host}:${options.port}`, identity);
  return {
    port,
    setServing(serving) {
      for (const name of ['', ...names]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
    stop(graceMs) {
      // Streams of steps have no end of their own: without this a stop would always take all of its grace.
      steps?.drain();
      return stop(server, graceMs);
    },
  };
}

function serviceName(definition: ServiceDefinition): string {
  const first = Object.values(definition)[0];
  return first?.path.split('/')[1] ?? '';
}

function bind(server: Server, address: string, { credentials, watch }: ServerIdentity): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) return reject(new Error(`cannot listen on ${address}: ${error.message}; choose another GRPC_PORT`));
      watch(server);
      resolve(port);
    });
  });
}

function stop(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function addService(server: Server, binding: ServiceBinding, options: ServerOptions): void {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(binding.definition)) {
    const handler = binding.handlers[name];
    if (handler === undefined) throw new Error(`no handler for ${method.path}`);
    const encode = method.responseSerialize;
    // A stored answer leaves as the bytes that were stored, not decoded and encoded again (K2, G3).
    definition[name] = { ...method, responseSerialize: (value) => (Buffer.isBuffer(value) ? value : encode(value)) };
    implementation[name] = method.responseStream
      ? streamingImplementation(handler as Streaming<unknown, unknown>, method.path, options)
      : unaryImplementation(handler as Unary<unknown, unknown>, method.path, options);
  }
  server.addService(definition, implementation);
}

function unaryImplementation(
  handler: Unary<unknown, unknown>,
  path: string,
  options: ServerOptions,
): handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    answerOf(() => handler(call.request, serverCall(call)), path, options).then((answer) => {
      if (answer.kind === 'error') return callback(toServiceError(answer));
      const trailers = new Metadata();
      if ('bytes' in answer) trailers.set('idempotent-replayed', String(answer.replayed));
      return callback(null, 'bytes' in answer ? answer.bytes : answer.message, trailers);
    });
  };
}

function streamingImplementation(
  handler: Streaming<unknown, unknown>,
  path: string,
  options: ServerOptions,
): handleServerStreamingCall<unknown, unknown> {
  return async (call) => {
    const fail = (answer: Answer<unknown>) => {
      if (answer.kind === 'error') call.emit('error', toServiceError(answer));
    };
    try {
      const incoming = serverCall(call);
      for await (const answer of handler(call.request, incoming)) {
        if (answer.kind === 'error') return fail(answer);
        const hasRoom = call.write('bytes' in answer ? answer.bytes : answer.message);
        // A slow reader slows its handler down, instead of filling this process's memory.
        if (!hasRoom) await roomIn(call, incoming.signal);
      }
      call.end();
    } catch (error) {
      fail(translated(error, path, options));
    }
  };
}

/** Resolves when the reader has caught up, or has gone. */
async function roomIn(call: ServerWritableStream<unknown, unknown>, gone: AbortSignal): Promise<void> {
  try {
    await once(call, 'drain', { signal: gone });
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}

/** What a handler gives, or what became of what it threw. */
async function answerOf(
  run: () => Promise<Answer<unknown>>,
  path: string,
  options: ServerOptions,
): Promise<Answer<unknown>> {
  try {
    return await run();
  } catch (error) {
    return translated(error, path, options);
  }
}

/** The one place where what was thrown becomes a status. */
export function translated(error: unknown, path: string, options: ServerOptions): RpcError {
  if (error instanceof InvalidRequest) return error.rpcError;
  const known = options.translate(error);
  if (known !== undefined) return known;
  options.log.error({ err: error, path }, 'call failed');
  return errorOf('INTERNAL');
}
