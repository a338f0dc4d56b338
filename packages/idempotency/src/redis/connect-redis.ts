import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisClient } from './bounded-redis.ts';

/**
 * `redis://` or `rediss://` for one server, `redis+sentinel://host:port,host:port/master-name` for the master that Sentinel
 * names, `redis+cluster://host:port,host:port` for a Cluster; each with `user:password@` where needed.
 */
export const REDIS_URL_PATTERN =
  /^(?:rediss?:\/\/[^\s,]+|redis\+(sentinel|cluster):\/\/(?:([^\s:@/]*):([^\s@/]*)@)?([^\s,:/@]+:\d{1,5}(?:,[^\s,:/@]+:\d{1,5})*)(?:\/([A-Za-z0-9._-]+))?)$/;

// A command without an answer by then is of no use to its caller, and must not be sent later.
const OPTIONS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: 2_000,
  connectTimeout: 2_000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
} satisfies RedisOptions;

/** Connects in the background and goes on trying; the caller does not wait. @throws RangeError for a malformed URL */
export function connectRedis(url: string): RedisClient {
  const [, kind, username, password, hosts = '', masterName] = REDIS_URL_PATTERN.exec(url) ?? [];
  if (!REDIS_URL_PATTERN.test(url)) {
    throw new RangeError(
      'give redis://host:port, redis+sentinel://host:port,…/master-name or redis+cluster://host:port,…',
    );
  }
  const credentials = {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
  const nodes = hosts.split(',').map((host) => {
    const at = host.lastIndexOf(':');
    return { host: host.slice(0, at), port: Number(host.slice(at + 1)) };
  });
  if (kind === 'cluster') {
    const client = new Cluster(nodes, {
      enableOfflineQueue: false,
      redisOptions: { ...OPTIONS, ...credentials },
      clusterRetryStrategy: OPTIONS.retryStrategy,
    });
    return quiet(client);
  }
  if (kind === 'sentinel') {
    if (masterName === undefined)
      throw new RangeError('redis+sentinel://host:port,…/master-name: give the master’s name');
    return quiet(new Redis({ ...OPTIONS, ...credentials, sentinels: nodes, name: masterName }));
  }
  return quiet(new Redis(url, OPTIONS));
}

/** Without a listener the client writes its errors to the console; its callers get them as rejected answers. */
function quiet<T extends RedisClient>(client: T): T {
  client.on('error', () => {});
  return client;
}
