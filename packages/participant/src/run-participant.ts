import {
  createKeyedRunner,
  createSingleFlight,
  type Fingerprinter,
  type KeyedRunner,
  keepRetention,
  loadFingerprinter,
  type OtherTable,
  type RetentionOptions,
  rotateDays,
  type SingleFlight,
} from '@holdfast/idempotency';
import { createRedisAnswers, REDIS_URL_PATTERN, type RedisAnswers } from '@holdfast/idempotency/redis';
import { createPool, faultLine, type Migrations, type Pool, prepareDatabase, whyUnready } from '@holdfast/postgres';
import { type ServiceBinding, startServer, tlsFaults, tlsSettings } from '@holdfast/rpc';
import {
  boolean,
  type Config,
  createHealth,
  createLog,
  createMetrics,
  type HttpRoutes,
  type Log,
  loadConfig,
  type Metrics,
  observeWaits,
  onShutdown,
  optional,
  port,
  prepare,
  type ReadinessCheck,
  runService,
  startOpsServer,
  text,
  url,
} from '@holdfast/service';
import { migrationJob } from './migration-job.ts';
import type { ReachStepPoint } from './step/crash-points.ts';
import { storeFault } from './step/step-call.ts';
import { stepStreams } from './transport/step-server.ts';
import { certificatesOf, connectTrusted, serverTls, warnOfExposedStores } from './trust.ts';

/** The settings of every service on a database; a service adds its own beside these. */
export const serviceConfig = (grpcPort: number, httpPort: number) => ({
  DATABASE_URL: url('postgres:', 'postgresql:'),
  HOST: optional(text('an address to listen on'), '127.0.0.1'),
  GRPC_PORT: optional(port(), grpcPort),
  HTTP_PORT: optional(port(), httpPort),
  LOG_LEVEL: optional(
    text('trace, debug, info, warn, error or silent', /^(trace|debug|info|warn|error|silent)$/),
    'info',
  ),
  /** Optional: answers early what the database has committed; without it the answers are the same. */
  REDIS_URL: redisUrl(),
  /** `false`: the job `migrate` does it, and the service waits for it. */
  MIGRATE_ON_START: optional(boolean(), true),
  /** For the job `migrate`: the role that the service runs as, where it is not the job's own, which owns the tables then. */
  DATABASE_RUNNER: optional(text('a role of Postgres', /^[a-z_][a-z0-9_-]{0,62}$/), undefined),
  DATABASE_PREPARE: prepare(),
  /** `true`: whoever may call the service may ask it for its methods and messages, as standard gRPC tools do. */
  GRPC_REFLECTION: optional(boolean(), false),
  ...tlsSettings(),
});
type ParticipantSpec = ReturnType<typeof serviceConfig>;
export type ParticipantConfig = Config<ParticipantSpec>;

/** What a participant serves: its methods, and what else it answers over HTTP, beside health and metrics. */
export type Bound = ServiceBinding & { http?: HttpRoutes };

/** What a participant's handlers work with. */
export interface Participant {
  pool: Pool;
  singleFlight: SingleFlight;
  /** Runs the keyed calls that belong to no saga. A step may be sealed or fenced later, so its answers stay in Postgres. */
  keyedRunner: KeyedRunner;
  fingerprinter: Fingerprinter;
  log: Log;
  metrics: Metrics;
  /** Hears of every crash point that a step reaches; nobody in production. */
  reach?: ReachStepPoint;
}

/** The setting REDIS_URL. */
export const redisUrl = () =>
  optional(
    text(
      'redis://…, redis+sentinel://host:port,…/master-name or redis+cluster://host:port,…, each with rediss for TLS',
      REDIS_URL_PATTERN,
    ),
    undefined,
  );

const POOL_SIZE = 16;
const SHUTDOWN_GRACE_MS = 5_000;

/**
 * A participant's `main.ts`: runs the service, or its job `migrate`.
 * @param bindTo makes the service of its settings. @throws ConfigError before anything is connected
 */
export async function startParticipant<Spec extends ParticipantSpec>(
  name: string,
  spec: Spec,
  migrations: Migrations[],
  bindTo: (settings: Config<Spec>) => (participant: Participant) => Bound,
  others: readonly OtherTable[] = [],
): Promise<void> {
  const start = () => {
    const settings = loadConfig(spec, process.env, (read) =>
      tlsFaults(read as Partial<ParticipantConfig>, 'certified'),
    );
    return runParticipant(name, settings, migrations, bindTo(settings), others);
  };
  await runService(start, { migrate: migrationJob(name, spec, migrations) });
}

/**
 * The life of a participant process: pool, migrations, gRPC server, health, and their end in reverse order on SIGTERM.
 * Announces `listening` with its ports in the log.
 * @param migrations everything that its database is made of
 * @param others tables beside the claims that its retention purges
 * @param bind makes the service once the database is there
 */
