import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Server } from 'node:tls';
import { ORDER_EVENTS } from '@holdfast/contracts';
import { idempotencyMigrations, loadFingerprinter } from '@holdfast/idempotency';
import { defineOutbox, outboxMigrations, type StreamEntry } from '@holdfast/messaging';
import {
  certificatesOf,
  consumeEvents,
  databaseCheck,
  eventsRoute,
  openRedis,
  relayEvents,
  retentionOf,
  serverTls,
  storeFault,
  warnOfExposedStores,
} from '@holdfast/participant';
import { createPool, type Migrations, type Pool, prepareDatabase } from '@holdfast/postgres';
import { Certificates, service, services, startServer } from '@holdfast/rpc';
import {
  createEngine,
  type Engine,
  type EngineOptions,
  hasEnded,
  type SagaDefinition,
  type SagaSnapshot,
  sagaMigrations,
} from '@holdfast/saga';
import {
  type Config,
  createHealth,
  createLog,
  createMetrics,
  observeWaits,
  onShutdown,
  startOpsServer,
} from '@holdfast/service';
import type { FastifyInstance } from 'fastify';
import { KnownApiKeys } from './api-keys/known-api-keys.ts';
import { createAuthenticate } from './auth.ts';
import type { config } from './config.ts';
import { TenantShares } from './fairness/tenant-shares.ts';
import { orderHandlers } from './grpc/order-service.ts';
import { createHttpServer } from './http/server.ts';
import { InFlightKeys } from './keys/in-flight-keys.ts';
import { claimRetention } from './keys/key-retention.ts';
import { createOrderAnswerCache } from './keys/order-answer-cache.ts';
import { newsMetrics, observeEngine, observeUnended, sagaMetrics } from './metrics.ts';
import { takeOrderNews } from './news/take-order-news.ts';
import type { OrderDeps } from './orders/accept-order.ts';
import { type AcceptedOrder, type OrderOutputs, viewOrder } from './orders/order.ts';
import { answerPayload, createInsertOrders, storeAnswer, storeAnswerAndEvent } from './orders/order-store.ts';
import { refundOrderSaga } from './refunds/refund-order-saga.ts';
import { takeRefundNews } from './refunds/take-refund-news.ts';
import { connectParticipants, type Participants } from './saga/participants.ts';
import { PAYMENT_STREAM, SIGNALS, signalOrders } from './saga/payment-events.ts';
import { PLACE_ORDER_SAGA, placeOrderSaga } from './saga/place-order-saga.ts';
import { countUnendedSagas } from './saga/saga-store.ts';
import { captureOrderSaga } from './settlements/capture-order-saga.ts';
import { releaseOrderSaga } from './settlements/release-order-saga.ts';

export const orchestratorMigrations: Migrations[] = [
  idempotencyMigrations,
  sagaMigrations,
  outboxMigrations,
  { module: 'orchestrator', folder: new URL('../sql/', import.meta.url) },
];

/** What the statements of order-store.ts publish (E1). */
export const ORDER_OUTBOX = defineOutbox({ name: ORDER_EVENTS, subject: 'order' });

/** How often payment is asked what has become of refunds, and what has happened to orders. */
const NEWS_MS = 1_000;
const SHUTDOWN_GRACE_MS = 2_000;
const HAND_OVER_MS = 5_000;

/**
 * The life of an orchestrator process: it accepts orders over HTTP and gRPC, runs their sagas, and adopts those of
 * processes that died. On SIGTERM it stops accepting, lets running sagas end or hands them over, and ends.
 * Announces `listening` with its ports in the log.
 * @param ports a listener at crash points; none in production
 */
