// ORDER_EVENTS: how a service tells what has happened in a stream.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { connectRedis, type Outbox, startOutboxRelay } from '@holdfast/idempotency/redis';
import type { Query } from '@holdfast/postgres';
import { boolean, ConfigError, type Log, type Metrics, onShutdown, optional } from '@holdfast/service';

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
  const redis = connectRedis(redisUrl);
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
