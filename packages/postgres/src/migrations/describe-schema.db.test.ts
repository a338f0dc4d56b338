import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeSchema } from './describe-schema.ts';

let db: TestDatabase;

beforeEach(async () => {
  db = await testDatabase('describe_schema', []);
  // What migrate() itself made is the same everywhere.
  await db.pool.query('drop table holdfast.migrations');
});

afterEach(() => db.drop());

describe('the description of a schema', () => {
  it('names every column, constraint, index and sequence', async () => {
    await db.pool.query(`
      create sequence owner_id;
      create table stock (
        sku text not null, tenant_id text not null, on_hand bigint not null default 0 check (on_hand >= 0),
        note text, primary key (tenant_id, sku));
      create index stock_by_on_hand on stock (tenant_id, on_hand) where on_hand > 0`);
    expect((await describeSchema(db.pool)).split('\n')).toEqual([
      'stock.sku text not null',
      'stock.tenant_id text not null',
      'stock.on_hand bigint not null default 0',
      'stock.note text',
      'stock constraint stock_on_hand_check CHECK ((on_hand >= 0))',
      'stock constraint stock_pkey PRIMARY KEY (tenant_id, sku)',
      'stock index CREATE INDEX stock_by_on_hand ON public.stock USING btree (tenant_id, on_hand) WHERE (on_hand > 0)',
      'stock index CREATE UNIQUE INDEX stock_pkey ON public.stock USING btree (tenant_id, sku)',
      'sequence owner_id',
      '',
    ]);
  });

  it('does not depend on the order in which things were made', async () => {
    const [a, b] = ['create table a (id int primary key, n int unique)', 'create table b (id int primary key)'];
    await db.pool.query(`${a}; ${b}`);
    const one = await describeSchema(db.pool);
    await db.pool.query(`drop table a; drop table b; ${b}; ${a}`);
    expect(await describeSchema(db.pool)).toBe(one);
  });

  it('shows a change of a default', async () => {
    await db.pool.query('create table a (id int primary key, n int default 1)');
    const before = await describeSchema(db.pool);
    await db.pool.query('alter table a alter column n set default 2');
    expect(await describeSchema(db.pool)).toBe(before.replace('default 1', 'default 2'));
  });
});