export async function runOrchestrator(
  settings: Settings,
  ports: Pick<EngineOptions, 'crashPoint'> = {},
): Promise<void> {
  const route = eventsRoute(settings);
  const log = createLog('orchestrator', settings.LOG_LEVEL);
  const metrics = createMetrics('orchestrator');
  const certificates = certificatesOf(settings, log, metrics);
  warnOfExposedStores(settings, log);
  const parts = { settings, log, metrics, certificates, pool: await openDatabase(settings, log, metrics) };
  const participants = connectParticipants(settings, certificates);
  onShutdown(async () => participants.close());
  const { ORDER_DEADLINE_MS: deadlineMs, PAYMENT_WAIT_MS: paymentWaitMs } = settings;
  const definitions = [
    placeOrderSaga(participants, { deadlineMs, paymentWaitMs }),
    refundOrderSaga(participants),
    captureOrderSaga(participants),
    releaseOrderSaga(participants),
  ];
  const engine = await startEngine(parts, definitions, ports);
  const deps = await createOrderDeps(parts, engine);
  const { pool } = parts;
  onShutdown(retentionOf({ pool, ...claimRetention(deps.retention) }, log, metrics));
  if (route !== undefined) relayEvents(route, ORDER_OUTBOX, settings.ORDER_EVENTS_KEPT_MS, { pool, log, metrics });
  if (route !== undefined) {
    const handle = (entries: StreamEntry[]) => signalOrders(engine, entries);
    consumeEvents(route, { stream: PAYMENT_STREAM, group: SIGNALS, handle }, { log, metrics });
  }
  const { paymentNews: payment } = participants;
  onShutdown(takeRefundNews({ pool, payment, engine, log }, NEWS_MS));
  const told = { pool, payment, log, publishesEvents: settings.ORDER_EVENTS, ...newsMetrics(metrics) };
  onShutdown(takeOrderNews(told, NEWS_MS));
  await serve(parts, { deps, participants, definitions });
}

type Settings = Config<typeof config>;

interface Parts {
  settings: Settings;
  log: ReturnType<typeof createLog>;
  metrics: ReturnType<typeof createMetrics>;
  certificates: Certificates | undefined;
  pool: Pool;
}

async function openDatabase(settings: Settings, log: Parts['log'], metrics: Parts['metrics']): Promise<Pool> {
  const pool = createPool({
    databaseUrl: settings.DATABASE_URL,
    applicationName: 'holdfast-orchestrator',
    max: settings.DATABASE_POOL,
    keyLookupsOnly: true,
    prepare: settings.DATABASE_PREPARE,
    onAcquired: observeWaits(metrics),
    onFault: (fault) => log.warn(fault, 'the database can not do it now; asked again with the same key it will'),
    // Its message alone: the error carries the whole client, with every statement that it has prepared.
    onIdleError: ({ message }) => log.warn({ message }, 'an idle database connection broke; it is replaced on demand'),
  });
  onShutdown(() => pool.end());
  const applied = await prepareDatabase(pool, orchestratorMigrations, {
    migrateOnStart: settings.MIGRATE_ON_START,
    onWait: (reason) => log.warn(reason),
  });
  if (applied.length > 0) log.info({ applied }, 'migrated');
  return pool;
}

async function startEngine(
  { settings, log, metrics, pool }: Parts,
  definitions: SagaDefinition[],
  ports: Pick<EngineOptions, 'crashPoint'>,
): Promise<Engine> {
  const engine = createEngine({
    ...ports,
    pool,
    definitions,
    name: settings.INSTANCE ?? `${hostname()}:${process.pid}`,
    isNameUnique: settings.INSTANCE !== undefined,
    leaseMs: settings.LEASE_MS,
    maxRunning: settings.MAX_RUNNING,
    log,
    metrics: sagaMetrics(metrics),
    prepared: true,
    commitHook: settings.ORDER_EVENTS ? storeAnswerAndEvent : storeAnswer,
    // A customer who waits for the answer has to hear what is to be done, as much as how it ended. Other sagas have no open
    // answer: it was stored when they were accepted, or is who waits for them to give.
    hookPayload: (saga, input) =>
      saga.definition === PLACE_ORDER_SAGA && (hasEnded(saga.state) || saga.state === 'waiting')
        ? terminalAnswer(input as AcceptedOrder, saga)
        : null,
  });
  observeEngine(metrics, engine);
  observeUnended(metrics, log, () => countUnendedSagas(pool));
  await engine.start();
  onShutdown(() => engine.stop({ graceMs: HAND_OVER_MS }));
  return engine;
}

