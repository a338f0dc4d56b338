import type { AddressInfo } from 'node:net';
import { createPool, migrate } from '@holdfast/postgres';
import { createLog, createMetrics, loadConfig, onShutdown, runService } from '@holdfast/service';
import { SETTINGS } from './config.ts';
import { createFaults } from './faults.ts';
import { startKeyPurge } from './provider-idempotency.ts';
import { createSandbox } from './server.ts';

await runService(async () => {
  const config = loadConfig(SETTINGS, process.env);
  const log = createLog('sandbox', config.LOG_LEVEL);
  const metrics = createMetrics('sandbox');
  const pool = createPool({
    databaseUrl: config.DATABASE_URL,
    applicationName: 'sandbox',
    onIdleError: (error) => log.warn({ message: error.message }, 'an idle database connection broke'),
  });
  onShutdown(() => pool.end());
  await migrate(pool, [{ module: 'sandbox', folder: new URL('../sql/', import.meta.url) }]);

  const purge = startKeyPurge(pool, log);
  onShutdown(() => purge.stop());
  const faults = await createFaults(pool, metrics);
  const app = createSandbox({ pool, faults, log, metrics, secretKey: config.SANDBOX_SECRET_KEY });
  onShutdown(async () => {
    faults.close();
    await app.close();
  });
  await app.listen({ host: config.HOST, port: config.HTTP_PORT });
  log.info({ httpPort: (app.server.address() as AddressInfo).port }, 'listening');
});
