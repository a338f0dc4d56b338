import {
  createFlights,
  type Fingerprinter,
  type Flights,
  idempotencyMigrations,
  loadFingerprinter,
} from '@holdfast/idempotency';
import { createPool, type Migrations, migrate, type Pool } from '@holdfast/postgres';
import {
  createHealth,
  createLog,
  createMetrics,
  type Log,
  type Metrics,
  onShutdown,
  startOpsServer,
} from '@holdfast/service';
import { storeFault } from './participant.ts';
import { type ServiceBinding, startServer } from './server.ts';

/** What every participant is configured by; a service adds its own settings beside these. */
export interface ParticipantConfig {
  DATABASE_URL: string;
  HOST: string;
  GRPC_PORT: number;
  HTTP_PORT: number;
  LOG_LEVEL: string;
}

/** What a participant's handlers work with. */
export interface Participant {
  pool: Pool;
  flights: Flights;
  fingerprinter: Fingerprinter;
  log: Log;
  metrics: Metrics;
}

const POOL_SIZE = 16;
const SHUTDOWN_GRACE_MS = 5_000;

/**
 * The life of a participant process: pool, migrations, gRPC server, health, and their end in reverse order on SIGTERM.
 * Announces `listening` with its ports in the log.
 * @param bind makes the service once the database is there
 */
export async function runParticipant(
  name: string,
  config: ParticipantConfig,
  migrations: Migrations,
  bind: (participant: Participant) => ServiceBinding,
): Promise<void> {
  const log = createLog(name, config.LOG_LEVEL);
  const metrics = createMetrics(name);
  const pool = createPool({
    databaseUrl: config.DATABASE_URL,
    applicationName: `holdfast-${name}`,
    max: POOL_SIZE,
    onlyByKey: true,
    onIdleError: (error) => log.warn({ err: error }, 'an idle database connection broke; it is replaced on demand'),
  });
  const applied = await migrate(pool, [idempotencyMigrations, migrations]);
  if (applied.length > 0) log.info({ applied }, 'migrated');
  const participant = { pool, flights: createFlights(), fingerprinter: await loadFingerprinter(pool), log, metrics };
  const server = await startServer({
    host: config.HOST,
    port: config.GRPC_PORT,
    services: [bind(participant)],
    offerSteps: true,
    log,
    translate: storeFault,
  });
  const health = createHealth({ postgres: async () => (await pool.query('select 1')).rowCount === 1 });
  const ops = await startOpsServer(config.HOST, config.HTTP_PORT, health, metrics);
  onShutdown(() => pool.end());
  onShutdown(() => ops.close());
  onShutdown(async () => {
    health.drain();
    server.setServing(false);
    await server.stop(SHUTDOWN_GRACE_MS);
  });
  log.info({ grpcPort: server.port, httpPort: ops.port }, 'listening');
}
