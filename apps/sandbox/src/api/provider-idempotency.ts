import { createHash } from 'node:crypto';
import { type Pool, type Statement, statement } from '@holdfast/postgres';
import type { Log } from '@holdfast/service';
import { INTENT_COLUMNS, type Intent } from '../cards/payment-intent.ts';
import type { FaultPlan } from '../faults.ts';
import type { Store } from '../store.ts';
import type { EventDraft } from '../webhooks/events.ts';
import { failure, LOCK_TIMEOUT, SERVER_ERROR, type StripeAnswer } from './stripe-answer.ts';
import type { Pairs } from './stripe-params.ts';

/**
 * Idempotency keys as Stripe keeps them.
 *
 * - K1 Claim, effect and stored answer are one statement, so one transaction: `guarded` builds it. There is no moment
 *   at which one of them exists without the others.
 * - K2 Same key and parameters: the stored status and body, byte for byte, whatever the outcome was (card errors and
 *   500s too). Other parameters or another endpoint: 400, the stored row untouched. While the first request runs: 409.
 * - K5 A key is forgotten after 24 h; what keeps a card from being captured twice then is the intent's own state and the
 *   ledger's unique index, which never expire.
 *
 * What fails validation never gets here and is not stored. What webhooks are to tell of a change is in its statement, too.
 *
 * Most requests bring a new key for an intent that is as this process has left it. So they are decided on that, and their
 * one statement tells whether it is so; only when it isn't, there is something to read.
 */

/** The first seven values of every guarded statement; an effect's own start at $8. */
const CLAIM = `
  free as materialized (
    -- Held until the commit: whoever else comes with the key meanwhile gets 409 at once instead of waiting.
    select case when $1::text is null then true
                else pg_try_advisory_xact_lock(hashtextextended('idempotency-key:' || $1::text, 0)) end as yes
  )`;
const CLAIMED = `
  claim as (
    insert into idempotency_keys as k (key, operation, fingerprint, status, body, request_id, expires_at)
    select $1::text, $2::text, $3::bytea, $4::int, $5::text, $6::text, clock_timestamp() + interval '24 hours'
      from target where $1::text is not null
        on conflict (key) do update
       set operation = excluded.operation, fingerprint = excluded.fingerprint, status = excluded.status,
           body = excluded.body, request_id = excluded.request_id, expires_at = excluded.expires_at
     where k.expires_at <= clock_timestamp()
    returning key
  ),
  mine as (select target.* from target where $1::text is null or exists (select from claim)),
  told as (
    insert into events (intent_id, event_id, type, body)
    select e->>'intentId', e->>'id', e->>'type', e->>'body' from mine, jsonb_array_elements($7::jsonb) e
  ),
  arriving as (
    insert into deliveries (intent_id, event_id, copy, due_at)
    select e->>'intentId', e->>'id', c.copy, clock_timestamp() + c.delay_ms::float8 * interval '1 millisecond'
      from mine, jsonb_array_elements($7::jsonb) e,
           jsonb_array_elements_text(e->'copies') with ordinality as c (delay_ms, copy)
  )`;

/**
 * One statement that claims the key, applies the effect and stores the answer, or does none of it.
 *
 * @param target a query over `free` that yields one row when the effect may be applied, and locks what it is decided on
 * @param effects further CTEs that read from `mine`; it is empty when the key was taken meanwhile
 * @param written true when the effect was applied
 */
export function guarded(name: string, target: string, effects: string, written: string): Statement {
  return statement(
    name,
    `with ${CLAIM},
  target as materialized (${target}),
  ${CLAIMED}${effects === '' ? '' : `,\n  ${effects}`}
  select free.yes as free, (${written}) as written from free`,
  );
}

const STORE_ANSWER = guarded(
  'sandbox.store-answer',
  'select 1 as one from free where free.yes',
  '',
  'select count(*) = 1 from claim',
);

