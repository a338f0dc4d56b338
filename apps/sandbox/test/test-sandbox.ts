import type { AddressInfo } from 'node:net';
import { createLog, createMetrics } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import Stripe from 'stripe';
import { createFaults, type FaultRates, type FaultSettings } from '../src/faults.ts';
import { createSandbox } from '../src/server.ts';
import { startWebhooks } from '../src/webhooks/webhooks.ts';

export const MIGRATIONS = { module: 'sandbox', folder: new URL('../sql/', import.meta.url) };
export const SECRET_KEY = 'sk_test_holdfast';
export const NO_FAULTS: FaultRates = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };

export interface TestSandbox {
  url: string;
  stripe: Stripe;
  db: TestDatabase;
  setFaults(settings: Partial<FaultSettings>): Promise<void>;
  /** Plays the customer's browser, or the bank. */
  play(path: string, body: object): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/** The sandbox on a database of its own, behind a real port, with the official SDK pointed at it. */
export async function startTestSandbox(): Promise<TestSandbox> {
  const db = await testDatabase('sandbox', [MIGRATIONS], { pipeline: true });
  const metrics = createMetrics('sandbox');
  const faults = await createFaults(db.pool, metrics);
  const log = createLog('sandbox', 'warn');
  const webhooks = await startWebhooks({ pool: db.pool, faults, log, metrics });
  const app = createSandbox({ pool: db.pool, faults, log, metrics, secretKey: SECRET_KEY, webhooks });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    stripe: stripeAt(port),
    db,
    async setFaults(settings) {
      const body = { seed: 1, payments: NO_FAULTS, carrier: NO_FAULTS, ...settings };
      const answer = await sendJson(url, 'PUT', '/faults', body);
      if (answer.status !== 200) throw new Error(`faults were not set: ${JSON.stringify(answer.body)}`);
    },
    async play(path, body) {
      const answer = await sendJson(url, 'POST', path, body);
      if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    async stop() {
      faults.close();
      await webhooks.close();
      await app.close();
      await db.drop();
    },
  };
}

/** One try per call: what the sandbox does is seen as it is. */
export function stripeAt(port: number, key = SECRET_KEY): Stripe {
  return new Stripe(key, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, telemetry: false });
}

export interface JsonAnswer {
  status: number;
  body: Record<string, unknown>;
}

export async function sendJson(url: string, method: string, path: string, body?: unknown): Promise<JsonAnswer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** The error that a call ends with, as a value. */
export async function errorOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error = await call.then(
    (value) => new Error(`expected an error, got ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  return error;
}

export function booking(reference: string, shipTo: Record<string, string> = {}): object {
  const to = { name: 'A. Lovelace', line1: '12 St James Sq', city: 'London', postalCode: 'SW1Y 4JH', country: 'GB' };
  return { reference, shipTo: { ...to, ...shipTo }, parcels: [{ sku: 'sku-1', quantity: 2 }] };
}

/** What the ledger holds for one intent. */
export async function ledgerOf(db: TestDatabase, intentId: string): Promise<{ kind: string; amount: number }[]> {
  const { rows } = await db.pool.query<{ kind: string; amount: number }>(
    'select kind, amount from ledger where intent_id = $1::text order by at, entry_id',
    [intentId],
  );
  return rows;
}
