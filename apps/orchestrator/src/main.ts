import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { runOrchestrator } from './run-orchestrator.ts';

await runService(() => runOrchestrator(loadConfig(config, process.env)));
