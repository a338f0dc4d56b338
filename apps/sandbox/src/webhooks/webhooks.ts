/*
 * Webhooks: events are stored by the statement that makes them true, and sent from there until the endpoint has taken them.
 *
 * E1  An event is committed with what it tells of; a process that dies in between sends it when it is back.
 * E2  It arrives at least once, in any order, unless it is drawn to be lost. The endpoint sorts that out.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Pool, statement } from '@holdfast/postgres';
import type { Log, Metrics } from '@holdfast/service';
import type { FastifyInstance } from 'fastify';
import type { Faults } from '../faults.ts';
import { draftEvent, type EventDraft, signatureOf } from './events.ts';

export interface WebhookEndpoint {
  /** Null: events are neither written nor sent. */
  url: string | null;
  /** What they are signed with. */
  secret: string;
}

export interface Webhooks {
  /** What is to be told of an object; nothing while no endpoint is set. */
  draw(type: string, intentId: string, object: object): EventDraft[];
  /** Call it when a change is committed: sends what is due, and waits for what has to come before the answer. */
  written(events: readonly EventDraft[]): Promise<void>;
  endpoint(): WebhookEndpoint;
  setEndpoint(endpoint: WebhookEndpoint): Promise<void>;
  /** Copies of events that have not arrived yet. */
  pending(): Promise<number>;
  close(): Promise<void>;
}

export interface WebhookOptions {
  pool: Pool;
  faults: Faults;
  log: Log;
  metrics: Metrics;
  /** Over what is stored. */
  initial?: WebhookEndpoint | undefined;
  now?: () => number;
}

const READ = statement('sandbox.read-webhooks', 'select url, secret from webhook_settings where singleton');
const SET = statement(
  'sandbox.set-webhooks',
  `insert into webhook_settings (url, secret) values ($1::text, $2::text)
   on conflict (singleton) do update set url = excluded.url, secret = excluded.secret`,
);
const DUE = statement(
  'sandbox.due-deliveries',
  `select d.intent_id as "intentId", d.event_id as "eventId", d.copy, d.attempts, e.type, e.body
     from (select * from deliveries where settled_at is null and due_at <= clock_timestamp()
            order by due_at limit $1::int) d
     join events e on e.intent_id = d.intent_id and e.event_id = d.event_id`,
);
const COUNT_PENDING = statement(
  'sandbox.count-deliveries',
  'select count(*)::int as pending from deliveries where settled_at is null',
);
const SETTLE = statement(
  'sandbox.settle-delivery',
  `update deliveries
      set attempts = attempts + 1,
          settled_at = case when $4::float8 is null then clock_timestamp() end,
          due_at = coalesce(clock_timestamp() + $4::float8 * interval '1 millisecond', due_at)
    where intent_id = $1::text and event_id = $2::text and copy = $3::int`,
);

interface Delivery {
  intentId: string;
  eventId: string;
  copy: number;
  attempts: number;
  type: string;
  body: string;
}

const LOOK_EVERY_MS = 100;
const BATCH = 64;
const TIMEOUT_MS = 10_000;
// As Stripe does in test mode: a few tries over a few hours, here in less time.
const ATTEMPTS_MAX = 16;
const RETRY = { baseMs: 200, capMs: 60_000 };
/** An endpoint that never answers must not hold an answer of the API for ever. */
const BEFORE_ANSWER_MS = 2_000;
const DEFAULT: WebhookEndpoint = { url: null, secret: 'whsec_holdfast' };

