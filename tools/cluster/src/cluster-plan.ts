/** Which processes make up the system, with which settings. Decides nothing at run time: a plan is data. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type ServiceName = 'orchestrator' | 'inventory' | 'payment' | 'shipping' | 'sandbox';

const PARTICIPANTS = ['inventory', 'payment', 'shipping'] as const;
/** Each has a database of its name. */
export const SERVICES: readonly ServiceName[] = ['orchestrator', ...PARTICIPANTS, 'sandbox'];

/** Settings over those of the plan; `undefined` takes one away. */
export type Overrides = Partial<Record<ServiceName, Record<string, string | undefined>>>;

export interface PlannedService {
  name: ServiceName;
  replica: number;
  main: string;
  env: Record<string, string>;
  /** host:port; null for the sandbox. */
  grpc: string | null;
  http: string;
  /** Where its metrics are. */
  ops: string;
  databaseUrl: string;
}

/** Paths of PEM files. */
export interface TlsFiles {
  ca: string;
  cert: string;
  key: string;
}

export interface ClusterShape {
  orchestrators: number;
  /** Replicas of each participant. */
  participants: number;
  /** Of the first orchestrator. */
  httpPort: number;
  /** As many as `portsNeeded` says. */
  ports: number[];
  apiKey: string;
  databaseUrl: (name: ServiceName) => string;
  /** How the services themselves reach them; as others do when left out. */
  pooledUrl?: ((name: ServiceName) => string) | undefined;
  leaseMs?: number | undefined;
  redisUrl?: string | undefined;
  /** What order events are signed with. */
  eventKey: string;
  env?: Overrides | undefined;
  /** Programs to run instead of the services' own, by service. */
  mains?: Partial<Record<ServiceName, string>> | undefined;
  /** Each service's own certificate, by its name; undefined: they speak in clear text. */
  tls?: Record<string, TlsFiles> | undefined;
  /** Where Node keeps compiled code between starts. */
  compileCache: string;
}

export const TENANT_ID = 'shop';
const HOST = '127.0.0.1';
/** On one machine: what is refunded at the provider is to be seen at once. */
const PROVIDER_LOOK_MS = 1_000;
const SANDBOX_SECRET_KEY = 'sk_test_holdfast';
const SANDBOX_WEBHOOK_SECRET = 'whsec_holdfast';
// The sandbox is next door: what has not answered by then was lost.
const PROVIDER_TIMEOUT_MS = 2_000;
export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

export function mainOf(name: ServiceName): string {
  return join(REPOSITORY, 'apps', name, 'src', 'main.ts');
}

export function portsNeeded({ orchestrators, participants }: Pick<ClusterShape, 'orchestrators' | 'participants'>) {
  return 3 * orchestrators + 2 * PARTICIPANTS.length * participants;
}

/** How many connections all pools together may open: those of the services' sources, and some for whoever looks in. */
export function connectionsNeeded({
  orchestrators,
  participants,
}: Pick<ClusterShape, 'orchestrators' | 'participants'>): number {
  return 24 * orchestrators + 16 * PARTICIPANTS.length * participants + 16 + 50;
}

export function planCluster(shape: ClusterShape): PlannedService[] {
  const ports = shape.ports.values();
  const nextPort = () => {
    const { value } = ports.next();
    if (value === undefined) throw new Error('a plan needs as many ports as portsNeeded() says');
    return value;
  };
  const plan = (
    name: ServiceName,
    replica: number,
    http: number,
    grpc: number | null,
    env: Record<string, string>,
  ) => ({
    name,
    replica,
    main: shape.mains?.[name] ?? mainOf(name),
    env: { ...common(shape, name, http, grpc), ...env, ...shape.env?.[name] },
    grpc: grpc === null ? null : `${HOST}:${grpc}`,
    http: `http://${HOST}:${http}`,
    ops: `http://${HOST}:${env.OPS_PORT ?? http}`,
    databaseUrl: shape.databaseUrl(name),
  });
  const sandboxPort = nextPort();
  const participants = PARTICIPANTS.flatMap((name) =>
    range(shape.participants).map((replica) =>
      plan(name, replica, nextPort(), nextPort(), outsideWorld(name, `http://${HOST}:${sandboxPort}`)),
    ),
  );
  const sandbox = plan('sandbox', 0, sandboxPort, null, sandboxSettings(shape, participants));
  const edge = orchestratorSettings(shape, participants);
  const orchestrators = range(shape.orchestrators).map((replica) =>
    // Its supervisor starts the next one when the last is dead, and never before.
    plan('orchestrator', replica, replica === 0 ? shape.httpPort : nextPort(), nextPort(), {
      ...edge,
      INSTANCE: `orchestrator-${replica}`,
      OPS_PORT: String(nextPort()),
    }),
  );
  return [...orchestrators, ...participants, sandbox].map((service) => ({ ...service, env: defined(service.env) }));
}

