// Writes every service's schema.txt anew from its migrations, on an embedded Postgres of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, describeSchema, migrate } from '@holdfast/postgres';
import { startPostgres } from '@holdfast/testing';
import { schemas } from './schemas.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-schemas-'));
const server = await startPostgres({ dataDir: join(folder, 'data') });
try {
  for (const { service, migrations, file } of schemas) {
    const databaseUrl = await server.createDatabase(service);
    const pool = createPool({ databaseUrl, applicationName: 'write-schemas', max: 1 });
    await migrate(pool, migrations);
    writeFileSync(file, await describeSchema(pool));
    await pool.end();
    console.log(`wrote the schema of ${service}`);
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
