import { Client as GrpcClient, Metadata, status } from '@grpc/grpc-js';
import { channelIdentity, decodeStatus, operatorTls, services } from '@holdfast/rpc';
import type { Target } from './target.ts';

export type Participant = 'inventory' | 'payment' | 'shipping';

export interface CallOptions {
  key?: string | string[];
  epoch?: number;
  /** Which of the service's addresses. */
  replica?: number;
  timeoutMs?: number;
  /** Hang up after so long. */
  cancelAfterMs?: number;
  signal?: AbortSignal;
}

/** What a caller in any language sees. */
export interface Called {
  code: keyof typeof status;
  reason: string;
  /** The message as it came, or `grpc-status-details-bin` where it failed: what must be the same byte for byte. */
  bytes: string;
  // biome-ignore lint/suspicious/noExplicitAny: rules look into messages of many shapes, and a wrong look breaks the rule
  message: any;
  pushback: string | undefined;
  replayed: boolean;
}

const TIMEOUT_MS = 15_000;

interface Method {
  path: string;
  requestSerialize: (request: object) => Buffer;
  responseDeserialize: (bytes: Buffer) => unknown;
}

/** Calls the participants as they are called from outside: one unary call, no retries, raw bytes kept. */
export class Calls {
  readonly #target: Target;
  readonly #channels = new Map<string, GrpcClient>();

  constructor(target: Target) {
    this.#target = target;
  }

  async call(service: Participant, method: string, request: object, options: CallOptions = {}): Promise<Called> {
    const definition = (services[service] as unknown as Record<string, Method>)[method];
    if (definition === undefined) throw new Error(`${service} has no method ${method}`);
    const channel = this.#channel(service, options.replica ?? 0);
    const deadline = Date.now() + (options.timeoutMs ?? TIMEOUT_MS);
    return await new Promise((resolve) => {
      let result: { bytes: Buffer } | undefined;
      const unary = channel.makeUnaryRequest(
        definition.path,
        (value: object) => definition.requestSerialize(value),
        (bytes: Buffer) => bytes,
        request,
        this.#metadata(options),
        { deadline },
        (_error, bytes) => {
          if (bytes !== undefined) result = { bytes };
        },
      );
      // Told last of all, with the trailers.
      unary.on('status', (ended) => {
        setImmediate(() => resolve(seen(ended, result?.bytes, definition)));
      });
      const hangUp = () => unary.cancel();
      if (options.cancelAfterMs !== undefined) setTimeout(hangUp, options.cancelAfterMs);
      options.signal?.addEventListener('abort', hangUp, { once: true });
    });
  }

  /** A step's call under the key and epoch of its order. */
  step(service: Participant, method: string, orderId: string, request: object, options: CallOptions = {}) {
    return this.call(service, method, { orderId, ...request }, { epoch: 1, ...options });
  }

  async ask(service: Participant, key: string): Promise<Called['message']> {
    return (await this.call(service, 'GetStep', { key })).message;
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
  }

  #channel(service: Participant, replica: number): GrpcClient {
    const addresses = this.#target.options.grpc[service];
    const address = addresses[replica % addresses.length] ?? '';
    const known = this.#channels.get(address);
    if (known !== undefined) return known;
    const { credentials, options } = channelIdentity(operatorTls(this.#target.options.tls, service));
    const made = new GrpcClient(address, credentials, {
      ...options,
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
    });
    this.#channels.set(address, made);
    return made;
  }

  #metadata({ key, epoch }: CallOptions): Metadata {
    const metadata = new Metadata();
    for (const each of [key ?? []].flat()) {
      metadata.add('idempotency-key', each);
      this.#target.keys.add(each);
    }
    if (epoch !== undefined) metadata.set('saga-epoch', String(epoch));
    metadata.set('tenant-id', this.#target.options.tenantId);
    return metadata;
  }
}

function seen(ended: { code: number; metadata: Metadata }, bytes: Buffer | undefined, method: Method): Called {
  const details = ended.metadata.get('grpc-status-details-bin')[0];
  const detail = details instanceof Buffer ? decodeStatus(details) : undefined;
  const kept = bytes ?? (details instanceof Buffer ? details : Buffer.alloc(0));
  return {
    code: status[ended.code] as keyof typeof status,
    reason: detail?.reason ?? '',
    bytes: kept.toString('base64'),
    message: bytes && method.responseDeserialize(bytes),
    pushback: ended.metadata.get('grpc-retry-pushback-ms')[0]?.toString(),
    replayed: ended.metadata.get('idempotent-replayed')[0] === 'true',
  };
}
