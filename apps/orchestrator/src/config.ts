import { SCOPES } from '@holdfast/contracts';
import { TOMBSTONE_MS } from '@holdfast/idempotency';
import { orderEvents, orderEventsKeys, serviceConfig } from '@holdfast/participant';
import { clearTextFaults, pairFaults, tlsFaults } from '@holdfast/rpc';
import { type Config, integer, isLoopback, keyList, optional, pem, port, text } from '@holdfast/service';

const ADDRESS = /^((dns:\/\/\/)?[^\s/:,]+:\d{1,5}|ipv4:[\d.]+:\d{1,5}(,[\d.]+:\d{1,5})*)$/;
const address = (service: string) => text(`host:port, dns:///name:port or ipv4:a.b.c.d:port,… of ${service}`, ADDRESS);

/** Settings of the orchestrator. */
export const config = {
  ...serviceConfig(50_050, 8_080),
  /** Of health, readiness and metrics, in clear text and without a key: for inside. The metrics are those of all tenants. */
  OPS_PORT: optional(port(), 9_050),
  INVENTORY_ADDR: address('the inventory service'),
  PAYMENT_ADDR: address('the payment service'),
  SHIPPING_ADDR: address('the shipping service'),
  API_KEYS: keyList(SCOPES),
  /** For the API over HTTP; files are read again when they change. */
  HTTP_TLS_CERT: optional(pem('the certificate of the API, with its chain'), undefined),
  HTTP_TLS_KEY: optional(pem('the key of the API’s certificate'), undefined),
  /** How long after its last sign of life a process's sagas are taken over by others. */
  LEASE_MS: optional(integer(300, 60_000), 3_000),
  /**
   * The name of a place that one process has at a time, under a supervisor that starts the next one when the last is dead:
   * its orders are taken over at its start then, not only when its lease has run out. Without it, each process is new.
   */
  INSTANCE: optional(text('a name of letters, digits, dots, underscores and dashes', /^[\w.-]{1,100}$/), undefined),
  /** How long an order may take before it is turned back. */
  ORDER_DEADLINE_MS: optional(integer(1_000, 86_400_000), 60_000),
  /**
   * How long an order may wait for its payment in all, banks that take days included. The customer's time to confirm is part of
   * it, and is payment's own setting (PAYMENT_WINDOW_MS).
   */
  PAYMENT_WAIT_MS: optional(integer(1_000, 20 * 86_400_000), 7 * 86_400_000),
  /** How long a key's first answer is replayed byte for byte. */
  KEY_LIFETIME_MS: optional(integer(1_000, 366 * 86_400_000), 86_400_000),
  /** How long a key is remembered at least; an older one that says its age and is not known is refused. */
  TOMBSTONE_LIFETIME_MS: optional(integer(1_000, 3_660 * 86_400_000), TOMBSTONE_MS),
  /** `true`: order events are published in a stream of the Redis at REDIS_URL; the same for all services. */
  ORDER_EVENTS: orderEvents(),
  /** What events are signed with (the first), and believed by (each); the same for all services. */
  ORDER_EVENTS_KEYS: orderEventsKeys(),
  /** How long an event is kept after it was published, to be published again when Redis has lost it. */
  ORDER_EVENTS_KEPT_MS: optional(integer(1_000, 30 * 86_400_000), 3_600_000),
  /** Connections of the API over HTTP at once; more are closed as they come. */
  HTTP_CONNECTIONS: optional(integer(10, 100_000), 4_000),
  /** Connections to the database at most. */
  DATABASE_POOL: optional(integer(2, 200), 24),
  /** Orders under way in one process; more are asked to come back later. */
  MAX_RUNNING: optional(integer(1, 100_000), 2_000),
};

const HTTP_TLS = ['HTTP_TLS_CERT', 'HTTP_TLS_KEY'] as const;

/** What is wrong with the settings together: callers of the API show an API key, so it must not be read on its way. */
export function configFaults(read: Partial<Config<typeof config>>): string[] {
  return [...tlsFaults(read, 'keyed'), ...httpTlsFaults(read), ...calledFaults(read)];
}

const CALLED = ['INVENTORY_ADDR', 'PAYMENT_ADDR', 'SHIPPING_ADDR'] as const;

/** Without a certificate the other services are called in clear text: on this machine alone. */
function calledFaults(read: Partial<Config<typeof config>>): string[] {
  if (!Object.hasOwn(read, 'GRPC_TLS_CERT') || read.GRPC_TLS_CERT !== undefined || read.ALLOW_PLAINTEXT !== false)
    return [];
  return CALLED.filter((name) => read[name] !== undefined && !hostsOf(read[name]).every(isLoopback)).map(
    (name) =>
      `${name}: would be called in clear text beyond this machine. ` +
      'Set GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA, or ALLOW_PLAINTEXT=true where something else protects the network',
  );
}

function hostsOf(called: string): string[] {
  const addresses = called.replace(/^(dns:\/\/\/|ipv4:)/, '').split(',');
  return addresses.map((one) => one.replace(/:\d+$/, ''));
}

function httpTlsFaults(read: Partial<Config<typeof config>>): string[] {
  // What is wrong by itself has been said.
  if ([...HTTP_TLS, 'HOST' as const].some((name) => !Object.hasOwn(read, name))) return [];
  const missing = HTTP_TLS.filter((name) => read[name] === undefined);
  if (missing.length === HTTP_TLS.length) return clearTextFaults(read, 'the API over HTTP', HTTP_TLS);
  if (missing.length > 0) return missing.map((name) => `${name}: missing; expected both of ${HTTP_TLS.join(', ')}`);
  return pairFaults(HTTP_TLS.join(', '), read.HTTP_TLS_CERT, read.HTTP_TLS_KEY, undefined);
}
