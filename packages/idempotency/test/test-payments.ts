import {
  Client,
  credentials,
  type Interceptor,
  Metadata,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  type StatusObject,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

// A service of somebody else's, for the tests of the interceptors.

export interface Charge {
  id: string;
  amount: number;
  note: string;
}

const definition = fromJSON(
  {
    nested: {
      shop: {
        nested: {
          Charge: {
            fields: {
              id: { type: 'string', id: 1 },
              amount: { type: 'int32', id: 2 },
              note: { type: 'string', id: 3 },
            },
          },
          Payments: {
            methods: {
              Charge: { requestType: 'Charge', responseType: 'Charge', comment: '' },
              Refund: { requestType: 'Charge', responseType: 'Charge', comment: '' },
              Look: { requestType: 'Charge', responseType: 'Charge', comment: '' },
              Watch: { requestType: 'Charge', responseType: 'Charge', responseStream: true, comment: '' },
            },
          },
        },
      },
    },
  },
  { defaults: true, longs: String },
);

export const payments = definition['shop.Payments'] as unknown as ServiceDefinition<UntypedServiceImplementation>;

export interface RunningServer {
  address: string;
  stop(): void;
}

export async function serve(
  service: ServiceDefinition<UntypedServiceImplementation>,
  handlers: UntypedServiceImplementation,
  interceptors: ServerInterceptor[] = [],
): Promise<RunningServer> {
  const server = new Server({ interceptors });
  server.addService(service, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

export interface Answered {
  code: number;
  details: string;
  /** Exactly as it came over the wire; undefined when none came. */
  bytes: Buffer | undefined;
  trailers: Metadata;
}

export interface Caller {
  call(method: string, message: Partial<Charge>, options?: CallerOptions): Promise<Answered>;
  close(): void;
}

export interface CallerOptions {
  key?: string | string[] | undefined;
  tenant?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  metadata?: Metadata;
}

export function caller(address: string, interceptors: Interceptor[] = []): Caller {
  const client = new Client(address, credentials.createInsecure(), { interceptors, 'grpc.enable_retries': 0 });
  return {
    close: () => client.close(),
    call(method, message, { key, tenant = 'ada', timeoutMs = 8_000, signal, metadata = new Metadata() } = {}) {
      const { path, requestSerialize } = payments[method] ?? { path: '', requestSerialize: () => Buffer.alloc(0) };
      for (const value of [key ?? []].flat()) metadata.add('idempotency-key', value);
      metadata.set('tenant', tenant);
      return new Promise((resolve) => {
        let bytes: Buffer | undefined;
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          (received: Buffer) => Buffer.from(received),
          message,
          metadata,
          { deadline: Date.now() + timeoutMs },
          (_error, received) => {
            bytes = received;
          },
        );
        call.on('status', (ended: StatusObject) =>
          // The callback and this event come in either order.
          setImmediate(() => resolve({ code: ended.code, details: ended.details, bytes, trailers: ended.metadata })),
        );
        signal?.addEventListener('abort', () => call.cancel(), { once: true });
      });
    },
  };
}

export function read(bytes: Buffer | undefined): Charge | undefined {
  const decode = payments.Charge?.responseDeserialize;
  return bytes && decode ? (decode(bytes) as Charge) : undefined;
}
