import { Client as GrpcClient, Metadata, status, type MethodDefinition as Wire } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { decodeStatus } from './status-details.ts';
import { type ChannelTls, channelIdentity } from './tls/channel-tls.ts';

export interface CallOptions {
  /** How long the caller waits. Passing it means that the outcome is unknown (S4). */
  timeoutMs: number;
  key?: string;
  epoch?: number;
  tenantId?: string;
  authorization?: string;
  traceparent?: string;
  signal?: AbortSignal;
}

/** What came of a call: the answer, or an error whose `reason` is the service's own where it sent one. */
export type CallResult<T> =
  | { kind: 'completed'; message: T; replayed: boolean }
  | {
      kind: 'error';
      code: number;
      /** The service's reason, or the name of the status code when it sent none (it may not have been reached). */
      reason: string;
      message: string;
      metadata: Record<string, string>;
      /** How long the service asks us to wait; -1: don't retry; null: it did not say. */
      pushbackMs: number | null;
      replayed: boolean;
    };

export type Methods<D> = {
  [M in keyof D as string extends M ? never : M]: D[M] extends MethodDefinition<
    infer Request,
    infer _R,
    infer _O,
    infer Response
  >
    ? (request: Request, options: CallOptions) => Promise<CallResult<Response>>
    : never;
};

export type Client<D> = Methods<D> & { close(): void };

const CHANNEL_OPTIONS = {
  // One retry layer only, the saga's: two multiply.
  'grpc.enable_retries': 0,
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  // A participant that is back after a crash is used within a second.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // When a replica goes away its name is looked up again; as often as once a second, for a rolling upgrade replaces all
  // of them within seconds. The default, half a minute, would leave the client with addresses of no server.
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  // A peer that went silent (paused, unplugged) is noticed without waiting for the kernel.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
};

/** For work in the background: it shares no connection, so one that it fails to make holds up no call of another client. */
const OF_ITS_OWN = { 'grpc.use_local_subchannel_pool': 1 };

export interface ClientOptions {
  /** Connections of its own. Default: shared by all clients of this process that call the same address. */
  isAlone?: boolean;
}

/** A channel to one service; nothing is connected before the first call. @param tls undefined: in clear text */
export function connect(address: string, tls?: ChannelTls, { isAlone = false }: ClientOptions = {}): GrpcClient {
  const { credentials, options } = channelIdentity(tls);
  return new GrpcClient(address, credentials, { ...CHANNEL_OPTIONS, ...options, ...(isAlone && OF_ITS_OWN) });
}

/** A typed client of one service. `address` is host:port or dns:///name:port. Unary methods only. */
export function createClient<D extends object>(
  definition: D,
  address: string,
  tls?: ChannelTls,
  options?: ClientOptions,
): Client<D> {
  const channel = connect(address, tls, options);
  const methods = Object.entries(definition).map(([name, method]) => [
    name,
    (request: unknown, options: CallOptions) => callUnary(channel, method as Wire<unknown, unknown>, request, options),
  ]);
  return { ...Object.fromEntries(methods), close: () => channel.close() } as Client<D>;
}

type UnaryMethod = Pick<Wire<unknown, unknown>, 'path' | 'requestSerialize' | 'responseDeserialize'>;

/** One call, one outcome. Never rejects. */
export function callUnary(
  channel: GrpcClient,
  method: UnaryMethod,
  request: unknown,
  options: CallOptions,
): Promise<CallResult<unknown>> {
  return new Promise((resolve) => {
    let trailers = new Metadata();
    const call = channel.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadataOf(options),
      { deadline: Date.now() + options.timeoutMs },
      (error, message) => {
        options.signal?.removeEventListener('abort', cancel);
        // The callback runs before 'status' where there is a message; the marker is in the trailers.
        if (error) resolve(failure(error));
        else setImmediate(() => resolve({ kind: 'completed', message, replayed: isReplay(trailers) }));
      },
    );
    const cancel = () => call.cancel();
    call.on('status', (ended) => {
      trailers = ended.metadata;
    });
    options.signal?.addEventListener('abort', cancel, { once: true });
    if (options.signal?.aborted) cancel();
  });
}

function metadataOf(options: CallOptions): Metadata {
  const metadata = new Metadata();
  const set = (name: string, value: string | undefined) => value !== undefined && metadata.set(name, value);
  set('idempotency-key', options.key);
  set('saga-epoch', options.epoch?.toString());
  set('tenant-id', options.tenantId);
  set('authorization', options.authorization);
  set('traceparent', options.traceparent);
  return metadata;
}

function failure(error: { code: number; details: string; metadata: Metadata }): CallResult<never> {
  const bytes = error.metadata.get('grpc-status-details-bin')[0];
  const pushback = error.metadata.get('grpc-retry-pushback-ms')[0]?.toString();
  return failureOf({
    code: error.code,
    message: error.details,
    details: bytes instanceof Uint8Array ? bytes : Buffer.alloc(0),
    pushbackMs: pushback !== undefined && /^-?\d+$/.test(pushback) ? Number(pushback) : null,
    replayed: isReplay(error.metadata),
  });
}

/** @param error `details`: a google.rpc.Status, empty when the service sent none */
export function failureOf(error: {
  code: number;
  message: string;
  details: Uint8Array;
  pushbackMs: number | null;
  replayed: boolean;
}): CallResult<never> {
  const { code, message, details, pushbackMs, replayed } = error;
  const detail = details.length > 0 ? decodeStatus(details) : undefined;
  const reason = detail?.reason ?? status[code] ?? 'UNKNOWN';
  return { kind: 'error', code, reason, message, metadata: detail?.metadata ?? {}, pushbackMs, replayed };
}

function isReplay(trailers: Metadata): boolean {
  return trailers.get('idempotent-replayed')[0] === 'true';
}
