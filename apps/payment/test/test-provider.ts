import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createSingleFlight } from '@holdfast/idempotency';
import { storeFault } from '@holdfast/participant';
import { type TestParticipant, testParticipant } from '@holdfast/participant/test';
import { type CallOptions, type Client, createClient, services, startServer } from '@holdfast/rpc';
import { SECRET_KEY, startTestSandbox, type TestSandbox } from '@holdfast/sandbox/test';
import { createMetrics } from '@holdfast/service';
import type { ProviderSettings } from '../src/card.ts';
import { paymentMigrations, paymentService } from '../src/index.ts';
import type { CallName } from '../src/provider.ts';

// For tests only: the payment service before the real sandbox, and a line between them on which a call can be held, lost or cut.

export type PaymentClient = Client<typeof services.payment>;

export const TENANT = 'shop';
export const AMOUNT = 700;
export const UNKNOWN = { kind: 'error', reason: 'OUTCOME_UNKNOWN', pushbackMs: 100, replayed: false };

export interface TestOrder {
  orderId: string;
  key: string;
  undoKey: string;
}

export function newOrder(): TestOrder {
  const orderId = randomUUID();
  return { orderId, key: `${orderId}:charge-payment`, undoKey: `${orderId}:charge-payment:undo` };
}

export const options = (key: string, extra: Partial<CallOptions> = {}): CallOptions => ({
  timeoutMs: 10_000,
  tenantId: TENANT,
  key,
  ...extra,
});

const RETRYABLE = ['OUTCOME_UNKNOWN', 'REQUEST_IN_PROGRESS', 'TRY_AGAIN', 'DEADLINE_EXCEEDED'];

/** Calls until the outcome is known, as the saga does (S4). */
export async function untilKnown<T extends { kind: string; reason?: string }>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; attempt <= 60; attempt++) {
    const result = await call();
    if (result.kind === 'completed' || !RETRYABLE.includes(result.reason ?? '')) return result;
  }
  throw new Error('the outcome did not become known in 60 attempts');
}

/** What the provider's own ledger holds for an order: `captures` above 1 is a card charged twice. */
export interface Books {
  captures: number;
  captured: number;
  refunded: number;
}
export const NOTHING: Books = { captures: 0, captured: 0, refunded: 0 };
export const TAKEN: Books = { captures: 1, captured: AMOUNT, refunded: 0 };
export const GIVEN_BACK: Books = { captures: 1, captured: AMOUNT, refunded: AMOUNT };

