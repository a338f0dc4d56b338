import { TOMBSTONE_MS } from '@holdfast/idempotency';
import { orderEvents, serviceConfig } from '@holdfast/participant';
import { integer, keyList, optional, text } from '@holdfast/service';

const ADDRESS = /^((dns:\/\/\/)?[^\s/:,]+:\d{1,5}|ipv4:[\d.]+:\d{1,5}(,[\d.]+:\d{1,5})*)$/;
const address = (service: string) => text(`host:port, dns:///name:port or ipv4:a.b.c.d:port,… of ${service}`, ADDRESS);

/** Settings of the orchestrator. */
export const config = {
  ...serviceConfig(50_050, 8_080),
  INVENTORY_ADDR: address('the inventory service'),
  PAYMENT_ADDR: address('the payment service'),
  SHIPPING_ADDR: address('the shipping service'),
  API_KEYS: keyList(),
  /** How long after its last sign of life a process's sagas are taken over by others. */
  LEASE_MS: optional(integer(300, 60_000), 3_000),
  /**
   * The name of a place that one process has at a time, under a supervisor that starts the next one when the last is dead:
   * its orders are taken over at its start then, not only when its lease has run out. Without it, each process is new.
   */
  INSTANCE: optional(text('a name of letters, digits, dots, underscores and dashes', /^[\w.-]{1,100}$/), undefined),
  /** How long an order may take before it is turned back. */
  ORDER_DEADLINE_MS: optional(integer(1_000, 86_400_000), 60_000),
  /**
   * How long an order may wait for its payment in all, banks that take days included. The customer's time to confirm is part of
   * it, and is payment's own setting (PAYMENT_WINDOW_MS).
   */
  PAYMENT_WAIT_MS: optional(integer(1_000, 20 * 86_400_000), 7 * 86_400_000),
  /** How long a key's first answer is replayed byte for byte. */
  KEY_LIFETIME_MS: optional(integer(1_000, 366 * 86_400_000), 86_400_000),
  /** How long a key is remembered at least; an older one that says its age and is not known is refused. */
  TOMBSTONE_LIFETIME_MS: optional(integer(1_000, 3_660 * 86_400_000), TOMBSTONE_MS),
  /** `true`: order events are published in a stream of the Redis at REDIS_URL; the same for all services. */
  ORDER_EVENTS: orderEvents(),
  /** How long an event is kept after it was published, to be published again when Redis has lost it. */
  ORDER_EVENTS_KEPT_MS: optional(integer(1_000, 30 * 86_400_000), 3_600_000),
  /** Connections to the database at most. */
  DATABASE_POOL: optional(integer(2, 200), 24),
  /** Orders under way in one process; more are asked to come back later. */
  MAX_RUNNING: optional(integer(1, 100_000), 2_000),
};
