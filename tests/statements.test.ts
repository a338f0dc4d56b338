import { readFileSync } from 'node:fs';
import { orchestratorMigrations } from '@holdfast/orchestrator';
import { createPool } from '@holdfast/postgres';
import { testDatabase } from '@holdfast/testing';
import { describe, expect, it } from 'vitest';
import { statementFiles, textOf } from '../scripts/statements.ts';

describe('statements.txt', () => {
  it.each(statementFiles)(
    'of $of is what is sent (else: npm run gen, and look at the diff)',
    ({ statements, file }) => {
      expect(textOf(statements)).toBe(readFileSync(file, 'utf8'));
    },
  );

  it.each(statementFiles)('of $of can be pasted: a migrated database prepares each as it stands', async (known) => {
    const database = await testDatabase('statements', orchestratorMigrations);
    // One connection, since what is prepared is its own.
    const pool = createPool({ databaseUrl: database.databaseUrl, applicationName: 'statements', max: 1 });
    try {
      await pool.query(readFileSync(known.file, 'utf8'));
      const { rows } = await pool.query('select name from pg_prepared_statements order by name');
      expect(rows.map(({ name }) => name)).toEqual(known.statements.map(({ name }) => name).toSorted());
    } finally {
      await pool.end();
      await database.drop();
    }
  });
});
