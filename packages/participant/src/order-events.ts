// ORDER_EVENTS: how a service tells what has happened in a stream, and how one deals with what others tell.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  consumeStream,
  createEventSeal,
  type EventKey,
  type EventSeal,
  type FailedEntry,
  ForgedEntry,
  type Outbox,
  type StreamConsumerOptions,
  startOutboxRelay,
} from '@holdfast/messaging';
import type { Query } from '@holdfast/postgres';
import { boolean, ConfigError, type Log, type Metrics, onShutdown, optional, secretList } from '@holdfast/service';
import { connectTrusted } from './trust.ts';

/** The setting ORDER_EVENTS: one switch for all services that tell or hear of orders. */
export const orderEvents = () => optional(boolean(), false);

/** The setting ORDER_EVENTS_KEYS: what events are signed with, and believed by. */
export const orderEventsKeys = () => optional(secretList(), undefined);

/** Where events go, and how they are told from those of strangers. */
export interface EventsRoute {
  redisUrl: string;
  seal: EventSeal;
}

/**
 * Where events go; undefined where they are off.
 * @throws ConfigError when they are on without a REDIS_URL: they are written while Redis is away, too, and would wait for ever;
 *   or without keys: whoever can write to Redis would be believed
 */
export function eventsRoute(settings: {
  ORDER_EVENTS: boolean;
  ORDER_EVENTS_KEYS: EventKey[] | undefined;
  REDIS_URL: string | undefined;
}): EventsRoute | undefined {
  const { ORDER_EVENTS: isOn, ORDER_EVENTS_KEYS: keys, REDIS_URL: redisUrl } = settings;
  if (!isOn) return undefined;
  if (redisUrl === undefined || keys === undefined) {
    const missing = [
      ...(redisUrl === undefined ? ['REDIS_URL'] : []),
      ...(keys === undefined ? ['ORDER_EVENTS_KEYS'] : []),
    ];
    throw new ConfigError(missing.map((name) => `ORDER_EVENTS: needs ${name}; set it, or leave ORDER_EVENTS out`));
  }
  return { redisUrl, seal: createEventSeal(keys) };
}

interface Parts {
  pool: Query;
  log: Log;
  metrics: Metrics;
}

const thisProcess = () => `${hostname()}:${process.pid}:${randomUUID()}`;

/** Hands an outbox on until the process ends. */
export function relayEvents(
  { redisUrl, seal }: EventsRoute,
  outbox: Outbox,
  keptMs: number,
  { pool, log, metrics }: Parts,
): void {
  const relayed = metrics.counter('holdfast_order_events_relayed_total', 'Order events handed on to Redis');
  const losses = metrics.counter('holdfast_order_events_losses_total', 'Times that Redis had lost events');
  const redis = connectTrusted(redisUrl, log);
  const relay = startOutboxRelay({
    outbox,
    pool,
    redis,
    seal,
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
  { redisUrl, seal }: EventsRoute,
  events: Pick<StreamConsumerOptions, 'stream' | 'group' | 'handle'>,
  { log, metrics }: Omit<Parts, 'pool'>,
): void {
  const consumed = metrics.counter('holdfast_order_events_consumed_total', 'Order events dealt with', ['outcome']);
  for (const outcome of ['done', 'tried_again', 'set_aside', 'forged']) consumed.inc({ outcome }, 0);
  const redis = connectTrusted(redisUrl, log);
  const consumer = consumeStream({
    ...events,
    redis,
    seal,
    consumer: thisProcess(),
    onDone: (entries) => consumed.inc({ outcome: 'done' }, entries),
    onFailed(failed) {
      consumed.inc({ outcome: outcomeOf(failed) });
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

function outcomeOf({ error, next }: FailedEntry): string {
  if (error instanceof ForgedEntry) return 'forged';
  return next === 'set aside' ? 'set_aside' : 'tried_again';
}

function sayFailed(log: Log, { entry, error, attempts, next }: FailedEntry): void {
  const { id, type } = entry.fields;
  const about = { entryId: entry.id, id, type, attempts, reason: `${error.name}: ${error.message}` };
  if (error instanceof ForgedEntry) {
    // Nothing of what a stranger has written reaches the log.
    log.error({ entryId: entry.id, reason: error.message }, 'an order event is forged and is set aside: look at it');
  } else if (next === 'set aside') {
    log.error(about, 'an order event can’t be dealt with and is set aside: look at it');
  } else {
    log.warn(about, 'an order event could not be dealt with; trying again later');
  }
}