function common(shape: ClusterShape, name: ServiceName, http: number, grpc: number | null): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    NODE_COMPILE_CACHE: shape.compileCache,
    DATABASE_URL: (shape.pooledUrl ?? shape.databaseUrl)(name),
    HOST,
    HTTP_PORT: String(http),
    ...(shape.redisUrl !== undefined && name !== 'sandbox' && { REDIS_URL: shape.redisUrl }),
    ...(grpc !== null && { ORDER_EVENTS_KEYS: `local:${shape.eventKey}` }),
    ...(grpc !== null && { GRPC_PORT: String(grpc), ...tlsSettings(shape.tls?.[name], name) }),
  };
}

function tlsSettings(files: TlsFiles | undefined, name: ServiceName): Record<string, string> {
  if (files === undefined) return {};
  return {
    GRPC_TLS_CERT_FILE: files.cert,
    GRPC_TLS_KEY_FILE: files.key,
    GRPC_TLS_CA_FILE: files.ca,
    // Whoever calls the orchestrator shows an API key.
    ...(name !== 'orchestrator' && { GRPC_TLS_ALLOW: 'orchestrator,operator' }),
  };
}

/** Webhooks are sent where they bring orders forward: by a stream in Redis. */
function sandboxSettings(
  { redisUrl }: ClusterShape,
  participants: { name: ServiceName; http: string }[],
): Record<string, string> {
  const payment = participants.find(({ name }) => name === 'payment');
  return {
    SANDBOX_SECRET_KEY,
    SANDBOX_WEBHOOK_SECRET,
    ...(redisUrl !== undefined && { SANDBOX_WEBHOOK_URL: `${payment?.http}/webhooks/stripe` }),
  };
}

function outsideWorld(name: ServiceName, sandbox: string): Record<string, string> {
  if (name === 'payment') {
    return {
      STRIPE_SECRET_KEY: SANDBOX_SECRET_KEY,
      STRIPE_API_BASE: sandbox,
      STRIPE_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS),
      PROVIDER_LOOK_MS: String(PROVIDER_LOOK_MS),
      STRIPE_WEBHOOK_SECRET: SANDBOX_WEBHOOK_SECRET,
    };
  }
  if (name === 'shipping') {
    return { CARRIER_URL: `${sandbox}/carrier`, CARRIER_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS) };
  }
  return {};
}

function orchestratorSettings(
  shape: ClusterShape,
  participants: { name: ServiceName; grpc: string | null }[],
): Record<string, string> {
  const addressOf = (name: ServiceName) => {
    const addresses = participants.filter((service) => service.name === name).map((service) => service.grpc);
    return addresses.length === 1 ? `${addresses[0]}` : `ipv4:${addresses.join(',')}`;
  };
  return {
    INVENTORY_ADDR: addressOf('inventory'),
    PAYMENT_ADDR: addressOf('payment'),
    SHIPPING_ADDR: addressOf('shipping'),
    API_KEYS: `${TENANT_ID}:${shape.apiKey}`,
    ...(shape.leaseMs !== undefined && { LEASE_MS: String(shape.leaseMs) }),
  };
}

function defined(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
