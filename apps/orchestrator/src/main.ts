import { migrationJob } from '@holdfast/participant';
import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { orchestratorMigrations, runOrchestrator } from './run-orchestrator.ts';

await runService(() => runOrchestrator(loadConfig(config, process.env)), {
  migrate: migrationJob('orchestrator', config, orchestratorMigrations),
});
