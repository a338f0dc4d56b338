import { idempotencyMigrations } from '@holdfast/idempotency';
import { migrationJob, runParticipant } from '@holdfast/rpc';
import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { shippingMigrations, shippingService } from './server.ts';

await runService(
  () => {
    const settings = loadConfig(config, process.env);
    const { CARRIER_URL: baseUrl, CARRIER_TIMEOUT_MS: timeoutMs } = settings;
    const carrier = baseUrl === undefined ? undefined : { baseUrl, timeoutMs };
    return runParticipant('shipping', settings, shippingMigrations, shippingService(carrier));
  },
  { migrate: migrationJob('shipping', config, [idempotencyMigrations, shippingMigrations]) },
);
