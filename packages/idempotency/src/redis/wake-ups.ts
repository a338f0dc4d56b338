import type { Redis } from 'ioredis';
import type { RedisClient } from './bounded-redis.ts';

/** Waiting for a message on a channel, on one connection for all that wait in this process. */
export interface WakeUps {
  readonly isUsable: boolean;
  /**
   * Returns at the first message on `channel`, at the latest after `ms`.
   * @param alreadyOver asked once, when messages can reach us: true when there is nothing to wait for any more
   */
  wait(channel: string, ms: number, alreadyOver: () => Promise<boolean>): Promise<void>;
  close(): void;
}

export function createWakeUps(redis: RedisClient): WakeUps {
  let subscriber: RedisClient | undefined;
  const waiting = new Map<string, Set<() => void>>();

  const listen = (): RedisClient => {
    if (subscriber !== undefined) return subscriber;
    // A connection that listens can't ask, so it is another one; opened when the first call waits.
    const opened: RedisClient = (redis as Redis).duplicate();
    opened.on('error', () => {});
    opened.on('message', (channel: string) => {
      for (const wake of waiting.get(channel) ?? []) wake();
    });
    subscriber = opened;
    return opened;
  };
  const add = (channel: string, wake: () => void): Promise<unknown> => {
    const others = waiting.get(channel);
    if (others !== undefined) {
      others.add(wake);
      return Promise.resolve();
    }
    waiting.set(channel, new Set([wake]));
    const client = listen();
    return client.status === 'ready' ? client.subscribe(channel) : Promise.reject(new Error('not connected yet'));
  };
  const remove = (channel: string, wake: () => void) => {
    const others = waiting.get(channel);
    others?.delete(wake);
    if (others?.size !== 0) return;
    waiting.delete(channel);
    // Not heard: it is not connected, and what it does not know it need not forget.
    if (subscriber?.status === 'ready') subscriber.unsubscribe(channel).catch(() => undefined);
  };

  return {
    get isUsable() {
      return listen().status === 'ready';
    },
    async wait(channel, ms, alreadyOver) {
      const over = Promise.withResolvers<void>();
      const wake = () => over.resolve();
      const timer = setTimeout(wake, ms);
      add(channel, wake).then(
        async () => {
          if (await alreadyOver()) wake();
        },
        // No message can wake us: the timer does.
        () => undefined,
      );
      await over.promise;
      clearTimeout(timer);
      remove(channel, wake);
    },
    close() {
      subscriber?.disconnect();
    },
  };
}
