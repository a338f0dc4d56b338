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
import { streamKeyOf } from '@holdfast/contracts';
import { type Query, type Statement, statement } from '@holdfast/postgres';
import type { RedisClient } from './redis-client.ts';

/** Where a service writes what has happened; the README shows the shape of its two tables. */
export interface OutboxTables {
  /** Names the relay's row in `relays`, its statements, and the stream. */
  name: string;
  /** What the events are about: `order` in `order.accepted`. */
  subject: string;
  /** The tables' names. */
  outbox: string;
  relays: string;
}

export interface Outbox {
  stream: string;
  witness: string;
  subject: string;
  statements: Record<'hold' | 'release' | 'nextBatch' | 'markRelayed' | 'relayAgain' | 'forget', Statement>;
}

export interface OutboxRelayOptions {
  outbox: Outbox;
  pool: Query;
  redis: RedisClient;
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
  for i = 3, #ARGV, 5 do
    redis.call('xadd', KEYS[1], 'maxlen', '~', ARGV[2], '*', 'id', ARGV[i], 'type', ARGV[i + 1],
               'orderId', ARGV[i + 2], 'tenantId', ARGV[i + 3], 'at', ARGV[i + 4])
  end
  if #ARGV > 2 and witness <= batches then redis.call('set', KEYS[2], batches + 1) end
  return 1`;

// What is kept may be nothing: the stream is there all the same, so that its next loss is seen.
const REPAIR = `
  if redis.call('exists', KEYS[1]) == 0 then redis.call('xdel', KEYS[1], redis.call('xadd', KEYS[1], '*', 'id', '')) end
  redis.call('set', KEYS[2], ARGV[1])`;

const TABLE = /^[a-z_]{1,60}$/;

/** @throws RangeError; the names become part of statements, and are written in a program, not read from outside */
export function defineOutbox({ name, subject, outbox, relays }: OutboxTables): Outbox {
  if (!TABLE.test(outbox) || !TABLE.test(relays) || !/^[a-z-]{1,60}$/.test(name)) {
    throw new RangeError('name: give letters and hyphens; outbox, relays: give the names of tables');
  }
  // One hash tag: on a Cluster, stream and witness are on one node, and are lost together.
  const stream = streamKeyOf(name);
  const isEvent = `${outbox}.tenant_id = r.tenant_id and ${outbox}.order_id = r.order_id and ${outbox}.kind = r.kind`;
  const statements = {
    hold: statement(
      `${name}.hold-relay`,
      `update ${relays} set holder = $1::text, held_until = clock_timestamp() + $2::integer * interval '1 millisecond'
        where name = '${name}' and (holder = $1::text or held_until is null or held_until < clock_timestamp())
       returning batches`,
    ),
    release: statement(
      `${name}.release-relay`,
      `update ${relays} set held_until = null where name = '${name}' and holder = $1::text`,
    ),
    nextBatch: statement(
      `${name}.next-batch`,
      `select tenant_id as "tenantId", order_id as "orderId", kind, at
         from ${outbox} where relayed_at is null order by at limit $1::integer`,
    ),
    markRelayed: statement(
      `${name}.mark-relayed`,
      `with counted as (update ${relays} set batches = greatest(batches, $4::bigint) where name = '${name}')
       update ${outbox} set relayed_at = clock_timestamp()
         from unnest($1::text[], $2::text[], $3::text[]) as r (tenant_id, order_id, kind)
        where ${isEvent}`,
    ),
    relayAgain: statement(
      `${name}.relay-again`,
      `update ${outbox} set relayed_at = null
         from (select tenant_id, order_id, kind from ${outbox}
                where relayed_at is not null order by relayed_at limit $1::integer) as r
        where ${isEvent}`,
    ),
    forget: statement(
      `${name}.forget`,
      `delete from ${outbox}
        using (select tenant_id, order_id, kind from ${outbox}
                where relayed_at < clock_timestamp() - $1::bigint * interval '1 millisecond'
                order by relayed_at limit $2::integer) as r
        where ${isEvent}`,
    ),
  };
  return { stream, witness: `${stream}:witness`, subject, statements };
}

interface OutboxEvent {
  tenantId: string;
  orderId: string;
  kind: string;
  at: Date;
}

/** Relays in the background until stopped. */
export function startOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { outbox, pool, redis, holder, keptMs, streamLength = STREAM_LENGTH } = options;
  const { stream, witness, subject, statements } = outbox;
  const { onRelayed = () => {}, onLoss = () => {}, onError = () => {} } = options;
  const stopping = new AbortController();
  let turn: Promise<number> = Promise.resolve(0);

  async function hand(batch: OutboxEvent[], batches: number): Promise<'handed' | 'lost'> {
    const events = batch.flatMap(({ orderId, kind, tenantId, at }) => [
      `${orderId}:${kind}`,
      `${subject}.${kind}`,
      orderId,
      tenantId,
      at.toISOString(),
    ]);
    const done = await redis.eval(HAND_ON, 2, stream, witness, batches, streamLength, ...events);
    return done === 1 ? 'handed' : 'lost';
  }

  /** After a crash in here, the witness is behind again. */
  async function recoverLoss(batches: number): Promise<void> {
    onLoss();
    for (;;) {
      const { rowCount } = await pool.query({ ...statements.relayAgain, values: [SWEEP_BATCH] });
      if ((rowCount ?? 0) < SWEEP_BATCH) break;
    }
    await redis.eval(REPAIR, 2, stream, witness, batches);
  }

  async function relayHeld(): Promise<number> {
    let total = 0;
    while (!stopping.signal.aborted) {
      const held = await pool.query<{ batches: number }>({ ...statements.hold, values: [holder, HELD_MS] });
      const batches = held.rows[0]?.batches;
      if (batches === undefined) return total;
      const { rows } = await pool.query<OutboxEvent>({ ...statements.nextBatch, values: [BATCH] });
      // An empty batch looks at the witness, too.
      if ((await hand(rows, batches)) === 'lost') {
        await recoverLoss(batches);
        continue;
      }
      if (rows.length === 0) return total;
      // crash here: the stream has the batch, which is not marked as relayed; it is relayed again (E2).
      const values = [
        rows.map(({ tenantId }) => tenantId),
        rows.map(({ orderId }) => orderId),
        rows.map(({ kind }) => kind),
        batches + 1,
      ];
      await pool.query({ ...statements.markRelayed, values });
      onRelayed(rows.length);
      total += rows.length;
    }
    return total;
  }

  async function relayOnce(): Promise<number> {
    const total = await relayHeld();
    await pool.query({ ...statements.forget, values: [keptMs, SWEEP_BATCH] });
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
      await pool.query({ ...statements.release, values: [holder] }).catch(() => undefined);
    },
  };
}
