/*
 * Publishes an outbox to a Redis stream, in the order of events of each order.
 *
 * E1  The writer of the outbox commits an event together with the state that it describes: neither exists without the other.
 * E2  Every event is relayed at least once: it is marked as relayed after the stream has it.
 * E3  What Redis loses (flushed, killed, evicted, back from an older copy) is relayed again, as far as the outbox still keeps
 *     it (`keptMs`). Redis holds a witness, the number of the last batch, written with the batch; the database knows the
 *     number too. A witness that is missing or behind, or a stream that is gone, means a loss, however it came about.
 * K7  One process relays, by a lease on the database's clock; no transaction is open while Redis is asked. Two at once, for
 *     a moment, would only publish events twice. Batches, kept events and the stream are bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { inSchema, type Query, statement } from '@holdfast/postgres';
import type { EventSeal } from './event-seal.ts';
import type { Outbox } from './outbox.ts';
import type { RedisClient } from './redis-client.ts';

export interface OutboxRelayOptions {
  outbox: Outbox;
  pool: Query;
  /** Where the tables are. Default `holdfast`. */
  schema?: string;
  redis: RedisClient;
  /** Signs each event, so that consumers believe it (E8). */
  seal: EventSeal;
  /** Which process this is; unique. */
  holder: string;
  /** How long an event is kept after it was relayed. */
  keptMs: number;
  /** Entries of the stream, about; older ones are dropped. */
  streamLength?: number;
  /** Called with the number of events that were published. */
  onRelayed?: (events: number) => void;
  /** Called when Redis has lost events; those that are kept are relayed again. */
  onLoss?: () => void;
  /** Called when a batch failed; it is tried again. */
  onError?: (error: Error) => void;
}

export interface OutboxRelay {
  /** Relays what is there, if no other process does. For tests; the timer calls it otherwise. @returns events relayed */
  relay(): Promise<number>;
  stop(): Promise<void>;
}

const BATCH = 500;
const HELD_MS = 10_000;
const EVERY_MS = 200;
const STREAM_LENGTH = 1_000_000;
const SWEEP_BATCH = 2_000;

// Looks at stream and witness and hands the batch on in one go: a loss in between would go unseen. An empty one only looks. A
// relay that was paused past its lease must not set the witness back: that would look like a loss.
const HAND_ON = `
  local batches = tonumber(ARGV[1])
  local witness = tonumber(redis.call('get', KEYS[2]) or '0')
  if witness < batches then return 0 end
  if batches > 0 and redis.call('exists', KEYS[1]) == 0 then return 0 end
  for i = 3, #ARGV, 6 do
    redis.call('xadd', KEYS[1], 'maxlen', '~', ARGV[2], '*', 'id', ARGV[i], 'type', ARGV[i + 1],
               'orderId', ARGV[i + 2], 'tenantId', ARGV[i + 3], 'at', ARGV[i + 4], 'mac', ARGV[i + 5])
  end
  if #ARGV > 2 and witness <= batches then redis.call('set', KEYS[2], batches + 1) end
  return 1`;

// What is kept may be nothing: the stream is there all the same, so that its next loss is seen.
const REPAIR = `
  if redis.call('exists', KEYS[1]) == 0 then redis.call('xdel', KEYS[1], redis.call('xadd', KEYS[1], '*', 'id', '')) end
  redis.call('set', KEYS[2], ARGV[1])`;

