import { randomUUID } from 'node:crypto';
import { createSingleFlight, idempotencyMigrations } from '@holdfast/idempotency';
import { createStepRunner, type Prepared, type StepSpec } from '@holdfast/participant';
import type { CallOptions, CallResult, Client } from '@holdfast/rpc';
import { InvalidRequest, type ServiceBinding, service, services, startServer, statusBytes } from '@holdfast/rpc';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type TestParticipant, testParticipant } from '../../test/test-participant.ts';
import type { Participant } from '../run-participant.ts';
import { keyedCall, stepAnswer, storeFault } from '../step/step-call.ts';
import { createStepClient } from './step-client.ts';
import { stepStreams } from './step-server.ts';

// Two methods of a real service on a real database, with the test's own effects: what is compared is how they are reached.

type Inventory = typeof services.inventory;
const reserve = services.inventory.ReserveInventory;
const release = services.inventory.ReleaseInventory;

/** By order: what its act does beside reserving. */
const wishes = new Map<string, 'refuse' | 'busy' | 'fail' | 'invalid' | 'unknown'>();
let reserved: string[] = [];
const preparing = new Set<string>();
let hold: Promise<void> | undefined;

const act: StepSpec<string, string, never> = {
  operation: 'reserve',
  async prepare(tx, calls) {
    for (const { request } of calls) preparing.add(request);
    await hold;
    const outcomes: Prepared<string>[] = [];
    for (const { request: orderId } of calls) {
      const wish = wishes.get(orderId);
      if (wish === 'busy') await tx.query(`do $$ begin raise exception 'busy' using errcode = '55P03'; end $$`);
      if (wish === 'fail') await tx.query('select 1 from secret_table');
      if (wish === 'invalid') throw new InvalidRequest('order_id', 'another order, please', 'CONFLICT');
      if (wish === 'refuse') outcomes.push({ kind: 'refused', answer: statusBytes('OUT_OF_STOCK', 'zu wenig: 3 ≥ 2') });
      else if (wish === 'unknown') outcomes.push({ kind: 'perform', plan: orderId });
      else outcomes.push({ kind: 'completed', answer: reserve.responseSerialize({ reservationId: 'r', total: 7 }) });
    }
    reserved.push(...calls.map(({ request }) => request));
    return outcomes;
  },
  outside: {
    leaseMs: 60_000,
    perform: async () => ({ kind: 'unknown', detail: 'nobody answers' }),
    record: () => Promise.reject(new Error('not part of this test')),
  },
};

const undo: StepSpec<string, never, never> = {
  operation: 'release',
  undoes: 'reserve',
  prepare: async (_tx, calls) =>
    calls.map((call) => ({ kind: 'completed', answer: release.responseSerialize({ reservationId: call.act }) })),
};

function boundTo({ pool, singleFlight, fingerprinter }: Participant): ServiceBinding {
  const unused = () => Promise.reject(new Error('not part of this test'));
  const runAct = createStepRunner(pool, singleFlight, act);
  const runUndo = createStepRunner(pool, singleFlight, undo);
  return service(services.inventory, {
    GetStep: unused,
    ReserveRestock: unused,
    ReleaseRestock: unused,
    Restock: unused,
    GetStock: unused,
    PutStock: unused,
    AdjustStock: unused,
    async ReserveInventory(request, call) {
      const keyed = keyedCall(call, { name: 'reserve', sagaId: request.orderId }, request, fingerprinter);
      return stepAnswer(await runAct(keyed, request.orderId));
    },
    async ReleaseInventory(request, call) {
      const operation = { name: 'release', undo: true, sagaId: request.orderId };
      return stepAnswer(await runUndo(keyedCall(call, operation, request, fingerprinter), request.orderId));
    },
  });
}

const noTables = [idempotencyMigrations];
let participant: TestParticipant<Inventory>;
let steps: Client<Inventory>;
beforeAll(async () => {
  participant = await testParticipant('step_stream', services.inventory, noTables, boundTo);
  steps = createStepClient(services.inventory, participant.address);
});
afterAll(async () => {
  steps.close();
  await participant.stop();
});
beforeEach(() => {
  wishes.clear();
  reserved = [];
  hold = undefined;
});

const options = (key: string, extra: Partial<CallOptions> = {}): CallOptions => ({
  timeoutMs: 5_000,
  tenantId: 'shop',
  key,
  epoch: 5,
  ...extra,
});