/** What accepting an order needs. */
async function createOrderDeps({ settings, log, pool }: Parts, engine: Engine): Promise<OrderDeps> {
  const retention = {
    keyLifetimeMs: settings.KEY_LIFETIME_MS,
    tombstoneLifetimeMs: settings.TOMBSTONE_LIFETIME_MS,
  };
  const inFlightKeys = new InFlightKeys({ pool, log, subscribe: (id, listener) => engine.subscribe(id, listener) });
  onShutdown(async () => inFlightKeys.close());
  const fingerprinter = await loadFingerprinter(pool);
  const now = () => new Date();
  const insert = createInsertOrders(pool, { publishesEvents: settings.ORDER_EVENTS });
  const startOrder = engine.createStarter({ insert });
  const shares = new TenantShares({ maxRunning: settings.MAX_RUNNING, released: (id) => engine.released(id) });
  const memory = settings.REDIS_URL === undefined ? undefined : openRedis(settings.REDIS_URL, fingerprinter, log);
  return {
    pool,
    startOrder: (entry) => shares.start(entry.order.tenantId, entry.id, () => startOrder(entry)),
    engine,
    fingerprinter,
    inFlightKeys,
    retention,
    answerCache: createOrderAnswerCache(memory, retention, now),
    deadlineMs: settings.ORDER_DEADLINE_MS,
    publishesEvents: settings.ORDER_EVENTS,
    now,
  };
}

interface Served {
  deps: OrderDeps;
  participants: Participants;
  definitions: SagaDefinition[];
}

async function serve(
  { settings, log, metrics, certificates, pool }: Parts,
  { deps, participants, definitions }: Served,
) {
  const apiKeys = new KnownApiKeys({ db: pool, log });
  apiKeys.start();
  onShutdown(async () => apiKeys.close());
  const authenticate = createAuthenticate(settings.API_KEYS, apiKeys);
  const health = createHealth({
    postgres: databaseCheck(pool, log),
    lease: async () => deps.engine.ownerId !== null,
  });
  const httpTls = httpCertificates(settings, log);
  const tls = httpTls?.texts;
  const { HTTP_CONNECTIONS: maxConnections } = settings;
  const edge = { deps, participants, definitions, authenticate, apiKeys, health, metrics, log, tls, maxConnections };
  const http = await createHttpServer(edge);
  httpTls?.onChange(() => (http.server as unknown as Server).setSecureContext(httpTls.texts));
  await http.listen({ host: settings.HOST, port: settings.HTTP_PORT });
  const ops = await startOpsServer(settings.HOST, settings.OPS_PORT, health, metrics);
  const grpc = await startServer({
    host: settings.HOST,
    port: settings.GRPC_PORT,
    services: [service(services.orders, orderHandlers(deps, authenticate))],
    log,
    tls: serverTls(certificates, settings, metrics),
    reflection: settings.GRPC_REFLECTION,
    translate: storeFault,
  });
  onShutdown(() => ops.close());
  onShutdown(async () => {
    health.drain();
    grpc.setServing(false);
    await Promise.all([closeHttp(http), grpc.stop(SHUTDOWN_GRACE_MS)]);
  });
  const [address] = http.addresses();
  const httpPort = (address as AddressInfo | undefined)?.port;
  log.info({ grpcPort: grpc.port, httpPort, opsPort: ops.port }, 'listening');
}

/** Undefined where the API is in clear text. */
function httpCertificates({ HTTP_TLS_CERT: cert, HTTP_TLS_KEY: key }: Settings, log: Parts['log']) {
  return cert === undefined || key === undefined ? undefined : new Certificates({ cert, key, ca: undefined }, log);
}

/**
 * Requests that are being answered end. A caller that waits for an order's end, reads events, or has sent half a request, or
 * nothing at all, must not take up the time in which sagas are handed over: its connection is closed, and it asks again with
 * the same key (H13).
 */
async function closeHttp(http: FastifyInstance): Promise<void> {
  const late = setTimeout(() => http.server.closeAllConnections(), SHUTDOWN_GRACE_MS);
  await http.close();
  clearTimeout(late);
}

/** For the commit hook: the order as it will be once the checkpoint is written, as `GET` shows it then. */
export function terminalAnswer(order: AcceptedOrder, saga: SagaSnapshot): string {
  const progress = { ...saga, outputs: saga.outputs as Partial<OrderOutputs> };
  const view = viewOrder(saga.id, order, progress, saga.changedAt.toISOString());
  return answerPayload(order.tenantId, JSON.stringify(view));
}
