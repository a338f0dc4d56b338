import {
  createFlights,
  createKeyedRunner,
  type Fingerprinter,
  type Flights,
  type KeyedRunner,
  keepRetention,
  loadFingerprinter,
  type OtherTable,
  type RetentionOptions,
  turnDays,
} from '@holdfast/idempotency';
import { connectRedis, createRedisAnswers, REDIS_URL_PATTERN, type RedisAnswers } from '@holdfast/idempotency/redis';
import {
  createPool,
  faultLine,
  type Migrations,
  type Pool,
  type Prepare,
  prepareDatabase,
  whyUnready,
} from '@holdfast/postgres';
import { type ServiceBinding, startServer } from '@holdfast/rpc';
import {
  createHealth,
  createLog,
  createMetrics,
  type Log,
  type Metrics,
  observeWaits,
  onShutdown,
  optional,
  type ReadinessCheck,
  startOpsServer,
  text,
} from '@holdfast/service';
import type { ReachStepPoint } from './step/crash-points.ts';
import { storeFault } from './step/step-call.ts';
import { stepStreams } from './transport/step-server.ts';

/** What every participant is configured by; a service adds its own settings beside these. */
export interface ParticipantConfig {
  DATABASE_URL: string;
  HOST: string;
  GRPC_PORT: number;
  HTTP_PORT: number;
  LOG_LEVEL: string;
  /** Optional: it only answers early, so nothing depends on its being there. */
  REDIS_URL: string | undefined;
  MIGRATE_ON_START: boolean;
  DATABASE_PREPARE: Prepare;
}

/** What a participant's handlers work with. */
export interface Participant {
  pool: Pool;
  flights: Flights;
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
    text('redis://…, redis+sentinel://host:port,…/master-name or redis+cluster://host:port,…', REDIS_URL_PATTERN),
    undefined,
  );

const POOL_SIZE = 16;
const SHUTDOWN_GRACE_MS = 5_000;

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
  bind: (participant: Participant) => ServiceBinding,
  others: readonly OtherTable[] = [],
): Promise<void> {
  const log = createLog(name, config.LOG_LEVEL);
  const metrics = createMetrics(name);
  const pool = createPool({
    databaseUrl: config.DATABASE_URL,
    applicationName: `holdfast-${name}`,
    max: POOL_SIZE,
    onlyByKey: true,
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
  await turnDays(pool).catch((error: Error) =>
    log.warn({ err: error }, 'the days of answers could not be turned; trying again later'),
  );
  const fingerprinter = await loadFingerprinter(pool);
  const memory = config.REDIS_URL === undefined ? undefined : openRedis(config.REDIS_URL, fingerprinter, log);
  const keyedRunner = createKeyedRunner({ pool, memory });
  const participant = { pool, flights: createFlights(), keyedRunner, fingerprinter, log, metrics };
  const server = await startServer({
    host: config.HOST,
    port: config.GRPC_PORT,
    services: [bind(participant)],
    steps: stepStreams,
    log,
    translate: storeFault,
  });
  const health = createHealth({ postgres: databaseCheck(pool, log) });
  const ops = await startOpsServer(config.HOST, config.HTTP_PORT, health, metrics);
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
  const redis = connectRedis(url);
  const onChange = (state: string, reason: string) =>
    log.warn({ state, reason }, 'Redis: the answers are the same without it');
  const answers = createRedisAnswers({ redis, fingerprinter, onChange });
  onShutdown(async () => {
    answers.close();
    redis.disconnect();
  });
  return answers;
}
