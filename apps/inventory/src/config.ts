import { orderEvents, redisUrl } from '@holdfast/participant';
import { boolean, optional, port, prepare, text, url } from '@holdfast/service';

/** Settings of the inventory service. */
export const config = {
  DATABASE_URL: url('postgres:', 'postgresql:'),
  HOST: optional(text('an address to listen on'), '127.0.0.1'),
  GRPC_PORT: optional(port(), 50_051),
  HTTP_PORT: optional(port(), 9_051),
  LOG_LEVEL: optional(
    text('trace, debug, info, warn, error or silent', /^(trace|debug|info|warn|error|silent)$/),
    'info',
  ),
  /** Optional: answers early what the database has committed; without it the answers are the same. */
  REDIS_URL: redisUrl(),
  /** `false`: the job `migrate` does it, and the service waits for it. */
  MIGRATE_ON_START: optional(boolean(), true),
  DATABASE_PREPARE: prepare(),
  /** `true`: stock is fulfilled when shipping tells of a dispatch, in a stream of the Redis at REDIS_URL; for all services alike. */
  ORDER_EVENTS: orderEvents(),
};
