/*
 * A lock for work that should be done by one process at a time, asked for under an owner's key.
 *
 * - Acquiring twice with the same owner is acquiring once: an owner that lost the answer asks again and still has the lock.
 * - Only its owner releases or extends it: an owner whose lock ran out can't touch its successor's.
 * - Each new owner gets a higher token, which travels with its writes; the store refuses a lower one than it has seen.
 *   Tokens are never lower than the server's clock, so they rise even after the server has lost its data.
 *
 * A lock alone makes nothing correct: its owner can be paused past its end without noticing, and a failover can forget it.
 * The token, compared where the write happens, is what keeps the old owner out. Holdfast itself rests on Postgres only.
 */
import { withDeadline } from '@holdfast/resilience';
import type { RedisClient } from './bounded-redis.ts';

export type Acquired =
  | { kind: 'claimed'; token: number }
  /** Another owner has it, for this long at most. */
  | { kind: 'in_progress'; remainingMs: number }
  /** No answer: it may be ours. Ask again as the same owner. */
  | { kind: 'unavailable'; reason: string };

/** `not_found`: the lock is not this owner's (any more). */
export type Kept = { kind: 'completed' } | { kind: 'not_found' } | { kind: 'unavailable'; reason: string };

export interface IdempotentLock {
  /** @param owner names one piece of work, not one attempt at it; @param ttlMs how long it holds unless extended */
  acquire(resource: string, owner: string, ttlMs: number): Promise<Acquired>;
  /** Holds for `ttlMs` from now on. */
  extend(resource: string, owner: string, ttlMs: number): Promise<Kept>;
  release(resource: string, owner: string): Promise<Kept>;
}

const NAME = /^[A-Za-z0-9._:~-]{1,128}$/;
const TIMEOUT_MS = 500;
const TOKEN_KEPT_MS = 24 * 60 * 60 * 1_000;

// KEYS: the lock, its last token. Numbers beyond 2^53 do not occur: a token is a time in microseconds.
const ACQUIRE = `
  local time = redis.call('time')
  local owner = redis.call('hget', KEYS[1], 'owner')
  if owner and owner ~= ARGV[1] then return {0, redis.call('pttl', KEYS[1])} end
  if owner then
    redis.call('pexpire', KEYS[1], ARGV[2])
    return {1, redis.call('hget', KEYS[1], 'token')}
  end
  local last = tonumber(redis.call('get', KEYS[2]) or '0')
  local token = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
  redis.call('set', KEYS[2], token, 'PX', ARGV[3])
  redis.call('hset', KEYS[1], 'owner', ARGV[1], 'token', token)
  redis.call('pexpire', KEYS[1], ARGV[2])
  return {1, token}`;

const EXTEND = `
  if redis.call('hget', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
  return redis.call('pexpire', KEYS[1], ARGV[2])`;

// @guard K1 the owner check on release: "if redis.call('hget', KEYS[1], 'owner') ~= ARGV[1] then return 0 end\n  return redis.call('del', KEYS[1])" -> "return redis.call('del', KEYS[1])"
const RELEASE = `
  if redis.call('hget', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
  return redis.call('del', KEYS[1])`;

/** @param timeoutMs how long a call waits for Redis. Default 500 ms */
export function createIdempotentLock(redis: RedisClient, { timeoutMs = TIMEOUT_MS } = {}): IdempotentLock {
  redis.on('error', () => {});
  const keep = async (script: string, resource: string, owner: string, ...args: number[]): Promise<Kept> => {
    const { lock } = namesOf(resource, owner);
    const reply = await answerWithin(timeoutMs, () => redis.eval(script, 1, lock, owner, ...args));
    if (reply.kind === 'unavailable') return reply;
    return { kind: reply.value === 1 ? 'completed' : 'not_found' };
  };
  return {
    async acquire(resource, owner, ttlMs) {
      const { lock, token } = namesOf(resource, owner);
      checkTtl(ttlMs);
      const ask = () => redis.eval(ACQUIRE, 2, lock, token, owner, ttlMs, TOKEN_KEPT_MS);
      const reply = await answerWithin(timeoutMs, ask);
      if (reply.kind === 'unavailable') return reply;
      const [isOurs, value] = reply.value as [number, number | string];
      return isOurs === 1
        ? { kind: 'claimed', token: Number(value) }
        : { kind: 'in_progress', remainingMs: Number(value) };
    },
    async extend(resource, owner, ttlMs) {
      checkTtl(ttlMs);
      return await keep(EXTEND, resource, owner, ttlMs);
    },
    release: (resource, owner) => keep(RELEASE, resource, owner),
  };
}

/** @throws RangeError; both must be safe inside a hash tag */
function namesOf(resource: string, owner: string): { lock: string; token: string } {
  if (!NAME.test(resource)) throw new RangeError('resource: give 1 to 128 of [A-Za-z0-9._:~-]');
  if (!NAME.test(owner)) throw new RangeError('owner: give 1 to 128 of [A-Za-z0-9._:~-]');
  return { lock: `holdfast:lock:{${resource}}`, token: `holdfast:lock:{${resource}}:token` };
}

function checkTtl(ttlMs: number): void {
  if (!Number.isInteger(ttlMs) || ttlMs < 1) throw new RangeError('ttlMs: give a whole number of milliseconds from 1');
}

type Reply = { kind: 'completed'; value: unknown } | { kind: 'unavailable'; reason: string };

async function answerWithin(ms: number, ask: () => Promise<unknown>): Promise<Reply> {
  try {
    const answer = await withDeadline(ms, ask());
    if (answer.kind === 'late') return { kind: 'unavailable', reason: `no answer within ${ms} ms` };
    return { kind: 'completed', value: answer.value };
  } catch (error) {
    return { kind: 'unavailable', reason: (error as Error).message };
  }
}
