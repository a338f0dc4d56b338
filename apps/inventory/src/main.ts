import { idempotencyMigrations } from '@holdfast/idempotency';
import { migrationJob, runParticipant } from '@holdfast/rpc';
import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { inventoryMigrations, inventoryService } from './server.ts';

await runService(
  () => runParticipant('inventory', loadConfig(config, process.env), inventoryMigrations, inventoryService),
  { migrate: migrationJob('inventory', config, [idempotencyMigrations, inventoryMigrations]) },
);
