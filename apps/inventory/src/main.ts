import { inboxRetention, type StreamEntry } from '@holdfast/messaging';
import { consumeEvents, eventsUrl, migrationJob, runParticipant } from '@holdfast/participant';
import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { FULFILMENT, fulfilDispatched, SHIPMENT_STREAM } from './fulfilment.ts';
import { inventoryMigrations, inventoryService } from './server.ts';

await runService(
  () => {
    const settings = loadConfig(config, process.env);
    const eventsAt = eventsUrl(settings);
    return runParticipant(
      'inventory',
      settings,
      inventoryMigrations,
      (participant) => {
        if (eventsAt !== undefined) {
          const handle = (entries: StreamEntry[]) => fulfilDispatched(participant.pool, entries);
          consumeEvents(eventsAt, { stream: SHIPMENT_STREAM, group: FULFILMENT, handle }, participant);
        }
        return inventoryService(participant);
      },
      [inboxRetention],
    );
  },
  { migrate: migrationJob('inventory', config, inventoryMigrations) },
);
