import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { connectRedis } from './index.ts';

describe('a Redis URL', () => {
  it('makes the client for what it names', () => {
    const clients = [
      connectRedis('redis://127.0.0.1:1/2'),
      connectRedis('redis+sentinel://127.0.0.1:1,127.0.0.1:2/main'),
      connectRedis('redis+cluster://user:p%40ss@127.0.0.1:1,127.0.0.1:2'),
    ];
    for (const client of clients) client.disconnect();
    expect(clients.map((client) => client instanceof Cluster)).toEqual([false, false, true]);
    expect(clients[1]).toBeInstanceOf(Redis);
    expect((clients[1] as Redis).options.sentinels).toEqual([
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: 2 },
    ]);
  });

  it('with rediss speaks TLS to servers, Sentinels and the nodes of a Cluster', () => {
    const one = connectRedis('rediss://127.0.0.1:1') as Redis;
    const sentinel = connectRedis('rediss+sentinel://user:p@127.0.0.1:1/main') as Redis;
    const cluster = connectRedis('rediss+cluster://127.0.0.1:1') as Cluster;
    for (const client of [one, sentinel, cluster]) client.disconnect();
    expect(one.options.tls).toBeTruthy();
    expect(sentinel.options).toMatchObject({
      tls: {},
      sentinelTLS: {},
      enableTLSForSentinelMode: true,
      username: 'user',
    });
    expect(cluster.options.redisOptions?.tls).toEqual({});
  });

  it.each(['http://127.0.0.1', 'redis+cluster://', 'redis+sentinel://127.0.0.1:1', 'redis://a b', ''])(
    '%j is refused, saying what a right one looks like',
    (url) => {
      expect(() => connectRedis(url)).toThrow('redis+sentinel://host:port,…/master-name');
    },
  );
});