export async function runParticipant(
  name: string,
  config: ParticipantConfig,
  migrations: Migrations[],
  bind: (participant: Participant) => Bound,
  others: readonly OtherTable[] = [],
): Promise<void> {
  const log = createLog(name, config.LOG_LEVEL);
  const metrics = createMetrics(name);
  const tls = serverTls(certificatesOf(config, log, metrics), config, metrics);
  warnOfExposedStores(config, log);
  const pool = createPool({
    databaseUrl: config.DATABASE_URL,
    applicationName: `holdfast-${name}`,
    max: POOL_SIZE,
    keyLookupsOnly: true,
    prepare: config.DATABASE_PREPARE,
    onAcquired: observeWaits(metrics),
    onFault: (fault) => log.warn(fault, 'the database can not do it now; asked again with the same key it will'),
    // Its message alone: the error carries the whole client, with every statement that it has prepared.
    onIdleError: ({ message }) => log.warn({ message }, 'an idle database connection broke; it is replaced on demand'),
  });
  onShutdown(() => pool.end());
  const applied = await prepareDatabase(pool, migrations, {
    migrateOnStart: config.MIGRATE_ON_START,
    onWait: (reason) => log.warn(reason),
  });
  if (applied.length > 0) log.info({ applied }, 'migrated');
  // Before the first answer is stored, so that it finds its day.
  await rotateDays(pool).catch((error: Error) =>
    log.warn({ err: error }, 'partitions of the table answers could not be renewed; trying again later'),
  );
  const fingerprinter = await loadFingerprinter(pool);
  const cache = config.REDIS_URL === undefined ? undefined : openRedis(config.REDIS_URL, fingerprinter, log);
  const keyedRunner = createKeyedRunner({ pool, cache });
  const participant = { pool, singleFlight: createSingleFlight(), keyedRunner, fingerprinter, log, metrics };
  const bound = bind(participant);
  const server = await startServer({
    host: config.HOST,
    port: config.GRPC_PORT,
    services: [bound],
    reflection: config.GRPC_REFLECTION,
    steps: stepStreams,
    log,
    tls,
    translate: storeFault,
  });
  const health = createHealth({ postgres: databaseCheck(pool, log) });
  const ops = await startOpsServer(config.HOST, config.HTTP_PORT, health, metrics, bound.http);
  onShutdown(retentionOf({ pool, others }, log, metrics));
  onShutdown(() => ops.close());
  onShutdown(async () => {
    health.drain();
    server.setServing(false);
    await server.stop(SHUTDOWN_GRACE_MS);
  });
  log.info({ grpcPort: server.port, httpPort: ops.port }, 'listening');
}

/** Whether the database can do what the service asks of it; why not is in the log, once. */
export function databaseCheck(pool: Pool, log: Log): ReadinessCheck {
  let told: string | null = null;
  return async () => {
    const why = await whyUnready(pool).catch(faultLine);
    if (why !== told) log.warn({ why }, why === null ? 'ready again: the database can be written' : 'not ready');
    told = why;
    return why === null;
  };
}

/** The retention of a database's claims, with what it does under `/metrics`. @returns ends it */
export function retentionOf(
  options: Pick<RetentionOptions, 'pool' | 'others' | 'pinned' | 'answerMs' | 'tombstoneMs'> & { everyMs?: number },
  log: Log,
  metrics: Metrics,
): () => Promise<void> {
  const purged = metrics.counter('holdfast_claims_purged_total', 'Rows past their retention', ['table']);
  const seconds = metrics.histogram('holdfast_claims_purge_batch_seconds', 'Time of one batch', ['table']);
  let oldestMs = 0;
  metrics.gauge(
    'holdfast_claims_oldest_seconds',
    'Age of the oldest settled claim, as of the last walk',
    () => oldestMs / 1_000,
  );
  const timer = keepRetention({
    ...options,
    onPurged(table, rows, tookMs) {
      purged.inc({ table }, rows);
      seconds.observe({ table }, tookMs / 1_000);
    },
    onWalked(walked) {
      oldestMs = walked.oldestMs;
      if (walked.claims + walked.answers + walked.days > 0) log.info(walked, 'keys past their retention are gone');
    },
    onError: (error) => log.warn({ err: error }, 'purging old keys failed; trying again'),
  });
  return () => timer.stop();
}

/** Connects in the background: a service starts, and serves, without Redis. Closed when the process ends. */
export function openRedis(url: string, fingerprinter: Fingerprinter, log: Log): RedisAnswers {
  const redis = connectTrusted(url, log);
  const onChange = (state: string, reason: string) =>
    log.warn({ state, reason }, 'Redis: the answers are the same without it');
  const answers = createRedisAnswers({ redis, fingerprinter, onChange });
  onShutdown(async () => {
    answers.close();
    redis.disconnect();
  });
  return answers;
}