/** One order, and its calls by one of the two ways. */
function orderBy(client: Client<Inventory>, wish?: 'refuse' | 'busy' | 'fail' | 'invalid' | 'unknown') {
  const orderId = randomUUID();
  const key = `${orderId}:reserve`;
  if (wish !== undefined) wishes.set(orderId, wish);
  const request = { orderId, currency: 'EUR', lines: [] };
  return {
    orderId,
    key,
    act: (extra: Partial<CallOptions> = {}, body: object = {}) =>
      client.ReserveInventory({ ...request, ...body }, options(key, extra)),
    undo: (extra: Partial<CallOptions> = {}) => client.ReleaseInventory({ orderId }, options(`${key}:undo`, extra)),
  };
}
type Order = ReturnType<typeof orderBy>;

const { key: _, ...keyless } = options('');

/** Each scenario's answers, and the reason (or `ok`) that each must have. */
const scenarios: [
  string,
  string[],
  (order: Order) => Promise<CallResult<unknown>[]>,
  Parameters<typeof orderBy>[1]?,
][] = [
  ['G2: a malformed key', ['IDEMPOTENCY_KEY_INVALID'], async (order) => [await order.act({ key: 'too short' })]],
  [
    'G2: the keys of another order’s act and undo',
    ['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_INVALID'],
    async (order) => {
      const key = `${randomUUID()}:reserve`;
      return [await order.act({ key }), await order.undo({ key: `${key}:undo` })];
    },
  ],
  [
    'G2: the keys of act and undo mixed up',
    ['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_INVALID'],
    async (order) => [await order.act({ key: `${order.key}:undo` }), await order.undo({ key: order.key })],
  ],
  ['a tenant that is none', ['INVALID_REQUEST'], async (order) => [await order.act({ tenantId: 'a b' })]],
  ['an epoch that is none', ['INVALID_REQUEST'], async (order) => [await order.act({ epoch: -1 })]],
  ['G3: done, and again', ['completed', 'completed'], async (order) => [await order.act(), await order.act()]],
  [
    'G4: another request under the key',
    ['completed', 'IDEMPOTENCY_KEY_REUSED'],
    async (order) => [await order.act(), await order.act({}, { currency: 'USD' })],
  ],
  [
    'G6: refused, and again',
    ['OUT_OF_STOCK', 'OUT_OF_STOCK'],
    async (order) => [await order.act(), await order.act()],
    'refuse',
  ],
  ['G7: contention', ['TRY_AGAIN'], async (order) => [await order.act()], 'busy'],
  [
    'G8: an unknown outcome, twice',
    ['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'],
    async (order) => [await order.act(), await order.act()],
    'unknown',
  ],
  [
    'G9: a lower epoch',
    ['completed', 'FENCED', 'FENCED'],
    async (order) => [await order.act(), await order.act({ epoch: 4 }), await order.undo({ epoch: 4 })],
  ],
  [
    'G10, G11: an undo that comes first, and its act',
    ['completed', 'SEALED', 'completed'],
    async (order) => [await order.undo(), await order.act(), await order.undo()],
  ],
  ['a fault of ours', ['INTERNAL'], async (order) => [await order.act()], 'fail'],
  ['a request that contradicts what is stored', ['CONFLICT'], async (order) => [await order.act()], 'invalid'],
];