const READ_FOR_CHANGE = statement(
  'sandbox.read-for-change',
  `select extract(epoch from c.at)::bigint as at,
          k.operation as key_operation, k.fingerprint as key_fingerprint, k.status as key_status, k.body as key_body,
          k.request_id as key_request_id, ${INTENT_COLUMNS}
     from (select clock_timestamp() as at) c
     left join idempotency_keys k on k.key = $1::text and k.expires_at > c.at
     left join payment_intents i on i.intent_id = $2::text`,
);

const PURGE = statement(
  'sandbox.purge-idempotency-keys',
  `delete from idempotency_keys where key in (
     select key from idempotency_keys where expires_at <= clock_timestamp() order by expires_at limit $1::int)`,
);

interface KeyRow {
  key_operation: string | null;
  key_fingerprint: Buffer;
  key_status: number;
  key_body: string;
  key_request_id: string;
}
type ReadRow = { at: number } & KeyRow & { [K in keyof Intent]: Intent[K] | null };

/** What a decision is made on. */
export interface Seen {
  /** Unix seconds. */
  at: number;
  intent: Intent | null;
}

export type Decision =
  | { kind: 'invalid'; answer: StripeAnswer }
  | { kind: 'outcome'; answer: StripeAnswer; change: Change | null };

/** A statement made by `guarded`, with its values from $8 on. */
export interface Change {
  statement: Statement;
  values: unknown[];
  /** What webhooks tell of it. */
  events: readonly EventDraft[];
  /** The intent that it makes. */
  made?: Intent;
}

export interface ProviderRequest {
  key: string | null;
  /** Method and path. */
  operation: string;
  pairs: Pairs;
  requestId: string;
  /** The intent that it reads or changes. */
  intentId: string | null;
  /** What it will most likely meet, under a new key; null: that is to be read. */
  expected: Seen | null;
  faults: FaultPlan;
}

export interface Executed {
  answer: StripeAnswer;
  /** The request that ran, when this one was answered from the store. */
  replayOf: string | null;
  /** The intent that was made. */
  made?: Intent | undefined;
  /** What webhooks tell of what was done. */
  events: readonly EventDraft[];
}

const ATTEMPTS_MAX = 5;

/**
 * Runs a changing request once per key. `decide` may be called again when the intent changed under it, and must
 * depend on what it is given only.
 */
export async function executeOnce(
  store: Store,
  request: ProviderRequest,
  decide: (seen: Seen) => Decision,
): Promise<Executed> {
  const fingerprint = fingerprintOf(request);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const expected = attempt === 0 ? request.expected : null;
    const { known, seen } =
      expected === null ? await readForChange(store.pool, request) : { known: null, seen: expected };
    if (known) return replay(known, request, fingerprint);
    const decision = withServerError(decide(seen), request.faults);
    const change = decision.kind === 'outcome' ? decision.change : null;
    // What was expected is checked by the statement of a change, and by nothing else.
    if (expected !== null && change === null) continue;
    if (decision.kind === 'invalid') return { answer: decision.answer, replayOf: null, events: [] };
    const wrote = await write(store, request, fingerprint, decision.answer, change);
    // crash here: claim, effect and answer are committed together, the caller has heard nothing; its retry is replayed.
    if (wrote === 'written') {
      return { answer: decision.answer, replayOf: null, made: change?.made, events: change?.events ?? [] };
    }
    if (wrote === 'in-use') return { answer: keyInUse(request.key ?? ''), replayOf: null, events: [] };
    // Nothing was written: the intent changed, or the key's first request committed since the read. Look again.
  }
  return { answer: LOCK_TIMEOUT, replayOf: null, events: [] };
}

