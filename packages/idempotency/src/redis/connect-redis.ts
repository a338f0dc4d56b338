import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isCertificateFault } from '@holdfast/resilience';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisClient } from './bounded-redis.ts';

/**
 * `redis://` for one server, `redis+sentinel://host:port,host:port/master-name` for the master that Sentinel names,
 * `redis+cluster://host:port,host:port` for a Cluster; each with `user:password@` where needed, and `rediss` instead of
 * `redis` for TLS.
 */
export const REDIS_URL_PATTERN =
  /^(?:rediss?:\/\/[^\s,]+|redis(s)?\+(sentinel|cluster):\/\/(?:([^\s:@/]*):([^\s@/]*)@)?([^\s,:/@]+:\d{1,5}(?:,[^\s,:/@]+:\d{1,5})*)(?:\/([A-Za-z0-9._-]+))?)$/;

// A command without an answer by then is of no use to its caller, and must not be sent later.
const OPTIONS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 2_000,
  connectTimeout: 2_000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
} satisfies RedisOptions;

/**
 * Connects in the background and goes on trying; the caller does not wait.
 * @param onUntrusted called when the server's certificate is not believed: once for each fault
 * @throws RangeError for a malformed URL
 */
export function connectRedis(url: string, onUntrusted: (fault: string) => void = () => {}): RedisClient {
  const [, secure, kind, username, password, hosts = '', masterName] = REDIS_URL_PATTERN.exec(url) ?? [];
  if (!REDIS_URL_PATTERN.test(url)) {
    throw new RangeError(
      'give redis://host:port, redis+sentinel://host:port,…/master-name or redis+cluster://host:port,…; rediss for TLS',
    );
  }
  const credentials = {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
  const tls = secure === undefined ? {} : { tls: {} };
  const nodes = hosts.split(',').map((host) => {
    const at = host.lastIndexOf(':');
    return { host: host.slice(0, at), port: Number(host.slice(at + 1)) };
  });
  const behindTls = secure === undefined ? [] : nodes;
  if (kind === 'cluster') {
    const client = new Cluster(nodes, {
      enableOfflineQueue: false,
      redisOptions: { ...OPTIONS, ...credentials, ...tls },
      clusterRetryStrategy: OPTIONS.retryStrategy,
      // A certificate names the host, not the address that it has now.
      ...(secure !== undefined && { dnsLookup: (address, found) => found(null, address) }),
    });
    return heard(client, onUntrusted, behindTls);
  }
  if (kind === 'sentinel') {
    if (masterName === undefined)
      throw new RangeError('redis+sentinel://host:port,…/master-name: give the master’s name');
    const toSentinels = secure === undefined ? {} : { sentinelTLS: {}, enableTLSForSentinelMode: true };
    const options = { ...OPTIONS, ...credentials, ...tls, ...toSentinels, sentinels: nodes, name: masterName };
    return heard(new Redis(options), onUntrusted, behindTls);
  }
  return heard(new Redis(url, OPTIONS), onUntrusted);
}

/**
 * Without a listener the client writes its errors to the console; its callers get most of them as rejected answers.
 * @param behind the nodes or Sentinels, where TLS is spoken: of them the client tells only that they are away
 */
function heard<T extends RedisClient>(client: T, onUntrusted: (fault: string) => void, behind: Endpoint[] = []): T {
  const told = new Set<string>();
  const hear = (error: NodeJS.ErrnoException) => {
    const line = `${error.code}: ${error.message}`;
    if (!isCertificateFault(error) || told.has(line)) return;
    told.add(line);
    onUntrusted(line);
  };
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  client.on('error', (error) => {
    hear(error);
    const nowMs = performance.now();
    if (nowMs - lookedAtMs < LOOK_EVERY_MS) return;
    lookedAtMs = nowMs;
    for (const endpoint of behind) lookAtCertificate(endpoint, hear);
  });
  return client;
}

interface Endpoint {
  host: string;
  port: number;
}

const LOOK_EVERY_MS = 60_000;

function lookAtCertificate({ host, port }: Endpoint, onError: (error: Error) => void): void {
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ host, port, timeout: OPTIONS.connectTimeout, ...named });
  socket.once('error', onError);
  socket.once('timeout', () => socket.destroy());
  socket.once('secureConnect', () => socket.destroy());
}