describe('a call by the stream', () => {
  it.each(scenarios)('is answered as the unary method answers: %s', async (_title, reasons, play, wish) => {
    const byStream = await play(orderBy(steps, wish));
    expect(byStream.map((result) => (result.kind === 'completed' ? 'completed' : result.reason))).toEqual(reasons);
    expect(byStream).toEqual(await play(orderBy(participant.client, wish)));
  });

  it('G1: without a key is answered as the unary method answers', async () => {
    const call = { orderId: randomUUID(), currency: 'EUR', lines: [] };
    const byStream = await steps.ReserveInventory(call, keyless);
    expect(byStream).toMatchObject({ reason: 'IDEMPOTENCY_KEY_MISSING', pushbackMs: -1 });
    expect(byStream).toEqual(await participant.client.ReserveInventory(call, keyless));
  });

  it('G5: that runs already, by either way, is asked to come back', async () => {
    const goOn = Promise.withResolvers<void>();
    hold = goOn.promise;
    const order = orderBy(steps);
    const running = order.act();
    const other = { ...orderBy(participant.client), orderId: order.orderId };
    const request = { orderId: other.orderId, currency: 'EUR', lines: [] };
    const busy = { reason: 'REQUEST_IN_PROGRESS', pushbackMs: 50 };
    expect(await order.act({ timeoutMs: 400 })).toMatchObject(busy);
    expect(await participant.client.ReserveInventory(request, options(order.key, { timeoutMs: 400 }))).toMatchObject(
      busy,
    );
    goOn.resolve();
    expect(await running).toMatchObject({ kind: 'completed', replayed: false });
  });

  it('G3: and the unary call under the same key get the same bytes', async () => {
    const order = orderBy(steps);
    const first = await order.act();
    const request = { orderId: order.orderId, currency: 'EUR', lines: [] };
    expect(await participant.client.ReserveInventory(request, options(order.key))).toEqual({
      ...first,
      replayed: true,
    });
    expect(await order.act()).toEqual({ ...first, replayed: true });
  });

  it('G14: with duplicates of one key in one message runs once, and all get its answer', async () => {
    const order = orderBy(steps);
    const all = await Promise.all(Array.from({ length: 20 }, () => order.act()));
    expect(all.filter((result) => result.kind === 'completed')).toHaveLength(20);
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(reserved).toEqual([order.orderId]);
  });

  it('G13: whose time is up, or whose caller gives up, is completed and stored', async () => {
    const goOn = Promise.withResolvers<void>();
    hold = goOn.promise;
    const [late, givenUp] = [orderBy(steps), orderBy(steps)];
    const hangUp = new AbortController();
    const lost = [late.act({ timeoutMs: 150 }), givenUp.act({ signal: hangUp.signal })];
    expect(await lost[0]).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    hangUp.abort();
    expect(await lost[1]).toMatchObject({ reason: 'CANCELLED' });
    goOn.resolve();
    await vi.waitFor(() => expect(reserved).toHaveLength(2));
    expect(await late.act()).toMatchObject({ kind: 'completed', replayed: true });
    expect(await givenUp.act()).toMatchObject({ kind: 'completed', replayed: true });
  });

  it('G5, S4: lost with its stream is unknown; asked again of another process it has one effect', async () => {
    const goOn = Promise.withResolvers<void>();
    hold = goOn.promise;
    const replica = await startReplica();
    const orders = Array.from({ length: 30 }, () => orderBy(replica.client));
    const lost = orders.map((order) => order.act());
    // Those whose transaction is open, and those that wait for it.
    await somebodyRuns(orders);
    await replica.server.stop(100);
    for (const result of await Promise.all(lost)) {
      expect(result).toMatchObject({ kind: 'error', pushbackMs: null, replayed: false });
    }
    goOn.resolve();
    const again = await Promise.all(
      orders.map(({ orderId, key }) => steps.ReserveInventory({ orderId, currency: 'EUR', lines: [] }, options(key))),
    );
    for (const result of again) expect(result).toMatchObject({ kind: 'completed' });
    const { rows } = await participant.database.pool.query(
      `select count(*) from holdfast.claims where scope = any($1::text[]) and state = 'completed'`,
      [orders.map(({ orderId }) => orderId)],
    );
    expect(rows[0]).toEqual({ count: 30 });
    replica.client.close();
  });

  it('G15: without a store is STORE_UNAVAILABLE by both ways, and nothing ran', async () => {
    const broken = await testParticipant('step_stream_down', services.inventory, noTables, boundTo);
    const client = createStepClient(services.inventory, broken.address);
    await broken.database.drop();
    const [byStream, unary] = [await orderBy(client).act(), await orderBy(broken.client).act()];
    expect(byStream).toMatchObject({ reason: 'STORE_UNAVAILABLE', pushbackMs: 200 });
    expect(byStream).toEqual(unary);
    expect(reserved).toEqual([]);
    client.close();
    await broken.stop();
  });
});

/** Resolves when one of these orders' transactions has begun. */
const somebodyRuns = (orders: Order[]) =>
  vi.waitFor(() => expect(orders.some(({ orderId }) => preparing.has(orderId))).toBe(true), { timeout: 5_000 });

/** Another process of the same service, as far as its memory goes; the database is the same. */
async function startReplica() {
  const replica = { ...participant.participant, singleFlight: createSingleFlight() };
  const { log } = replica;
  const bound = [boundTo(replica)];
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    services: bound,
    steps: stepStreams,
    log,
    translate: storeFault,
  });
  return { server, client: createStepClient(services.inventory, `127.0.0.1:${server.port}`) };
}