// The first relay of all makes the row; whoever meets it later takes it over once its lease has run out.
const holdRelay = statement(
  'messaging.hold-relay',
  `insert into holdfast.relays as r (name, holder, held_until)
   values ($1::text, $2::text, clock_timestamp() + $3::integer * interval '1 millisecond')
   on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
    where r.holder = excluded.holder or r.held_until is null or r.held_until < clock_timestamp()
   returning batches`,
);
const releaseRelay = statement(
  'messaging.release-relay',
  'update holdfast.relays set held_until = null where name = $1::text and holder = $2::text',
);
const nextBatch = statement(
  'messaging.next-batch',
  `select tenant_id as "tenantId", order_id as "orderId", kind, at
     from holdfast.outbox where relayed_at is null order by at limit $1::integer`,
);
const IS_EVENT = 'outbox.tenant_id = r.tenant_id and outbox.order_id = r.order_id and outbox.kind = r.kind';
const markRelayed = statement(
  'messaging.mark-relayed',
  `with counted as (update holdfast.relays set batches = greatest(batches, $5::bigint) where name = $1::text)
   update holdfast.outbox set relayed_at = clock_timestamp()
     from unnest($2::text[], $3::text[], $4::text[]) as r (tenant_id, order_id, kind)
    where ${IS_EVENT}`,
);
const relayAgain = statement(
  'messaging.relay-again',
  `update holdfast.outbox set relayed_at = null
     from (select tenant_id, order_id, kind from holdfast.outbox
            where relayed_at is not null order by relayed_at limit $1::integer) as r
    where ${IS_EVENT}`,
);
const forgetRelayed = statement(
  'messaging.forget-relayed',
  `delete from holdfast.outbox
    using (select tenant_id, order_id, kind from holdfast.outbox
            where relayed_at < clock_timestamp() - $1::bigint * interval '1 millisecond'
            order by relayed_at limit $2::integer) as r
    where ${IS_EVENT}`,
);

interface OutboxEvent {
  tenantId: string;
  orderId: string;
  kind: string;
  at: Date;
}

/** Relays in the background until stopped. */
export function startOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { redis, seal, holder, keptMs, streamLength = STREAM_LENGTH } = options;
  const { name, stream, witness, subject } = options.outbox;
  const pool = inSchema(options.pool, options.schema);
  const { onRelayed = () => {}, onLoss = () => {}, onError = () => {} } = options;
  const stopping = new AbortController();
  let turn: Promise<number> = Promise.resolve(0);

  async function hand(batch: OutboxEvent[], batches: number): Promise<'handed' | 'lost'> {
    const events = batch.flatMap(({ orderId, kind, tenantId, at }) => {
      const members = {
        id: `${orderId}:${kind}`,
        type: `${subject}.${kind}`,
        orderId,
        tenantId,
        at: at.toISOString(),
      };
      return [...Object.values(members), seal.macOf(stream, members)];
    });
    const done = await redis.eval(HAND_ON, 2, stream, witness, batches, streamLength, ...events);
    return done === 1 ? 'handed' : 'lost';
  }

  /** After a crash in here, the witness is behind again. */
  async function recoverLoss(batches: number): Promise<void> {
    onLoss();
    for (;;) {
      const { rowCount } = await pool.query({ ...relayAgain, values: [SWEEP_BATCH] });
      if ((rowCount ?? 0) < SWEEP_BATCH) break;
    }
    await redis.eval(REPAIR, 2, stream, witness, batches);
  }

  async function relayHeld(): Promise<number> {
    let total = 0;
    while (!stopping.signal.aborted) {
      const held = await pool.query<{ batches: number }>({ ...holdRelay, values: [name, holder, HELD_MS] });
      const batches = held.rows[0]?.batches;
      if (batches === undefined) return total;
      const { rows } = await pool.query<OutboxEvent>({ ...nextBatch, values: [BATCH] });
      // An empty batch looks at the witness, too.
      if ((await hand(rows, batches)) === 'lost') {
        await recoverLoss(batches);
        continue;
      }
      if (rows.length === 0) return total;
      // crash here: the stream has the batch, which is not marked as relayed; it is relayed again (E2).
      const values = [
        name,
        rows.map(({ tenantId }) => tenantId),
        rows.map(({ orderId }) => orderId),
        rows.map(({ kind }) => kind),
        batches + 1,
      ];
      await pool.query({ ...markRelayed, values });
      onRelayed(rows.length);
      total += rows.length;
    }
    return total;
  }

  async function relayOnce(): Promise<number> {
    const total = await relayHeld();
    await pool.query({ ...forgetRelayed, values: [keptMs, SWEEP_BATCH] });
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
      await relay().catch(onError);
    }
  }
  const running = run();
  return {
    relay,
    async stop() {
      stopping.abort();
      await running;
      await pool.query({ ...releaseRelay, values: [name, holder] }).catch(() => undefined);
    },
  };
}
