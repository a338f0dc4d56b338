import { orderEvents, redisUrl } from '@holdfast/participant';
import { boolean, integer, optional, port, prepare, text, url } from '@holdfast/service';

/** Settings of the shipping service. */
export const config = {
  DATABASE_URL: url('postgres:', 'postgresql:'),
  HOST: optional(text('an address to listen on'), '127.0.0.1'),
  GRPC_PORT: optional(port(), 50_053),
  HTTP_PORT: optional(port(), 9_053),
  LOG_LEVEL: optional(
    text('trace, debug, info, warn, error or silent', /^(trace|debug|info|warn|error|silent)$/),
    'info',
  ),
  /** Optional: answers early what the database has committed; without it the answers are the same. */
  REDIS_URL: redisUrl(),
  /** `false`: the job `migrate` does it, and the service waits for it. */
  MIGRATE_ON_START: optional(boolean(), true),
  DATABASE_PREPARE: prepare(),
  /** `true`: dispatches are told in a stream of the Redis at REDIS_URL; for all services alike. */
  ORDER_EVENTS: orderEvents(),
  /**
   * How long an event is kept after it was told, to be told again when Redis has lost it: longer than inventory, which has
   * work to do for each, is ever away.
   */
  ORDER_EVENTS_KEPT_MS: optional(integer(1_000, 30 * 86_400_000), 7 * 86_400_000),
  /** The carrier's API is at `<CARRIER_URL>/v1/shipments`. Without it, shipments are our own. */
  CARRIER_URL: optional(url('http:', 'https:'), undefined),
  /** How long one call to the carrier may take. A crashed attempt is taken up again after three of them and a second. */
  CARRIER_TIMEOUT_MS: optional(integer(100, 60_000), 5_000),
};
