import { withDeadline } from '@holdfast/resilience';
import type { Cluster, Redis } from 'ioredis';

/** A client for one server, for a master found by Sentinel, or for a Cluster. */
export type RedisClient = Redis | Cluster;

/** Redis as something that may be slow or away: everything asked of it is bounded, and nothing throws. */
export interface BoundedRedis {
  readonly isUsable: boolean;
  /** @returns undefined when there was no answer in time, or an error */
  ask<T>(work: (redis: RedisClient) => Promise<T>): Promise<T | undefined>;
  /** The same, without waiting for the answer. */
  send(work: (redis: RedisClient) => Promise<unknown>): void;
}

export interface BoundedRedisOptions {
  /** How long a call waits for Redis. Default 50 ms. */
  timeoutMs?: number | undefined;
  /** How long it is left alone after it was too slow or failed. Default 1 s. */
  restMs?: number | undefined;
  /** Called once when Redis is given a rest, and once when it is used again. */
  onChange?: ((state: 'resting' | 'used again', reason: string) => void) | undefined;
  /** Milliseconds of a clock that only goes forward. */
  now?: (() => number) | undefined;
}

const TIMEOUT_MS = 50;
const REST_MS = 1_000;
/** Commands in flight at a time: a stalled server must not fill this process's memory. */
const MAX_OUTSTANDING = 1_000;

export function createBoundedRedis(redis: RedisClient, options: BoundedRedisOptions = {}): BoundedRedis {
  const { timeoutMs = TIMEOUT_MS, restMs = REST_MS, onChange = () => {}, now = () => performance.now() } = options;
  let outstanding = 0;
  let restsUntilMs = 0;
  let isResting = false;
  // Without a listener the client writes to the console; what an error means here is said by onChange.
  redis.on('error', () => {});

  const rest = (reason: string) => {
    restsUntilMs = now() + restMs;
    if (!isResting) onChange('resting', reason);
    isResting = true;
  };
  const usable = () => redis.status === 'ready' && now() >= restsUntilMs && outstanding < MAX_OUTSTANDING;

  async function ask<T>(work: (redis: RedisClient) => Promise<T>): Promise<T | undefined> {
    // Not connected: the client would queue it, for an answer that comes too late.
    if (!usable()) return undefined;
    outstanding += 1;
    const answer = work(redis).finally(() => {
      outstanding -= 1;
    });
    try {
      const first = await withDeadline(timeoutMs, answer);
      if (first.kind === 'late') {
        rest(`no answer within ${timeoutMs} ms`);
        return undefined;
      }
      if (isResting) onChange('used again', 'it answers');
      isResting = false;
      return first.value;
    } catch (error) {
      rest((error as Error).message);
      return undefined;
    }
  }

  return {
    get isUsable() {
      return usable();
    },
    ask,
    send: (work) => void ask(work),
  };
}
