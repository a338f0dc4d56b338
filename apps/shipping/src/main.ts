import { eventsUrl, migrationJob, relayEvents, runParticipant } from '@holdfast/participant';
import { loadConfig, runService } from '@holdfast/service';
import { config } from './config.ts';
import { SHIPMENT_OUTBOX } from './dispatch.ts';
import { shippingMigrations, shippingService } from './server.ts';

await runService(
  () => {
    const settings = loadConfig(config, process.env);
    const { CARRIER_URL: baseUrl, CARRIER_TIMEOUT_MS: timeoutMs } = settings;
    const carrier = baseUrl === undefined ? undefined : { baseUrl, timeoutMs };
    const eventsAt = eventsUrl(settings);
    const bind = shippingService(carrier, { tellsEvents: eventsAt !== undefined });
    return runParticipant('shipping', settings, shippingMigrations, (participant) => {
      if (eventsAt !== undefined) relayEvents(eventsAt, SHIPMENT_OUTBOX, settings.ORDER_EVENTS_KEPT_MS, participant);
      return bind(participant);
    });
  },
  { migrate: migrationJob('shipping', config, shippingMigrations) },
);
