import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Migrations } from './migrate.ts';
import { runMigrateCommand } from './migrate-command.ts';

const KEYS: Migrations = {
  module: 'idempotency',
  files: [{ file: '001-keys.sql', sql: 'create table holdfast.keys (id int primary key);\n' }],
};
const SAGAS = `export const sagaMigrations = {
  module: 'saga', files: [{ file: '001-runs.sql', sql: 'create table holdfast.runs (id int primary key);' }] };`;

let db: TestDatabase;
let cwd: string;
beforeEach(async () => {
  db = await testDatabase('migrate_command', []);
  cwd = await mkdtemp(join(tmpdir(), 'holdfast-project-'));
});
afterEach(async () => {
  await db.drop();
  await rm(cwd, { recursive: true });
});

async function installSagas(): Promise<void> {
  const folder = join(cwd, 'node_modules/@holdfast/saga');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', exports: './index.js' }));
  await writeFile(join(folder, 'index.js'), SAGAS);
}

async function called(args: string[], url: string | null = db.databaseUrl) {
  const said = { out: [] as string[], wrong: [] as string[] };
  const [print, complain] = [said.out, said.wrong].map((lines) => (text: string) => void lines.push(text)) as [
    (text: string) => void,
    (text: string) => void,
  ];
  const code = await runMigrateCommand(
    { '@holdfast/idempotency': KEYS },
    { args, databaseUrl: url ?? undefined, cwd, print, complain },
  );
  return { code, out: said.out.join('\n'), wrong: said.wrong.join('\n') };
}

const tables = async () => {
  const { rows } = await db.pool.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  return rows.map(({ name }) => name);
};

describe('holdfast migrate', () => {
  it('applies what the database lacks, of every library that the project has', async () => {
    expect(await called(['migrate'])).toMatchObject({ code: 0, out: 'applied idempotency/001-keys.sql' });
    await installSagas();
    expect(await called(['migrate'])).toMatchObject({ code: 0, out: 'applied saga/001-runs.sql' });
    expect(await called(['migrate'])).toMatchObject({ code: 0, out: 'nothing to apply' });
    expect(await tables()).toEqual(['holdfast.keys', 'holdfast.migrations', 'holdfast.runs']);
  });

  it.each([[[]], [['--schema', 'mine']]])('prints with %j SQL that does the same', async (schema) => {
    await installSagas();
    const { code, out } = await called(['migrate', '--sql', ...schema], null);
    expect(code).toBe(0);
    await db.pool.query(`begin; set local search_path = ''; ${out}; commit`);
    const name = schema[1] ?? 'holdfast';
    expect(await tables()).toEqual(
      ['holdfast.migrations', `${name}.keys`, `${name}.migrations`, `${name}.runs`]
        .filter((table, at, all) => all.indexOf(table) === at)
        .toSorted(),
    );
    expect(await called(['migrate', ...schema])).toMatchObject({ code: 0, out: 'nothing to apply' });
  });

  it('says what it was not given, and how it is called', async () => {
    expect(await called(['migrate'], null)).toMatchObject({
      code: 1,
      wrong: expect.stringContaining('DATABASE_URL'),
    });
    for (const args of [[], ['up'], ['migrate', '--now'], ['migrate', '--schema', 'Mine']]) {
      const { code, wrong } = await called(args);
      expect([code, wrong]).toEqual([2, expect.stringContaining('holdfast migrate --sql [--schema NAME]')]);
    }
  });

  it('fails with the reason when the database can’t be reached', async () => {
    const { code, wrong } = await called(['migrate'], 'postgres://nobody@127.0.0.1:1/none');
    expect([code, wrong]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });
});
