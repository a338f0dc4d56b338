import { createKeyedRunner, createSingleFlight, loadFingerprinter } from '@holdfast/idempotency';
import type { Migrations } from '@holdfast/postgres';
import { type Client, createClient, type ServiceBinding, startServer } from '@holdfast/rpc';
import { createLog, createMetrics } from '@holdfast/service';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { type Participant, stepStreams, storeFault } from '../src/index.ts';

export interface TestParticipant<D> {
  client: Client<D>;
  /** host:port, for a client of one's own. */
  address: string;
  participant: Participant;
  database: TestDatabase;
  stop(): Promise<void>;
}

/** A participant as it runs in production (real server, real database), in the test's own process. */
export async function testParticipant<D extends object>(
  name: string,
  definition: D,
  migrations: Migrations[],
  bind: (participant: Participant) => ServiceBinding,
): Promise<TestParticipant<D>> {
  const database = await testDatabase(name, migrations, { keyLookupsOnly: true });
  const log = createLog(name, 'silent');
  const participant: Participant = {
    pool: database.pool,
    singleFlight: createSingleFlight(),
    keyedRunner: createKeyedRunner({ pool: database.pool }),
    fingerprinter: await loadFingerprinter(database.pool),
    log,
    metrics: createMetrics(name),
  };
  const services = [bind(participant)];
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    services,
    steps: stepStreams,
    log,
    translate: storeFault,
  });
  const address = `127.0.0.1:${server.port}`;
  const client = createClient(definition, address);
  return {
    client,
    address,
    participant,
    database,
    async stop() {
      client.close();
      await server.stop(1_000);
      await database.drop();
    },
  };
}
