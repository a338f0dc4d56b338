import { readFileSync } from 'node:fs';
import { describeSchema } from '@holdfast/postgres';
import { testDatabase } from '@holdfast/testing';
import { describe, expect, it } from 'vitest';
import { schemas } from '../scripts/schemas.ts';

describe('schema.txt', () => {
  it.each(schemas)(
    'of $service is what its migrations make (else: npm run gen, and look at the diff)',
    async (schema) => {
      const database = await testDatabase(schema.service, schema.migrations);
      try {
        expect(await describeSchema(database.pool)).toBe(readFileSync(schema.file, 'utf8'));
      } finally {
        await database.drop();
      }
    },
  );

  it.each(schemas)('of $service has its tenant or its order in every primary key, and no foreign key', (schema) => {
    const lines = readFileSync(schema.file, 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('FOREIGN KEY'))).toEqual([]);
    const keys = lines.filter((line) => / constraint \S+ (PRIMARY KEY|UNIQUE)/.test(line));
    // Reference tables: read by every shard, written by none on the order path. Ids of sagas and orders are the order's.
    const global = /^holdfast\.(migrations|fingerprint_secrets|owners|relays) /;
    const distributed = /\((tenant_id, (scope|order_id|sku|customer_id|at, id)|id\)|saga_id|order_id)/;
    expect(keys.filter((line) => !global.test(line) && !distributed.test(line))).toEqual([]);
  });
});
