/** What a service does so that it believes nobody without a certificate, and says where it is believed without one. */
import { connectRedis, REDIS_URL_PATTERN, type RedisClient } from '@holdfast/idempotency/redis';
import { Certificates, type ServerTls, type TlsSettings } from '@holdfast/rpc';
import { isLoopback, type Log, type Metrics } from '@holdfast/service';

/** Undefined where the service speaks in clear text. @throws Error when the files have changed since they were read */
export function certificatesOf(settings: TlsSettings, log: Log, metrics: Metrics): Certificates | undefined {
  const { GRPC_TLS_CERT: cert, GRPC_TLS_KEY: key, GRPC_TLS_CA: ca } = settings;
  if (cert === undefined || key === undefined) return undefined;
  const certificates = new Certificates({ cert, key, ca }, log);
  metrics.gauge(
    'holdfast_certificate_ends_timestamp_seconds',
    'When the certificate of the service ends',
    () => certificates.notAfter.getTime() / 1_000,
  );
  return certificates;
}

/** How the service's own gRPC port is served. */
export function serverTls(
  certificates: Certificates | undefined,
  { GRPC_TLS_ALLOW: allow }: TlsSettings,
  metrics: Metrics,
): ServerTls | undefined {
  if (certificates === undefined) return undefined;
  const refused = metrics.counter('holdfast_peers_refused_total', 'gRPC connections and calls of peers not allowed');
  return { certificates, allow, onRefused: () => refused.inc() };
}

/** Of the stores that a service reaches, the settings whose traffic can be read or changed on its way, and why. */
export function exposedStores(urls: { DATABASE_URL: string; REDIS_URL: string | undefined }): Record<string, string> {
  return {
    ...(isExposedDatabase(urls.DATABASE_URL) && {
      DATABASE_URL: 'add sslmode=verify-full, and sslrootcert with the authority of the server',
    }),
    ...(urls.REDIS_URL !== undefined &&
      isExposedRedis(urls.REDIS_URL) && { REDIS_URL: 'use rediss://, rediss+sentinel:// or rediss+cluster://' }),
  };
}

/** Says once, at the start, which stores are reached in clear text beyond this machine. */
export function warnOfExposedStores(urls: Parameters<typeof exposedStores>[0], log: Log): void {
  for (const [setting, advice] of Object.entries(exposedStores(urls))) {
    log.warn({ setting, advice }, 'a store beyond this machine is reached without a proof of who answers');
  }
}

/** The modes in which the driver looks at the server's certificate. */
const VERIFIED = ['prefer', 'require', 'verify-ca', 'verify-full'];

function isExposedDatabase(url: string): boolean {
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  // A path is a socket in this machine's file system.
  if (host === '' || host.startsWith('/') || isLoopback(host)) return false;
  return !VERIFIED.includes(searchParams.get('sslmode') ?? '');
}

function isExposedRedis(url: string): boolean {
  const [, isSecure, kind, , , hosts] = REDIS_URL_PATTERN.exec(url) ?? [];
  if (kind === undefined) return !url.startsWith('rediss:') && !isLoopback(new URL(url).hostname);
  return isSecure === undefined && (hosts ?? '').split(',').some((host) => !isLoopback(host.replace(/:\d+$/, '')));
}

/** A connection whose certificate faults are said in the log: no answer of Redis could tell of them. */
export function connectTrusted(url: string, log: Log): RedisClient {
  return connectRedis(url, (fault) =>
    log.error({ fault }, 'Redis is not believed: its certificate is wrong; the answers are the same without it'),
  );
}
