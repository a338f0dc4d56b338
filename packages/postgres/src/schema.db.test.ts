import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool, statement } from './pool.ts';
import { hostOf, inSchema, schemaOf, textIn } from './schema.ts';
import { transaction } from './transaction.ts';

const whose = statement('test.whose', 'select whose from holdfast.relays');
const LONGEST = `a${'b'.repeat(62)}`;
const SCHEMAS = ['holdfast', 'mine', 'user', LONGEST];

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase('schema', []);
  for (const schema of SCHEMAS.slice(1)) await db.pool.query(`create schema "${schema}"`);
  for (const schema of SCHEMAS) {
    await db.pool.query(`create table "${schema}".relays as select '${schema}' as whose`);
  }
  await db.pool.query(`create table relays as select 'the host' as whose`);
});
afterAll(() => db.drop());

describe('the tables of the libraries', () => {
  it.each(SCHEMAS)('are found in the schema %s, on one connection with the others', async (schema) => {
    const pool = createPool({ databaseUrl: db.databaseUrl, applicationName: 'schema', max: 1 });
    try {
      for (const one of [...SCHEMAS, schema, ...SCHEMAS]) {
        expect((await inSchema(pool, one).query(whose)).rows).toEqual([{ whose: one }]);
      }
      const inside = await transaction(inSchema(pool, schema), async (tx) => (await tx.query(whose)).rows);
      expect(inside).toEqual([{ whose: schema }]);
    } finally {
      await pool.end();
    }
  });

  it('have nothing to do with the search path', async () => {
    const pool = createPool({ databaseUrl: db.databaseUrl, applicationName: 'schema', max: 1 });
    try {
      await pool.query(`set search_path = mine, public`);
      expect((await pool.query(whose)).rows).toEqual([{ whose: 'holdfast' }]);
    } finally {
      await pool.end();
    }
  });

  it('are the libraries’ alone: what the host sends through a view stays as it is', async () => {
    const view = inSchema(db.pool, 'mine');
    const text = 'select whose from holdfast.relays';
    const [bare, named] = [await view.query(text), await view.query({ name: 'host.whose', text })];
    expect([bare.rows, named.rows]).toEqual([[{ whose: 'holdfast' }], [{ whose: 'holdfast' }]]);
  });
});

describe('a view of a pool', () => {
  it('is one for each schema, none for the default, and leads back to its host', () => {
    const view = inSchema(db.pool, 'mine');
    expect(inSchema(db.pool, 'mine')).toBe(view);
    expect(inSchema(view, undefined)).toBe(view);
    expect([hostOf(view), hostOf(inSchema(view, 'user')), inSchema(view, 'holdfast')]).toEqual(Array(3).fill(db.pool));
    expect([schemaOf(view), schemaOf(db.pool)]).toEqual(['mine', 'holdfast']);
  });

  it.each(['', 'Mine', 'a-b', 'a"b', "a'b", 'a.b', '1a', 'pg_mine', `${LONGEST}c`])('refuses the name %j', (name) => {
    expect(() => inSchema(db.pool, name)).toThrow('schema:');
    expect(() => textIn(name, 'select')).toThrow('schema:');
  });
});

it('a word of the host that only begins like a relation of ours is no relation', () => {
  const text = `select 'holdfast.order.completed', 'holdfast.sagas-of-mine', 'holdfast.payments'
    from holdfast.saga_signals, holdfast.sagas.id, holdfast.answers_rest, holdfast.claims c, holdfast.outbox, holdfast.inbox, holdfast.relays`;
  expect(textIn('mine', text)).toBe(
    `select 'holdfast.order.completed', 'holdfast.sagas-of-mine', 'holdfast.payments'
    from "mine".saga_signals, "mine".sagas.id, "mine".answers_rest, "mine".claims c, "mine".outbox, "mine".inbox, "mine".relays`,
  );
});

it('a text of the host that is part of a statement keeps its own words', () => {
  const text = `insert into holdfast.claims select 'https://holdfast.example', 'me@holdfast.example', nextval('holdfast.owner_ids')`;
  expect(textIn('mine', text)).toBe(
    `insert into "mine".claims select 'https://holdfast.example', 'me@holdfast.example', nextval('"mine".owner_ids')`,
  );
});
