export type { BoundedRedisOptions, RedisClient } from './bounded-redis.ts';
export { connectRedis, REDIS_URL_PATTERN } from './connect-redis.ts';
export { type Acquired, createIdempotentLock, type IdempotentLock, type Kept } from './idempotent-lock.ts';
export { createRedisAnswers, type RedisAnswers, type RedisAnswersOptions } from './redis-answers.ts';
