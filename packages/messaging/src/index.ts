import type { Migrations } from '@holdfast/postgres';

export { forgetMessages, inboxRetention, type Message, takeNew } from './inbox.ts';
export {
  defineOutbox,
  type Outbox,
  type OutboxRelay,
  type OutboxRelayOptions,
  type OutboxTables,
  startOutboxRelay,
} from './outbox-relay.ts';
export type { RedisClient } from './redis-client.ts';
export {
  consumeStream,
  type FailedEntry,
  type StreamConsumer,
  type StreamConsumerOptions,
  type StreamEntry,
  type StreamRetry,
} from './stream-consumer.ts';

/** The inbox of a service that consumes events. */
export const messagingMigrations: Migrations = {
  module: 'messaging',
  folder: new URL('../sql/', import.meta.url),
};
