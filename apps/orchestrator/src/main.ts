import { migrationJob } from '@holdfast/participant';
import { loadConfig, runService } from '@holdfast/service';
import { apiKeysJob } from './api-keys/api-keys-job.ts';
import { config, configFaults } from './config.ts';
import { orchestratorMigrations, runOrchestrator } from './run-orchestrator.ts';

await runService(() => runOrchestrator(loadConfig(config, process.env, configFaults)), {
  migrate: migrationJob('orchestrator', config, orchestratorMigrations),
  'api-keys': apiKeysJob(config, orchestratorMigrations, process.argv.slice(3)),
});
