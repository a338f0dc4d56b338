import { idempotencyMigrations } from '@holdfast/idempotency';
import type { StreamEntry } from '@holdfast/idempotency/redis';
import { consumeEvents, eventsUrl, migrationJob, runParticipant } from '@holdfast/rpc';
import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { FULFILMENT, fulfilDispatched, SHIPMENT_STREAM } from './fulfilment.ts';
import { inventoryMigrations, inventoryService } from './server.ts';

await runService(
  () => {
    const settings = loadConfig(config, process.env);
    const eventsAt = eventsUrl(settings);
    return runParticipant('inventory', settings, inventoryMigrations, (participant) => {
      if (eventsAt !== undefined) {
        const handle = (entries: StreamEntry[]) => fulfilDispatched(participant.pool, entries);
        consumeEvents(eventsAt, { stream: SHIPMENT_STREAM, group: FULFILMENT, handle }, participant);
      }
      return inventoryService(participant);
    });
  },
  { migrate: migrationJob('inventory', config, [idempotencyMigrations, inventoryMigrations]) },
);
