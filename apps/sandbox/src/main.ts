import type { AddressInfo } from 'node:net';
import { createPool, type Migrations, prepareDatabase, runMigrations } from '@holdfast/postgres';
import { createLog, createMetrics, loadConfig, onShutdown, runService } from '@holdfast/service';
import { startKeyPurge } from './api/provider-idempotency.ts';
import { SETTINGS } from './config.ts';
import { createFaults } from './faults.ts';
import { createSandbox } from './server.ts';
import { startWebhooks } from './webhooks/webhooks.ts';

const migrations: Migrations[] = [{ module: 'sandbox', folder: new URL('../sql/', import.meta.url) }];

await runService(serve, { migrate, certificates });

async function serve(): Promise<void> {
  const config = loadConfig(SETTINGS, process.env);
  const log = createLog('sandbox', config.LOG_LEVEL);
  const metrics = createMetrics('sandbox');
  const pool = createPool({
    databaseUrl: config.DATABASE_URL,
    applicationName: 'sandbox',
    pipeline: true,
    prepare: config.DATABASE_PREPARE,
    onIdleError: (error) => log.warn({ message: error.message }, 'an idle database connection broke'),
  });
  onShutdown(() => pool.end());
  await prepareDatabase(pool, migrations, {
    migrateOnStart: config.MIGRATE_ON_START,
    onWait: (reason) => log.warn(reason),
  });

  const purge = startKeyPurge(pool, log);
  onShutdown(() => purge.stop());
  const faults = await createFaults(pool, metrics);
  const { SANDBOX_WEBHOOK_URL: url, SANDBOX_WEBHOOK_SECRET: secret } = config;
  const initial = url === undefined ? undefined : { url, secret };
  const webhooks = await startWebhooks({ pool, faults, log, metrics, initial });
  onShutdown(() => webhooks.close());
  const app = createSandbox({ pool, faults, log, metrics, secretKey: config.SANDBOX_SECRET_KEY, webhooks });
  onShutdown(async () => {
    faults.close();
    await app.close();
  });
  await app.listen({ host: config.HOST, port: config.HTTP_PORT });
  log.info({ httpPort: (app.server.address() as AddressInfo).port }, 'listening');
}

/** `main.ts migrate`: a job needs no settings but these two. */
async function migrate(): Promise<void> {
  const { DATABASE_URL, LOG_LEVEL } = SETTINGS;
  const config = loadConfig({ DATABASE_URL, LOG_LEVEL }, process.env);
  const log = createLog('sandbox', config.LOG_LEVEL);
  const applied = await runMigrations(
    { databaseUrl: config.DATABASE_URL, applicationName: 'sandbox-migrate', onWait: (reason) => log.warn(reason) },
    migrations,
  );
  log.info({ applied }, applied.length > 0 ? 'migrated' : 'nothing to migrate');
}

/** `main.ts certificates`: for a system that is tried out in containers, so that its services can prove who they are. */
async function certificates(): Promise<void> {
  const { CERTIFICATES_FOLDER, LOG_LEVEL } = SETTINGS;
  const config = loadConfig({ CERTIFICATES_FOLDER, LOG_LEVEL }, process.env);
  // Only here: what serves loads none of it.
  const { keepCertificates, LOCAL_HOLDERS } = await import('@holdfast/certificates');
  const files = await keepCertificates(config.CERTIFICATES_FOLDER, LOCAL_HOLDERS, new Date());
  createLog('sandbox', config.LOG_LEVEL).info({ holders: Object.keys(files) }, 'certificates are there');
}
