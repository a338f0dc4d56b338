import { orderEvents, orderEventsKeys, serviceConfig } from '@holdfast/participant';

/** Settings of the inventory service. */
export const config = {
  ...serviceConfig(50_051, 9_051),
  /** `true`: stock is fulfilled when shipping publishes a dispatch, in a stream of the Redis at REDIS_URL; for all services alike. */
  ORDER_EVENTS: orderEvents(),
  /** What events are signed with (the first), and believed by (each); the same for all services. */
  ORDER_EVENTS_KEYS: orderEventsKeys(),
};
