import { orderEvents, orderEventsKeys, serviceConfig } from '@holdfast/participant';
import { integer, optional, url } from '@holdfast/service';

/** Settings of the shipping service. */
export const config = {
  ...serviceConfig(50_053, 9_053),
  /** `true`: dispatches are published in a stream of the Redis at REDIS_URL; for all services alike. */
  ORDER_EVENTS: orderEvents(),
  /** What events are signed with (the first), and believed by (each); the same for all services. */
  ORDER_EVENTS_KEYS: orderEventsKeys(),
  /**
   * How long an event is kept after it was published, to be published again when Redis has lost it: longer than inventory,
   * which has work to do for each, is ever away.
   */
  ORDER_EVENTS_KEPT_MS: optional(integer(1_000, 30 * 86_400_000), 7 * 86_400_000),
  /** The carrier's API is at `<CARRIER_URL>/v1/shipments`. Without it, shipments are our own. */
  CARRIER_URL: optional(url('http:', 'https:'), undefined),
  /** How long one call to the carrier may take. A crashed attempt is taken up again after three of them and a second. */
  CARRIER_TIMEOUT_MS: optional(integer(100, 60_000), 5_000),
};