async function readForChange(pool: Pool, request: ProviderRequest): Promise<{ known: KeyRow | null; seen: Seen }> {
  const { rows } = await pool.query<ReadRow>({ ...READ_FOR_CHANGE, values: [request.key, request.intentId] });
  const row = rows[0];
  if (row === undefined) throw new Error('reading for a change returned no row');
  const { at, key_operation, key_fingerprint, key_status, key_body, key_request_id, ...intent } = row;
  const known =
    key_operation === null ? null : { key_operation, key_fingerprint, key_status, key_body, key_request_id };
  return { known, seen: { at, intent: intent.intentId === null ? null : (intent as Intent) } };
}

async function write(
  store: Store,
  request: ProviderRequest,
  fingerprint: Buffer,
  answer: StripeAnswer,
  change: Change | null,
): Promise<'written' | 'in-use' | 'overtaken'> {
  if (change === null && request.key === null) return 'written';
  const claim = [request.key, request.operation, fingerprint, answer.status, answer.body, request.requestId];
  const events = JSON.stringify(change?.events ?? []);
  const [row] = await store.commit<{ free: boolean; written: boolean }>(request.intentId ?? request.requestId, {
    ...(change?.statement ?? STORE_ANSWER),
    values: [...claim, events, ...(change?.values ?? [])],
  });
  if (row?.written === true) return 'written';
  return row?.free === false ? 'in-use' : 'overtaken';
}

/** A drawn 500 is an outcome like any other: it is stored, and comes back for as long as its key lives. */
function withServerError(decision: Decision, faults: FaultPlan): Decision {
  if (decision.kind === 'invalid' || faults.error500 === null) return decision;
  faults.happened('error500');
  return { kind: 'outcome', answer: SERVER_ERROR, change: faults.error500 === 'before' ? null : decision.change };
}

function replay(known: KeyRow, request: ProviderRequest, fingerprint: Buffer): Executed {
  const differs = (what: string): Executed => ({
    answer: failure(400, {
      type: 'idempotency_error',
      message:
        `Keys for idempotent requests can only be used ${what}. Try using a key other than '${request.key}' if you ` +
        'meant to execute a different request.',
    }),
    replayOf: null,
    events: [],
  });
  if (known.key_operation !== request.operation) {
    return differs(
      `for the same endpoint they were first used for ('${request.operation}' vs '${known.key_operation}')`,
    );
  }
  if (!fingerprint.equals(known.key_fingerprint)) return differs('with the same parameters they were first used with');
  return { answer: { status: known.key_status, body: known.key_body }, replayOf: known.key_request_id, events: [] };
}

function keyInUse(key: string): StripeAnswer {
  return failure(409, {
    type: 'invalid_request_error',
    code: 'idempotency_key_in_use',
    message:
      'There is currently another in-progress request using this Idempotent Key (that probably means you submitted ' +
      `twice, and the other request is still going through): ${key}. Please try again later.`,
  });
}

// The order of parameters says nothing; the order of the members of one array does, and `sort` keeps it.
function fingerprintOf(request: ProviderRequest): Buffer {
  const sorted = [...request.pairs].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return createHash('sha256')
    .update(JSON.stringify([request.operation, sorted]))
    .digest();
}

const PURGE_EVERY_MS = 10_000;
const PURGE_BATCH = 1_000;
const PURGE_BATCHES_MAX = 20;

/** Deletes expired keys in short batches. Lookups ignore them already: only space is won. */
export function startKeyPurge(pool: Pool, log: Log, everyMs = PURGE_EVERY_MS): { stop(): Promise<void> } {
  let stopped = false;
  let running = Promise.resolve();
  const purge = async () => {
    for (let batch = 0; batch < PURGE_BATCHES_MAX && !stopped; batch += 1) {
      const { rowCount } = await pool.query({ ...PURGE, values: [PURGE_BATCH] });
      if ((rowCount ?? 0) < PURGE_BATCH) return;
    }
  };
  const timer = setInterval(() => {
    // After the one before it: a slow database never meets two at once.
    running = running.then(purge).catch((error: Error) => {
      log.warn({ message: error.message }, 'expired idempotency keys were not purged; trying again at the next turn');
    });
  }, everyMs).unref();
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
