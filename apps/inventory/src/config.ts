import { orderEvents, serviceConfig } from '@holdfast/participant';

/** Settings of the inventory service. */
export const config = {
  ...serviceConfig(50_051, 9_051),
  /** `true`: stock is fulfilled when shipping publishes a dispatch, in a stream of the Redis at REDIS_URL; for all services alike. */
  ORDER_EVENTS: orderEvents(),
};
