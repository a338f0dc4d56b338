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

  it.each(['http://127.0.0.1', 'redis+cluster://', 'redis+sentinel://127.0.0.1:1', 'redis://a b', ''])(
    '%j is refused, saying what a right one looks like',
    (url) => {
      expect(() => connectRedis(url)).toThrow('redis+sentinel://host:port,…/master-name');
    },
  );
});