export interface TestCards {
  sandbox: TestSandbox;
  line: Line;
  payment: TestParticipant<typeof services.payment>;
  settings: ProviderSettings;
  charge(
    order: TestOrder,
    by?: PaymentClient,
    method?: string,
    more?: Partial<Parameters<PaymentClient['ChargePayment']>[0]>,
  ): ReturnType<PaymentClient['ChargePayment']>;
  undo(order: TestOrder, by?: PaymentClient): ReturnType<PaymentClient['RefundPayment']>;
  /** Another process of the same service, as far as its memory goes; the database is the same. */
  replica(settings?: Partial<ProviderSettings>): Promise<PaymentClient>;
  books(order: TestOrder): Promise<Books>;
  /** The charge as it is recorded here. */
  recorded(order: TestOrder): Promise<{ state: string; intent_id: string | null; payment_id: string | null }>;
  stateOf(key: string): Promise<string>;
  /** Lets the leases of an order's claims run out now, on the database's clock. */
  endLeases(order: TestOrder): Promise<void>;
  /** As retention does in the end. */
  forgetClaims(order: TestOrder): Promise<void>;
  /** After each test: no faults, the line as new, the replicas stopped. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** @param timeoutMs for one call to the provider, of the service itself; replicas may have another */
export async function startTestCards(timeoutMs = 2_000): Promise<TestCards> {
  const sandbox = await startTestSandbox();
  const line = await startLine(sandbox.url);
  const settings = {
    STRIPE_SECRET_KEY: SECRET_KEY,
    STRIPE_API_BASE: new URL(`http://127.0.0.1:${line.port}`),
    STRIPE_TIMEOUT_MS: timeoutMs,
    PAYMENT_WINDOW_MS: 900_000,
    STRIPE_WEBHOOK_SECRET: null,
  };
  const payment = await testParticipant('payment', services.payment, paymentMigrations, paymentService(settings));
  const { pool } = payment.database;
  const stopReplicas: (() => Promise<void>)[] = [];
  const cards: TestCards = {
    sandbox,
    line,
    payment,
    settings,
    charge: ({ orderId, key }, by = payment.client, method = 'pm_card_visa', more = {}) =>
      by.ChargePayment({ orderId, customerId: 'ann', amount: AMOUNT, currency: 'EUR', method, ...more }, options(key)),
    undo: ({ orderId, undoKey }, by = payment.client) => by.RefundPayment({ orderId }, options(undoKey)),
    async replica(other = {}) {
      const participant = {
        ...payment.participant,
        singleFlight: createSingleFlight(),
        metrics: createMetrics('payment'),
      };
      const { log } = participant;
      const bound = [paymentService({ ...settings, ...other })(participant)];
      const server = await startServer({ host: '127.0.0.1', port: 0, services: bound, log, translate: storeFault });
      const client = createClient(services.payment, `127.0.0.1:${server.port}`);
      stopReplicas.push(async () => {
        client.close();
        await server.stop(1_000);
      });
      return client;
    },
    async books({ orderId }) {
      const { rows } = await sandbox.db.pool.query<Books>(
        `select count(*) filter (where kind = 'captured')::int as captures,
                coalesce(sum(amount) filter (where kind = 'captured'), 0)::int as captured,
                coalesce(sum(amount) filter (where kind = 'refunded'), 0)::int as refunded
           from ledger where tenant_id = $1 and order_id = $2`,
        [TENANT, orderId],
      );
      return rows[0] ?? NOTHING;
    },
    async recorded({ orderId }) {
      const { rows } = await pool.query(
        'select state, intent_id, payment_id from charges where tenant_id = $1 and order_id = $2',
        [TENANT, orderId],
      );
      return rows[0];
    },
    async stateOf(key) {
      const step = await payment.client.GetStep({ key }, { timeoutMs: 5_000, tenantId: TENANT });
      return step.kind === 'completed' ? step.message.state : step.reason;
    },
    async endLeases({ orderId }) {
      const ended = await pool.query(
        'update holdfast.claims set lease_until = clock_timestamp() where scope = $1 and lease_until > clock_timestamp()',
        [orderId],
      );
      if (ended.rowCount === 0) throw new Error('no attempt holds a lease for this order');
    },
    async forgetClaims({ orderId }) {
      const gone = await pool.query('delete from holdfast.claims where scope = $1', [orderId]);
      if (gone.rowCount === 0) throw new Error('this order had no claims');
    },
    async reset() {
      line.cut(false);
      line.releaseAll();
      await sandbox.setFaults({});
      for (const stop of stopReplicas.splice(0)) await stop();
      line.seen.length = 0;
    },
    async stop() {
      await payment.stop();
      await line.close();
      await sandbox.stop();
    },
  };
  // The first call loads code and opens connections, which takes longer than a call should.
  await untilKnown(() => cards.charge(newOrder()));
  line.seen.length = 0;
  return cards;
}

type Moment = 'request' | 'answer';

/** A call that waits on the line. */
export interface Held {
  /** Resolves when it is there (and, held at its answer, when the provider has done it). */
  arrived: Promise<void>;
  /** Lets it go on, even when its sender has long given up. @returns the provider's status */
  deliver(): Promise<number>;
}

export interface Line {
  port: number;
  /** Every call that came along, in order. */
  seen: CallName[];
  /** Holds the next such call before it reaches the provider, or before its answer is sent. */
  hold(call: CallName, moment: Moment): Held;
  /** The next such call is done by the provider, and its answer lost. */
  lose(call: CallName): void;
  /** The next such call does not reach the provider, and gets this answer. */
  replace(call: CallName, answer: { status: number; error: object; headers?: Record<string, string> }): void;
  /** While cut, connections are destroyed as they come. */
  cut(isCut: boolean): void;
  releaseAll(): void;
  close(): Promise<void>;
}

interface Gate {
  call: CallName;
  moment: Moment | 'lost' | 'replaced';
  instead?: { status: number; error: object; headers?: Record<string, string> };
  arrived: PromiseWithResolvers<void>;
  released: PromiseWithResolvers<void>;
  delivered: PromiseWithResolvers<number>;
}

function nameOf({ method, url = '' }: IncomingMessage): CallName {
  const path = url.split('?')[0] ?? '';
  if (method === 'GET' && path === '/v1/disputes') return 'list-disputes';
  if (method === 'GET') return path === '/v1/refunds' ? 'list-refunds' : 'retrieve';
  if (path === '/v1/refunds') return 'refund';
  if (path.endsWith('/confirm')) return 'confirm';
  if (path.endsWith('/capture')) return 'capture';
  return path.endsWith('/cancel') ? 'cancel' : 'create';
}

function answeredHeaders(headers: Headers): Record<string, string> {
  const replayed = headers.get('idempotent-replayed');
  return { 'content-type': 'application/json', ...(replayed !== null && { 'idempotent-replayed': replayed }) };
}

const PASSED_ON = ['authorization', 'content-type', 'idempotency-key', 'stripe-version'];

/** An HTTP proxy before `target`. What has reached it goes on when it is let, whether its sender still waits or not. */
async function startLine(target: string): Promise<Line> {
  const gates: Gate[] = [];
  const held = new Set<Gate>();
  const seen: CallName[] = [];
  let isCut = false;

  const stopAt = async (gate: Gate) => {
    held.add(gate);
    gate.arrived.resolve();
    await gate.released.promise;
    held.delete(gate);
  };

  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const call = nameOf(request);
    seen.push(call);
    const body = await buffer(request);
    const at = gates.findIndex((gate) => gate.call === call);
    const gate = at === -1 ? undefined : gates.splice(at, 1)[0];
    if (gate?.instead !== undefined) {
      const { status, error, headers } = gate.instead;
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }));
      return;
    }
    if (gate?.moment === 'request') await stopAt(gate);
    const answer = await fetch(target + request.url, {
      method: request.method ?? 'GET',
      headers: PASSED_ON.flatMap((name): [string, string][] => {
        const value = request.headers[name];
        return typeof value === 'string' ? [[name, value]] : [];
      }),
      ...(body.byteLength > 0 && { body }),
    });
    const text = await answer.text();
    if (gate?.moment === 'answer') await stopAt(gate);
    gate?.delivered.resolve(answer.status);
    if (gate?.moment === 'lost') request.socket.destroy();
    else response.writeHead(answer.status, answeredHeaders(answer.headers)).end(text);
  };

  const server = createServer((request, response) => {
    if (isCut) {
      seen.push(nameOf(request));
      request.socket.destroy();
      return;
    }
    // The provider did not answer (its fault `lostAnswer`): neither does the line.
    pass(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const addGate = (call: CallName, moment: Gate['moment']): Gate => {
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const gate: Gate = { call, moment, arrived, released, delivered: Promise.withResolvers<number>() };
    gates.push(gate);
    return gate;
  };
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    hold(call, moment) {
      const { arrived, released, delivered } = addGate(call, moment);
      return {
        arrived: arrived.promise,
        deliver() {
          released.resolve();
          return delivered.promise;
        },
      };
    },
    lose: (call) => void addGate(call, 'lost'),
    replace(call, answer) {
      addGate(call, 'replaced').instead = answer;
    },
    cut(value) {
      isCut = value;
    },
    releaseAll() {
      gates.length = 0;
      for (const gate of held) gate.released.resolve();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
