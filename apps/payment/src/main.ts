import { migrationJob, runParticipant } from '@holdfast/participant';
import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { paymentMigrations, paymentService } from './server.ts';

await runService(
  () => {
    const settings = loadConfig(config, process.env);
    return runParticipant('payment', settings, paymentMigrations, (participant) =>
      paymentService(participant, settings),
    );
  },
  { migrate: migrationJob('payment', config, paymentMigrations) },
);
