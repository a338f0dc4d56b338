import { migrationJob } from '@holdfast/participant';
import { loadConfig, runService } from '@holdfast/service';
import { config, configFaults } from './config.ts';
import { orchestratorMigrations, runOrchestrator } from './run-orchestrator.ts';

await runService(() => runOrchestrator(loadConfig(config, process.env, configFaults)), {
  migrate: migrationJob('orchestrator', config, orchestratorMigrations),
});
