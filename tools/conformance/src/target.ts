import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRunFile, startCluster } from '@holdfast/cluster';
import type { OperatorFiles } from '@holdfast/rpc';
import { isRedisInstalled } from '@holdfast/testing';
import { Control, until } from './control.ts';
import { NotSeen } from './rules/not-seen.ts';

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: rules look into bodies of many shapes, and a wrong look breaks the rule
  body: any;
}

export interface HttpRequest {
  body?: unknown;
  key?: string;
  prefer?: string;
  apiKey?: string;
  /** Which of the API's addresses; they are taken in turn. */
  replica?: number;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface TargetOptions {
  urls: string[];
  grpc: Record<'inventory' | 'payment' | 'shipping', string[]>;
  /** With which the participants may be called; null: in clear text. */
  tls: OperatorFiles | null;
  apiKey: string;
  tenantId: string;
  otherApiKey?: string | undefined;
  sandbox?: string | undefined;
  control?: Control | undefined;
  logDir?: string | undefined;
  leaseMs: number;
  isOurs: boolean;
  stop: () => Promise<void>;
}

const REQUEST_TIMEOUT_MS = 40_000;
const ENDED = ['completed', 'failed', 'cancelled'];
const ORDER_ENDS_WITHIN_MS = 30_000;

/** The system whose rules are looked at, seen from outside. */
export class Target {
  readonly options: TargetOptions;
  /** Every key that was sent, for the rule that none of them is logged. */
  readonly keys = new Set<string>();

  constructor(options: TargetOptions) {
    this.options = options;
  }

  get isOurs(): boolean {
    return this.options.isOurs;
  }

  /** @throws NotSeen without a run file */
  get control(): Control {
    if (this.options.control !== undefined) return this.options.control;
    throw new NotSeen('needs to control the processes: set HOLDFAST_STATE_DIR to the folder with the run.json');
  }

  newKey(): string {
    const key = `conformance-${randomUUID()}`;
    this.keys.add(key);
    return key;
  }

  async http(method: string, path: string, request: HttpRequest = {}): Promise<Reply> {
    const { body, key, prefer, apiKey, replica = 0, headers, signal } = request;
    if (key !== undefined) this.keys.add(key.replaceAll('"', ''));
    const response = await fetch(`${this.options.urls[replica % this.options.urls.length]}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey ?? this.options.apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(prefer !== undefined && { prefer }),
        ...headers,
      },
      ...(body !== undefined && { body: bytesOf(body) }),
      signal: signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  async untilEnded(id: string, replica = 0, withinMs = ORDER_ENDS_WITHIN_MS): Promise<Reply['body']> {
    let order: Reply['body'];
    await until(`order ${id} ends`, withinMs, async () => {
      order = (await this.http('GET', `/v1/orders/${id}`, { replica }).catch(() => undefined))?.body;
      return ENDED.includes(order?.status);
    });
    return order;
  }

  /** The sandbox's faults; what is not given is off. @throws NotSeen without a sandbox */
  async setFaults(faults: { payments?: object; carrier?: object }): Promise<void> {
    const none = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };
    const settings = { seed: 1, payments: { ...none, ...faults.payments }, carrier: { ...none, ...faults.carrier } };
    const response = await fetch(`${this.sandbox}/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(settings),
    });
    if (!response.ok) throw new Error(`the sandbox did not take the faults: ${await response.text()}`);
  }

  /** How often the card provider has taken money for an order. @throws NotSeen without a sandbox */
  async captures(orderId: string): Promise<number> {
    let captures = 0;
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor && `?cursor=${encodeURIComponent(cursor)}`;
      const response = await fetch(`${this.sandbox}/ledger/payments${query}`);
      const page = (await response.json()) as { payments: Capture[]; nextCursor: string | null };
      for (const payment of page.payments) if (payment.orderId === orderId) captures += payment.captures;
      cursor = page.nextCursor;
    }
    return captures;
  }

  get sandbox(): string {
    if (this.options.sandbox !== undefined) return this.options.sandbox;
    throw new NotSeen('needs a card provider that can be slow: set HOLDFAST_SANDBOX to the sandbox');
  }

  /** No faults, everybody awake and ready. */
  async calmDown(): Promise<void> {
    const { control, sandbox } = this.options;
    if (sandbox !== undefined) await this.setFaults({});
    for (const { pid } of control?.run().services ?? []) process.kill(pid, 'SIGCONT');
    await control?.untilAllReady();
  }

  async stop(): Promise<void> {
    await this.options.stop();
  }
}

interface Capture {
  orderId: string;
  captures: number;
}

function bytesOf(body: unknown): string | Uint8Array<ArrayBuffer> {
  if (typeof body === 'string' || body instanceof Uint8Array) return body as string | Uint8Array<ArrayBuffer>;
  return JSON.stringify(body);
}

/**
 * The system that the environment names (`HOLDFAST_URL` and the rest), or one started for the kit.
 * @param signal gives the start up, and stops what has been started by then
 */
