/*
 * Hands the outbox on to a Redis stream, in the order in which things happened to each order.
 *
 * E1  An event is committed with the state that it tells of (order-store.ts), so that neither is without the other.
 * E2  Every event is relayed at least once: it is marked as relayed after the stream has it.
 * E3  What Redis loses (flushed, killed, back from an older copy) is relayed again, as far as the outbox still keeps it
 *     (`keptMs`). Redis holds a witness, the number of the last batch, written with the batch; the database knows the
 *     number too. A witness that is missing or behind means a loss, however it came about.
 * K7  One process relays, by a lease on the database's clock; no transaction is open while Redis is asked. Two at once, for
 *     a moment, would only tell things twice. Batches, what is kept and the stream are bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Query, statement } from '@holdfast/postgres';
import type { RedisClient } from './bounded-redis.ts';

/** One hash tag: on a Cluster, stream and witness are on one node, and are lost together. */
export const EVENT_STREAM = '{holdfast:order-events}';
const WITNESS = `${EVENT_STREAM}:witness`;

export interface EventRelayOptions {
  pool: Query;
  redis: RedisClient;
  /** Which process this is; unique. */
  holder: string;
  /** How long an event is kept after it was relayed. */
  keptMs: number;
  /** Entries of the stream, about; older ones are dropped. */
  streamLength?: number;
  log: { warn(about: string | object, text?: string): void };
  metrics: { counter(name: string, help: string): { inc(by?: number): void } };
}

export interface EventRelay {
  /** Relays what is there, if no other process does. For tests; the timer calls it otherwise. @returns events relayed */
  relay(): Promise<number>;
  stop(): Promise<void>;
}

const BATCH = 500;
const HELD_MS = 10_000;
const EVERY_MS = 200;
const STREAM_LENGTH = 1_000_000;
const SWEEP_BATCH = 2_000;

// Looks at the witness and hands the batch on in one go: a loss in between would go unseen. An empty one only looks. A relay
// that was paused past its lease must not set the witness back: that would look like a loss.
const HAND_ON = `
  local batches = tonumber(ARGV[1])
  local witness = tonumber(redis.call('get', KEYS[2]) or '0')
  if witness < batches then return 0 end
  for i = 3, #ARGV, 5 do
    redis.call('xadd', KEYS[1], 'maxlen', '~', ARGV[2], '*', 'id', ARGV[i], 'type', ARGV[i + 1],
               'orderId', ARGV[i + 2], 'tenantId', ARGV[i + 3], 'at', ARGV[i + 4])
  end
  if #ARGV > 2 and witness <= batches then redis.call('set', KEYS[2], batches + 1) end
  return 1`;

const hold = statement(
  'events.hold-relay',
  `update relays set holder = $1::text, held_until = clock_timestamp() + $2::integer * interval '1 millisecond'
    where name = 'order-events' and (holder = $1::text or held_until is null or held_until < clock_timestamp())
   returning batches`,
);
const release = statement(
  'events.release-relay',
  `update relays set held_until = null where name = 'order-events' and holder = $1::text`,
);
const nextBatch = statement(
  'events.next-batch',
  `select order_id as "orderId", kind, tenant_id as "tenantId", at
     from outbox where relayed_at is null order by at limit $1::integer`,
);
const markRelayed = statement(
  'events.mark-relayed',
  `with counted as (update relays set batches = greatest(batches, $3::bigint) where name = 'order-events')
   update outbox set relayed_at = clock_timestamp()
     from unnest($1::text[], $2::text[]) as r (order_id, kind)
    where outbox.order_id = r.order_id and outbox.kind = r.kind`,
);
const relayAgain = statement(
  'events.relay-again',
  `update outbox set relayed_at = null
     from (select order_id, kind from outbox where relayed_at is not null order by relayed_at limit $1::integer) as r
    where outbox.order_id = r.order_id and outbox.kind = r.kind`,
);
const forget = statement(
  'events.forget',
  `delete from outbox
    using (select order_id, kind from outbox
            where relayed_at < clock_timestamp() - $1::bigint * interval '1 millisecond'
            order by relayed_at limit $2::integer) as r
    where outbox.order_id = r.order_id and outbox.kind = r.kind`,
);

interface OrderEvent {
  orderId: string;
  kind: string;
  tenantId: string;
  at: Date;
}

/** Relays in the background until stopped. */
export function startEventRelay(options: EventRelayOptions): EventRelay {
  const { pool, redis, holder, keptMs, log, metrics, streamLength = STREAM_LENGTH } = options;
  const relayedTotal = metrics.counter('holdfast_order_events_relayed_total', 'Order events handed on to Redis');
  const lossTotal = metrics.counter('holdfast_order_events_losses_total', 'Times that Redis had lost events');
  const stopping = new AbortController();
  let turn: Promise<number> = Promise.resolve(0);

  async function hand(batch: OrderEvent[], batches: number): Promise<'handed' | 'lost'> {
    const events = batch.flatMap(({ orderId, kind, tenantId, at }) => [
      `${orderId}:${kind}`,
      `order.${kind}`,
      orderId,
      tenantId,
      at.toISOString(),
    ]);
    const done = await redis.eval(HAND_ON, 2, EVENT_STREAM, WITNESS, batches, streamLength, ...events);
    return done === 1 ? 'handed' : 'lost';
  }

  /** Whoever crashes in here finds the witness behind again. */
  async function recoverLoss(batches: number): Promise<void> {
    lossTotal.inc();
    log.warn('Redis has lost order events; those that are kept are relayed again');
    for (;;) {
      const { rowCount } = await pool.query({ ...relayAgain, values: [SWEEP_BATCH] });
      if ((rowCount ?? 0) < SWEEP_BATCH) break;
    }
    await redis.set(WITNESS, batches);
  }

  async function relayHeld(): Promise<number> {
    let total = 0;
    while (!stopping.signal.aborted) {
      const held = await pool.query<{ batches: number }>({ ...hold, values: [holder, HELD_MS] });
      const batches = held.rows[0]?.batches;
      if (batches === undefined) return total;
      const { rows } = await pool.query<OrderEvent>({ ...nextBatch, values: [BATCH] });
      // An empty batch looks at the witness, too.
      if ((await hand(rows, batches)) === 'lost') {
        await recoverLoss(batches);
        continue;
      }
      if (rows.length === 0) return total;
      // crash here: the stream has the batch and nobody has noted it; it is relayed again (E2).
      const values = [rows.map(({ orderId }) => orderId), rows.map(({ kind }) => kind), batches + 1];
      await pool.query({ ...markRelayed, values });
      relayedTotal.inc(rows.length);
      total += rows.length;
    }
    return total;
  }

  async function relayOnce(): Promise<number> {
    const total = await relayHeld();
    await pool.query({ ...forget, values: [keptMs, SWEEP_BATCH] });
    return total;
  }

  const relay = () => {
    // One after the other within a process, too: the timer's turn and a caller's.
    turn = turn.catch(() => 0).then(relayOnce);
    return turn;
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await delay(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await relay().catch((error: Error) =>
        log.warn({ message: error.message }, 'relaying events failed; trying again'),
      );
    }
  }
  const running = run();
  return {
    relay,
    async stop() {
      stopping.abort();
      await running;
      await pool.query({ ...release, values: [holder] }).catch(() => undefined);
    },
  };
}
