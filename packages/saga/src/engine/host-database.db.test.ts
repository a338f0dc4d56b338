import { type TestDatabase, testDatabase } from '@holdfast/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  defineSaga,
  type Engine,
  type EngineOptions,
  inSchema,
  migrate,
  migrationSql,
  readSaga,
  sagaMigrations,
} from '../index.ts';

// Sagas in a database of somebody else's, in the schema by default and in another one.

const LARGEST = '9223372036854775807';
const SCHEMAS = [{ schema: 'holdfast' }, { schema: 'journeys' }];
const HOST = `
  create table schema_migrations (version varchar primary key);
  create table sagas (id bigint primary key, hero text);
  insert into sagas values (${LARGEST}, 'Egil');
  create table owners (id int primary key);
  create table ends (id text primary key, state text not null)`;

let database: TestDatabase;
let host: pg.Pool;
beforeAll(async () => {
  database = await testDatabase('saga_host', []);
  await database.pool.query('drop schema holdfast cascade');
  host = new pg.Pool({ connectionString: database.databaseUrl, max: 6 });
  await host.query(HOST);
  for (const options of SCHEMAS) {
    await host.query(`begin; ${migrationSql([sagaMigrations], options)}; commit`);
    expect(await migrate(host, [sagaMigrations], options)).toEqual([]);
  }
});
afterAll(async () => {
  await host.end();
  await database.drop();
});

const trip = defineSaga<{ fails: boolean }, { book: { id: string } }>()({
  name: 'trip',
  deadlineMs: 20_000,
  steps: [
    {
      name: 'book',
      kind: 'compensatable',
      timeoutMs: 5_000,
      retry: { baseMs: 5, capMs: 20 },
      act: async ({ input }) =>
        input.fails ? { kind: 'refused', reason: 'FULL', message: '' } : { kind: 'completed', output: { id: 'b' } },
      undo: async () => ({ kind: 'completed' }),
    },
  ],
});

async function started(options: Partial<EngineOptions>): Promise<Engine> {
  const engine = createEngine({
    pool: host,
    definitions: [trip],
    name: `test-${Math.random()}`,
    leaseMs: 600,
    log: { info() {}, warn() {}, error() {} },
    ...options,
  });
  await engine.start();
  return engine;
}
async function ended(engine: Engine, id: string): Promise<string> {
  const end = await engine.waitForEnd(id, 15_000);
  return end.kind === 'ended' ? end.snapshot.state : end.kind;
}

describe.each(SCHEMAS)('in a host’s database, with its sagas in $schema', ({ schema }) => {
  it('S1: begin, end, turn back, and are taken over; what the host commits with them is in its own table', async () => {
    const commitHook = {
      name: 'note-end',
      text: `insert into ends select id, state from written where ended on conflict do nothing`,
    };
    const engine = await started({ schema, commitHook });
    const id = (name: string) => `${schema}-${name}`;
    expect(await engine.begin(trip, id('plain'), { fails: false })).toEqual({ kind: 'begun' });
    expect(await engine.begin(trip, id('fails'), { fails: true })).toEqual({ kind: 'begun' });
    const client = await host.connect();
    await client.query('begin');
    const begun = await engine.begin(trip, id('within'), { fails: false }, { tx: client });
    await client.query('commit');
    client.release();
    if (begun.kind === 'begun') await begun.committed();
    const dying: Engine = await started({
      schema,
      crashPoint: (point) => void (point === 'before-act' && dying.abandon()),
    });
    expect(await dying.begin(trip, id('orphan'), { fails: false })).toEqual({ kind: 'begun' });
    const states = await Promise.all(['plain', 'fails', 'within', 'orphan'].map((name) => ended(engine, id(name))));
    expect(states).toEqual(['completed', 'failed', 'completed', 'completed']);
    const { rows } = await host.query('select state from ends where id like $1 order by id', [`${schema}-%`]);
    expect(rows).toHaveLength(4);
    expect((await readSaga(inSchema(host, schema), id('plain')))?.state).toBe('completed');
    await engine.stop();
  });

  it('leaves the host’s tables and their bigints as they were', async () => {
    expect((await host.query('select id, hero from sagas')).rows).toEqual([{ id: LARGEST, hero: 'Egil' }]);
    const { rows } = await host.query(
      `select tablename::text as name from pg_tables where schemaname = 'public' order by 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['ends', 'owners', 'sagas', 'schema_migrations']);
  });

  it('are there, and nowhere else', async () => {
    const { rows } = await host.query(`select id from ${schema}.sagas order by id`);
    expect(rows.map(({ id }) => id.startsWith(`${schema}-`))).toEqual([true, true, true, true]);
  });
});