export async function openTarget(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Target> {
  if (env.HOLDFAST_URL !== undefined) return new Target(given(env, env.HOLDFAST_URL));
  return await startTarget({ ...shapeOf(env), keyLifetimeMs: OUR_KEY_LIFETIME_MS, signal });
}

/** What to start: `HOLDFAST_REPLICAS` (2) of every service, with Redis as `HOLDFAST_REDIS` says, else where there is one. */
export function shapeOf(env: NodeJS.ProcessEnv): { replicas: number; redis: boolean } {
  const redis = env.HOLDFAST_REDIS === undefined ? isRedisInstalled() : env.HOLDFAST_REDIS === 'yes';
  return { replicas: Number(env.HOLDFAST_REPLICAS ?? 2), redis };
}

function given(env: NodeJS.ProcessEnv, urls: string): TargetOptions {
  const list = (value: string | undefined) => (value ?? '').split(',').filter(Boolean);
  const run = env.HOLDFAST_STATE_DIR === undefined ? undefined : readRunFile(env.HOLDFAST_STATE_DIR);
  const grpcOf = (name: string, value: string | undefined) =>
    list(value ?? run?.services.flatMap((service) => (service.name === name ? [service.grpc] : [])).join());
  return {
    urls: list(urls),
    grpc: {
      inventory: grpcOf('inventory', env.HOLDFAST_GRPC_INVENTORY),
      payment: grpcOf('payment', env.HOLDFAST_GRPC_PAYMENT),
      shipping: grpcOf('shipping', env.HOLDFAST_GRPC_SHIPPING),
    },
    tls: tlsFiles(env) ?? run?.tls ?? null,
    apiKey: env.HOLDFAST_API_KEY ?? run?.apiKey ?? '',
    tenantId: env.HOLDFAST_TENANT ?? 'shop',
    otherApiKey: env.HOLDFAST_OTHER_API_KEY,
    sandbox: env.HOLDFAST_SANDBOX ?? run?.sandbox,
    control: env.HOLDFAST_STATE_DIR === undefined ? undefined : new Control(env.HOLDFAST_STATE_DIR),
    logDir: env.HOLDFAST_STATE_DIR && join(env.HOLDFAST_STATE_DIR, 'logs'),
    leaseMs: Number(env.HOLDFAST_LEASE_MS ?? 3_000),
    isOurs: false,
    stop: async () => {},
  };
}

function tlsFiles(env: NodeJS.ProcessEnv): OperatorFiles | undefined {
  const { HOLDFAST_TLS_CA: ca, HOLDFAST_TLS_CERT: cert, HOLDFAST_TLS_KEY: key } = env;
  return ca && cert && key ? { ca, cert, key } : undefined;
}

const OUR_LEASE_MS = 1_500;
/** Long enough for every other rule's retries, short enough to wait for. */
const OUR_KEY_LIFETIME_MS = 30_000;

export interface StartedShape {
  /** Of every service. */
  replicas: number;
  redis: boolean;
  keyLifetimeMs: number;
  /** Gives the start up. */
  signal: AbortSignal;
}

/** Starts a system whose processes, database and sandbox the caller may do anything to. */
export async function startTarget({ replicas, redis, keyLifetimeMs, signal }: StartedShape): Promise<Target> {
  const stateDir = mkdtempSync(join(tmpdir(), 'holdfast-conformance-'));
  // Postgres, which root has to run as another user, would keep its data elsewhere otherwise, and leave it there.
  chmodSync(stateDir, 0o755);
  const apiKey = `conformance-${randomUUID()}`;
  const otherApiKey = `conformance-${randomUUID()}`;
  writeFileSync(join(stateDir, 'api-key'), `${apiKey}\n`, { mode: 0o600 });
  const orchestrator = {
    API_KEYS: `shop:${apiKey},other-shop:${otherApiKey}`,
    KEY_LIFETIME_MS: String(keyLifetimeMs),
  };
  const cluster = await startCluster({
    stateDir,
    httpPort: 0,
    leaseMs: OUR_LEASE_MS,
    orchestrators: replicas,
    participants: replicas,
    redis,
    signal,
    // Whoever keeps the system up is no part of what is looked at: what dies is there again as fast as it can be.
    restartAtOnce: true,
    env: { orchestrator },
  }).catch((error) => {
    rmSync(stateDir, { recursive: true, force: true });
    throw error;
  });
  const addresses = (name: string, of: 'grpc' | 'http') =>
    cluster.run.services.flatMap((service) => (service.name === name ? [service[of] ?? ''] : []));
  return new Target({
    urls: addresses('orchestrator', 'http'),
    grpc: {
      inventory: addresses('inventory', 'grpc'),
      payment: addresses('payment', 'grpc'),
      shipping: addresses('shipping', 'grpc'),
    },
    tls: cluster.run.tls,
    apiKey,
    otherApiKey,
    tenantId: cluster.tenantId,
    sandbox: cluster.run.sandbox,
    control: new Control(stateDir),
    logDir: cluster.logDir,
    leaseMs: OUR_LEASE_MS,
    isOurs: true,
    stop: async () => {
      await cluster.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  });
}
