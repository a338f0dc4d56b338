export type { BoundedRedisOptions, RedisClient } from './bounded-redis.ts';
export { connectRedis, REDIS_URL_PATTERN } from './connect-redis.ts';
export { type Acquired, createIdempotentLock, type IdempotentLock, type Kept } from './idempotent-lock.ts';
export {
  defineOutbox,
  type Outbox,
  type OutboxRelay,
  type OutboxRelayOptions,
  type OutboxTables,
  startOutboxRelay,
} from './outbox-relay.ts';
export { createRedisAnswers, type RedisAnswers, type RedisAnswersOptions } from './redis-answers.ts';
export {
  consumeStream,
  type FailedEntry,
  type StreamConsumer,
  type StreamConsumerOptions,
  type StreamEntry,
  type StreamRetry,
} from './stream-consumer.ts';
