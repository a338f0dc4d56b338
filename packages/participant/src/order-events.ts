// ORDER_EVENTS: how a service tells what has happened in a stream, and how one deals with what others tell.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  consumeStream,
  type FailedEntry,
  type Outbox,
  type StreamConsumerOptions,
  startOutboxRelay,
} from '@holdfast/messaging';
import type { Query } from '@holdfast/postgres';
import { boolean, ConfigError, type Log, type Metrics, onShutdown, optional } from '@holdfast/service';
import { connectTrusted } from './trust.ts';

/** The setting ORDER_EVENTS: one switch for all services that tell or hear of orders. */
export const orderEvents = () => optional(boolean(), false);

/**
 * Where events go; undefined where they are off.
 * @throws ConfigError when they are on without a REDIS_URL: they are written while Redis is away, too, and would wait for ever
 */
export function eventsUrl(settings: { ORDER_EVENTS: boolean; REDIS_URL: string | undefined }): string | undefined {
  if (!settings.ORDER_EVENTS) return undefined;
  if (settings.REDIS_URL === undefined) {
    throw new ConfigError(['ORDER_EVENTS: needs REDIS_URL; set it, or leave ORDER_EVENTS out']);
  }
  return settings.REDIS_URL;
}

interface Parts {
  pool: Query;
  log: Log;
  metrics: Metrics;
}

const thisProcess = () => `${hostname()}:${process.pid}:${randomUUID()}`;

/** Hands an outbox on until the process ends. */
export function relayEvents(redisUrl: string, outbox: Outbox, keptMs: number, { pool, log, metrics }: Parts): void {
  const relayed = metrics.counter('holdfast_order_events_relayed_total', 'Order events handed on to Redis');
  const losses = metrics.counter('holdfast_order_events_losses_total', 'Times that Redis had lost events');
  const redis = connectTrusted(redisUrl, log);
  const relay = startOutboxRelay({
    outbox,
    pool,
    redis,
    holder: thisProcess(),
    keptMs,
    onRelayed: (events) => relayed.inc(events),
    onLoss() {
      losses.inc();
      log.warn('Redis has lost order events; those that are kept are relayed again');
    },
    onError: ({ message }) => log.warn({ message }, 'relaying events failed; trying again'),
  });
  onShutdown(async () => {
    await relay.stop();
    redis.disconnect();
  });
}

/** Deals with the events of a stream until the process ends. */
export function consumeEvents(
  redisUrl: string,
  events: Pick<StreamConsumerOptions, 'stream' | 'group' | 'handle'>,
  { log, metrics }: Omit<Parts, 'pool'>,
): void {
  const consumed = metrics.counter('holdfast_order_events_consumed_total', 'Order events dealt with', ['outcome']);
  for (const outcome of ['done', 'tried_again', 'set_aside']) consumed.inc({ outcome }, 0);
  const redis = connectTrusted(redisUrl, log);
  const consumer = consumeStream({
    ...events,
    redis,
    consumer: thisProcess(),
    onDone: (entries) => consumed.inc({ outcome: 'done' }, entries),
    onFailed(failed) {
      consumed.inc({ outcome: failed.next === 'set aside' ? 'set_aside' : 'tried_again' });
      sayFailed(log, failed);
    },
    onChange: (state, reason) =>
      log.warn({ state, reason }, 'order events: what is told meanwhile is dealt with later'),
  });
  onShutdown(async () => {
    await consumer.stop();
    redis.disconnect();
  });
}

function sayFailed(log: Log, { entry, error, attempts, next }: FailedEntry): void {
  const { id, type } = entry.fields;
  const about = { entryId: entry.id, id, type, attempts, reason: `${error.name}: ${error.message}` };
  if (next === 'set aside') log.error(about, 'an order event can’t be dealt with and is set aside: look at it');
  else log.warn(about, 'an order event could not be dealt with; trying again later');
}
