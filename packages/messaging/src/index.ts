import type { Migrations } from '@holdfast/postgres';

export { createEventSeal, type EventKey, type EventSeal } from './event-seal.ts';
export { forgetMessages, inboxRetention, type Message, takeNew } from './inbox.ts';
export { defineOutbox, type NewEvents, newEventsSql, type Outbox } from './outbox.ts';
export { type OutboxRelay, type OutboxRelayOptions, startOutboxRelay } from './outbox-relay.ts';
export type { RedisClient } from './redis-client.ts';
export {
  consumeStream,
  type FailedEntry,
  ForgedEntry,
  type StreamConsumer,
  type StreamConsumerOptions,
  type StreamEntry,
  type StreamRetry,
} from './stream-consumer.ts';

/** The table of a service that consumes events. */
export const inboxMigrations: Migrations = { module: 'inbox', folder: new URL('../sql/inbox/', import.meta.url) };

/** The tables of a service that tells of what has happened. */
export const outboxMigrations: Migrations = { module: 'outbox', folder: new URL('../sql/outbox/', import.meta.url) };