export async function startWebhooks(options: WebhookOptions): Promise<Webhooks> {
  const { pool, faults, log, metrics, initial, now = Date.now } = options;
  const sent = metrics.counter('sandbox_webhooks_total', 'Webhooks sent', ['type', 'outcome']);
  const stored = (await pool.query<WebhookEndpoint>(READ)).rows[0];
  let endpoint = initial ?? stored ?? DEFAULT;
  const closing = new AbortController();
  let poked = Promise.withResolvers<void>();
  /** Events that an answer waits for. */
  const awaited = new Map<string, () => void>();

  const settle = async (delivery: Delivery, retryInMs: number | null) => {
    const { intentId, eventId, copy } = delivery;
    await pool.query({ ...SETTLE, values: [intentId, eventId, copy, retryInMs] });
    if (retryInMs === null) awaited.get(eventId)?.();
  };
  const send = async (delivery: Delivery) => {
    const taken = await post(endpoint, delivery, now, closing.signal);
    sent.inc({ type: delivery.type, outcome: taken ? 'taken' : 'refused' });
    const isOver = taken || delivery.attempts + 1 >= ATTEMPTS_MAX;
    await settle(delivery, isOver ? null : Math.min(RETRY.capMs, RETRY.baseMs * 2 ** delivery.attempts));
  };
  const run = async () => {
    while (!closing.signal.aborted) {
      poked = Promise.withResolvers();
      const due = endpoint.url === null ? [] : (await pool.query<Delivery>({ ...DUE, values: [BATCH] })).rows;
      // crash here: sent and not noted; the endpoint gets them again.
      await Promise.all(due.map(send));
      if (due.length > 0) continue;
      const pause = new AbortController();
      const stop = AbortSignal.any([closing.signal, pause.signal]);
      await Promise.race([poked.promise, delay(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)]);
      pause.abort();
    }
  };
  const running = (async () => {
    while (!closing.signal.aborted) {
      await run().catch(async (error: Error) => {
        log.warn({ message: error.message }, 'webhooks could not be sent; trying again');
        await delay(LOOK_EVERY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      });
    }
  })();
  return {
    draw: (type, intentId, object) =>
      endpoint.url === null
        ? []
        : [draftEvent(type, intentId, object, faults.drawWebhook(), Math.floor(now() / 1_000))],
    async written(events) {
      if (events.length === 0) return;
      const first = events.filter(({ beforeAnswer }) => beforeAnswer);
      const taken = Promise.all(
        first.map(({ id }) =>
          new Promise<void>((resolve) => awaited.set(id, resolve)).finally(() => awaited.delete(id)),
        ),
      );
      poked.resolve();
      if (first.length === 0) return;
      const late = new AbortController();
      const stop = AbortSignal.any([closing.signal, late.signal]);
      await Promise.race([taken, delay(BEFORE_ANSWER_MS, undefined, { signal: stop }).catch(() => undefined)]);
      late.abort();
      for (const { id } of first) awaited.get(id)?.();
    },
    endpoint: () => endpoint,
    async setEndpoint(wanted) {
      await pool.query({ ...SET, values: [wanted.url, wanted.secret] });
      endpoint = wanted;
      poked.resolve();
    },
    async pending() {
      return (await pool.query<{ pending: number }>(COUNT_PENDING)).rows[0]?.pending ?? 0;
    },
    async close() {
      closing.abort();
      poked.resolve();
      await running;
    },
  };
}

/** @returns whether the endpoint has taken it: any other answer, or none, is sent again */
async function post(
  { url, secret }: WebhookEndpoint,
  { body }: Delivery,
  now: () => number,
  closing: AbortSignal,
): Promise<boolean> {
  if (url === null) return false;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': signatureOf(body, secret, Math.floor(now() / 1_000)),
      },
      body,
      signal: AbortSignal.any([closing, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // Nobody there, or no answer in time: it is told again.
    return false;
  }
}

const ENDPOINT_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: { type: ['string', 'null'], pattern: '^https?://', maxLength: 500 },
    secret: { type: 'string', pattern: '^whsec_\\w{4,}$' },
  },
};

/** `GET /webhooks`, `PUT /webhooks`: where events go; `url: null` turns them off. */
export function webhookRoutes(app: FastifyInstance, webhooks: Webhooks): void {
  app.get('/webhooks', async () => ({ url: webhooks.endpoint().url, pending: await webhooks.pending() }));
  app.put<{ Body: { url: string | null; secret?: string } }>(
    '/webhooks',
    { schema: { body: ENDPOINT_SCHEMA } },
    async ({ body: { url, secret = webhooks.endpoint().secret } }) => {
      await webhooks.setEndpoint({ url, secret });
      return { url };
    },
  );
}
