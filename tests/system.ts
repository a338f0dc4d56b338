import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AuditOptions, auditSystem, booksAt } from '@holdfast/auditor';
import { type Cluster, type ClusterOptions, startCluster } from '@holdfast/cluster';
import type { AuditReport } from '@holdfast/testing/audit';
import { expect, inject } from 'vitest';

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of many shapes, and a wrong look fails the test
  body: any;
}

export interface RequestOptions {
  key?: string;
  prefer?: string;
  headers?: Record<string, string>;
  apiKey?: string;
}

/** The system under test, as separate processes with a state directory of its own. */
export interface System {
  cluster: Cluster;
  send(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<Reply>;
  /** Places an order under a key; `overrides` change the request. */
  place(overrides?: object, options?: RequestOptions): Promise<Reply>;
  /** Polls until the order is terminal. */
  untilEnded(id: string, withinMs?: number): Promise<Reply['body']>;
  /** Waits until `look` gives something other than undefined. */
  until<T>(what: string, look: () => Promise<T | undefined>, withinMs?: number): Promise<T>;
  setFaults(faults: object): Promise<void>;
  audit(options?: AuditOptions): Promise<AuditReport>;
  stop(): Promise<void>;
}

const POLL_MS = 50;

export async function startSystem(options: ClusterOptions = {}): Promise<System> {
  const { cluster, stateDir } = await startIn(tmpdir(), options);
  return systemOf(cluster, async () => {
    await cluster.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });
}

async function startIn(folder: string, options: ClusterOptions): Promise<{ cluster: Cluster; stateDir: string }> {
  const stateDir = mkdtempSync(join(folder, 'holdfast-system-'));
  // Postgres, which root has to run as another user, would keep its data elsewhere otherwise, and leave it there.
  chmodSync(stateDir, 0o755);
  const cluster = await startCluster({
    stateDir,
    httpPort: 0,
    leaseMs: 800,
    // Processes die here, never the machine: what the operating system has been given survives all of them.
    databaseSettings: { fsync: 'off' },
    ...options,
  });
  return { cluster, stateDir };
}

/** More than files that place orders. */
const TENANTS = Array.from({ length: 32 }, (_, at) => ({
  tenantId: `shop-${at}`,
  apiKey: `key-of-${at}-${randomUUID()}`,
}));
let shared: Promise<Cluster> | undefined;
let joined = 0;

/**
 * For files that place orders and leave the system as they found it (project `orders`, whose files share their modules): one
 * system to a worker, with two of each process, and a tenant of its own to each file. `stop()` leaves it to the next file; it ends
 * after the run (shared-systems.ts).
 */
export async function joinSystem(): Promise<System> {
  shared ??= startShared();
  const cluster = await shared;
  const tenant = TENANTS[joined++];
  if (tenant === undefined) throw new Error(`more than ${TENANTS.length} files share a system: add tenants`);
  const asTenant: Cluster = Object.create(cluster, {
    tenantId: { value: tenant.tenantId },
    run: { get: () => ({ ...cluster.run, apiKey: tenant.apiKey }) },
  });
  return systemOf(asTenant, async () => {});
}

async function startShared(): Promise<Cluster> {
  const API_KEYS = TENANTS.map(({ tenantId, apiKey }) => `${tenantId}:${apiKey}`).join(',');
  const env = { orchestrator: { API_KEYS } };
  const { cluster } = await startIn(inject('sharedSystems'), { orchestrators: 2, participants: 2, env });
  return cluster;
}

function systemOf(cluster: Cluster, stop: System['stop']): System {
  const send: System['send'] = async (method, path, body, { key, prefer, headers, apiKey } = {}) => {
    const response = await fetch(cluster.run.http + path, {
      method,
      headers: {
        authorization: `Bearer ${apiKey ?? cluster.run.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(prefer !== undefined && { prefer }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(40_000),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };
  const until: System['until'] = async (what, look, withinMs = 30_000) => {
    const deadlineAtMs = performance.now() + withinMs;
    for (;;) {
      const seen = await look();
      if (seen !== undefined) return seen;
      if (performance.now() > deadlineAtMs) throw new Error(`not within ${withinMs} ms: ${what}`);
      await delay(POLL_MS);
    }
  };
  return {
    cluster,
    send,
    until,
    place: (overrides, requestOptions) =>
      send('POST', '/v1/orders', orderFor(overrides), { key: newKey(), ...requestOptions }),
    untilEnded: (id, withinMs) =>
      until(
        `order ${id} ends`,
        async () => {
          const { body } = await send('GET', `/v1/orders/${id}`);
          return ['completed', 'failed', 'cancelled'].includes(body?.status) ? body : undefined;
        },
        withinMs,
      ),
    async setFaults(faults) {
      const response = await fetch(`${cluster.run.sandbox}/faults`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ seed: 1, payments: NO_FAULTS, carrier: NO_FAULTS, ...faults }),
      });
      expect(response.status, await response.text()).toBe(200);
    },
    audit: (options) =>
      auditSystem(
        booksAt((name) => cluster.databaseUrl(name), cluster.run.sandbox),
        options,
      ),
    stop,
  };
}

export const NO_FAULTS = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };

export const newKey = (): string => `test-${randomUUID()}`;

/** An order that completes, once the catalogue is set up. */
export function orderFor(overrides: object = {}): object {
  return {
    customerId: 'ann',
    currency: 'EUR',
    items: [
      { sku: 'apple', quantity: 2 },
      { sku: 'pear', quantity: 1 },
    ],
    payment: { method: 'balance' },
    shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
    ...overrides,
  };
}

/** Apples at 250, pears at 99, a rich customer, a poor one. */
export async function setUpCatalogue(system: System): Promise<void> {
  const puts: [string, object][] = [
    ['/v1/stock/apple', { onHand: 100_000, unitPrice: 250, currency: 'EUR' }],
    ['/v1/stock/pear', { onHand: 100_000, unitPrice: 99, currency: 'EUR' }],
    ['/v1/stock/dollar-fruit', { onHand: 100, unitPrice: 100, currency: 'USD' }],
    ['/v1/accounts/ann', { balance: 100_000_000, currency: 'EUR' }],
    ['/v1/accounts/poor', { balance: 10, currency: 'EUR' }],
  ];
  for (const [path, body] of puts) {
    const put = await system.send('PUT', path, body);
    expect(put.status, put.text).toBe(200);
  }
}

/** A1, told by the auditor; a violation shows what it is about. */
export async function expectSound(system: System): Promise<void> {
  const report = await system.audit();
  expect(report.violations, JSON.stringify(report.checks, null, 2)).toBe(0);
}
