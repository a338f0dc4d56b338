/*
 * The process that runs the orders of a contrast run, one way or the other. It dies when an order's plan says so, and
 * goes on when it is started again; it ends by itself when all orders have ended and nothing is under way any more.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AcceptedOrder, OrderOutputs } from '@holdfast/orchestrator';
import { connectParticipants, placeOrderSaga } from '@holdfast/orchestrator';
import { createPool, type Pool, statement } from '@holdfast/postgres';
import { operatorCertificates } from '@holdfast/rpc';
import {
  createEngine,
  type Engine,
  type Inserted,
  type SagaDefinition,
  type SagaRow,
  startSagaSql,
} from '@holdfast/saga';
import { Activities } from './activities.ts';
import { BadNetwork } from './bad-network.ts';
import { isDeadly, orderId, plannedOrder, TENANT_ID } from './orders.ts';
import { PATTERNS, type PatternName } from './patterns.ts';

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this program is started by main.ts`);
  return value;
};
const [WAY, SEED, ORDERS] = [setting('WAY'), Number(setting('SEED')), Number(setting('ORDERS'))];
const AT_ONCE = 32;
/** Time enough on a busy machine, and less than an outage takes. */
const DEADLINE_MS = 8_000;
const LEASE_MS = 3_000;
const ENDS_WITHIN_MS = 60_000;
const NOBODY = 0;

const ACCEPT = statement(
  'contrast.accept',
  `with claimed as (
     insert into orders (id, tenant_id, customer_id, created_at)
     values ($1::text, '${TENANT_ID}', $2::text, clock_timestamp())
     on conflict do nothing
     returning id
   ), started as (${startSagaSql({
     id: 'claimed.id',
     definition: '$3::text',
     input: '$4::jsonb',
     ownerId: '$5::bigint',
     deadlineMs: '$6::integer',
     changedAt: 'clock_timestamp()',
     source: 'claimed',
   })})
   select * from started`,
);
const END = statement(
  'contrast.end',
  `update holdfast.sagas set state = $2::text, outputs = $3::jsonb, ended_at = clock_timestamp()
    where id = $1::text and ended_at is null`,
);
const UNENDED = statement(
  'contrast.unended',
  'select id from holdfast.sagas where definition = $1::text and ended_at is null limit 1',
);
const HAS_ENDED = statement(
  'contrast.has-ended',
  'select from holdfast.sagas where id = $1::text and ended_at is not null',
);

type PlaceOrder = SagaDefinition<AcceptedOrder, OrderOutputs>;

// What this program does not get from its own database in time would be a fault that nobody has planned.
const pool = createPool({
  databaseUrl: setting('DATABASE_URL'),
  applicationName: `contrast ${WAY}`,
  max: 8,
  connectTimeoutMs: 30_000,
});
const participants = connectParticipants(
  {
    INVENTORY_ADDR: setting('INVENTORY_ADDR'),
    PAYMENT_ADDR: setting('PAYMENT_ADDR'),
    SHIPPING_ADDR: setting('SHIPPING_ADDR'),
  },
  operatorCertificates(JSON.parse(setting('TLS_FILES'))),
);
const network = new BadNetwork(pool, SEED);
const LIMITS = { deadlineMs: DEADLINE_MS, paymentWaitMs: DEADLINE_MS };
// The saga that Holdfast runs in production, under a name that no other process takes over.
const saga: PlaceOrder = { ...placeOrderSaga(network.between(participants), LIMITS), name: `contrast-${WAY}` };

if (WAY === 'holdfast') await byHoldfast();
else await eachOrder((n) => byPattern(n, WAY as PatternName));
participants.close();
await pool.end();

/** Those at which the process dies come last: what is held up in it for others would die with it, and never arrive. */
async function eachOrder(run: (n: number) => Promise<void>): Promise<void> {
  const all = Array.from({ length: ORDERS }, (_, n) => n);
  for (const die of [false, true]) {
    const left = all.filter((n) => isDeadly(plannedOrder(SEED, n).fault) === die).values();
    const lane = async () => {
      for (const n of left) await run(n);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    await network.quiet();
  }
}

async function byHoldfast(): Promise<void> {
  const log = { info() {}, warn() {}, error: console.error };
  const engine = createEngine({
    pool,
    definitions: [saga],
    name: 'contrast',
    isNameUnique: true,
    leaseMs: LEASE_MS,
    log,
  });
  await engine.start();
  await eachOrder((n) => startSaga(engine, n));
  const deadlineAt = performance.now() + ENDS_WITHIN_MS;
  while ((await pool.query({ ...UNENDED, values: [saga.name] })).rowCount !== 0) {
    if (performance.now() > deadlineAt) break;
    await delay(100);
  }
  await engine.stop();
}

async function startSaga(engine: Engine, n: number): Promise<void> {
  const id = orderId(WAY, SEED, n);
  const deadlineAt = performance.now() + ENDS_WITHIN_MS;
  for (;;) {
    const outcome = await engine.beginWith(id, async (ownerId): Promise<Inserted<undefined>> => {
      const row = await accept(pool, n, ownerId);
      // Accepted by an earlier life of this process: the engine adopts it by itself.
      return row === undefined ? { kind: 'exists', existing: undefined } : { kind: 'begun', row };
    });
    if (outcome.kind === 'begun' || outcome.kind === 'exists') break;
    // An engine that has lost its lease on a busy machine takes sagas again when it has another.
    if (performance.now() > deadlineAt) throw new Error(`the engine does not take ${id}: ${outcome.kind}`);
    await delay(50);
  }
  await engine.waitForEnd(id, ENDS_WITHIN_MS);
}

async function byPattern(n: number, name: PatternName): Promise<void> {
  const id = orderId(WAY, SEED, n);
  await accept(pool, n, NOBODY);
  const { rowCount } = await pool.query({ ...HAS_ENDED, values: [id] });
  if (rowCount !== 0) return;
  const activities = new Activities(pool, id, inputOf(n));
  const end = await PATTERNS[name](saga.steps, activities);
  await pool.query({ ...END, values: [id, end, JSON.stringify(activities.outputs)] });
}

/** @returns undefined when it had been accepted before */
async function accept(db: Pool, n: number, ownerId: number): Promise<SagaRow | undefined> {
  const input = inputOf(n);
  const values = [orderId(WAY, SEED, n), input.customerId, saga.name, JSON.stringify(input), ownerId, DEADLINE_MS];
  const { rows } = await db.query<SagaRow>({ ...ACCEPT, values });
  return rows[0];
}

function inputOf(n: number): AcceptedOrder {
  return { ...plannedOrder(SEED, n).order, createdAt: new Date(0).toISOString(), traceparent: '' };
}
