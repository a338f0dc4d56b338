import { type TestDatabase, testDatabase } from '@holdfast/testing';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPool, type PoolOptions, sessionSettings } from './pool.ts';
import { openSession, SessionRefused, whyUnready } from './session.ts';
import { transaction } from './transaction.ts';

let db: TestDatabase;
const pools: pg.Pool[] = [];
beforeEach(async () => {
  db = await testDatabase('session', []);
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
  await db.drop();
});

function poolOf(options: Partial<PoolOptions> = {}): pg.Pool {
  const pool = createPool({ databaseUrl: db.databaseUrl, applicationName: 'session', max: 2, ...options });
  pools.push(pool);
  return pool;
}

async function alterDatabase(...settings: string[]): Promise<void> {
  const { rows } = await db.pool.query<{ name: string }>('select current_database() as name');
  for (const setting of settings) await db.pool.query(`alter database ${rows[0]?.name} set ${setting}`);
}

const asWritten = async (pool: pg.Pool, settings: Record<string, string>) => {
  const text = `select name, current_setting(name) as found, set_config(name, value, true) as wanted
                  from unnest($1::text[], $2::text[]) as s (name, value)`;
  return (await pool.query(text, [Object.keys(settings), Object.values(settings)])).rows;
};

describe('a direct connection', () => {
  it('has what its pool asks for, whatever the database has by default', async () => {
    await alterDatabase(
      'statement_timeout = 1',
      'lock_timeout = 0',
      'idle_in_transaction_session_timeout = 0',
      `default_transaction_isolation = 'serializable'`,
      'standard_conforming_strings = off',
      'array_nulls = off',
      `DateStyle = 'SQL, DMY'`,
      'enable_seqscan = on',
      'jit = on',
    );
    const pool = poolOf({ keyLookupsOnly: true });
    await openSession(pool);
    for (const { name, found, wanted } of await asWritten(pool, sessionSettings({ keyLookupsOnly: true }))) {
      expect(`${name} ${found}`).toBe(`${name} ${wanted}`);
    }
  });

  it('keeps the names of statements, unless told not to', async () => {
    const names = async (prepare: PoolOptions['prepare']) => {
      const pool = poolOf({ prepare, max: 1 });
      await openSession(pool);
      await pool.query({ name: 'with.values', text: 'select $1::int', values: [1] });
      await pool.query({ name: 'without.values', text: 'select 1' });
      const { rows } = await pool.query(
        `select name from pg_prepared_statements where name like 'with%' order by name`,
      );
      return rows.map(({ name }) => name);
    };
    expect(await names('auto')).toEqual(['with.values', 'without.values']);
    expect(await names('on')).toEqual(['with.values', 'without.values']);
    expect(await names('off')).toEqual([]);
  });

  it('that does not get what its pool asks for is refused, with each setting and what gives it', async () => {
    const url = new URL(db.databaseUrl);
    url.searchParams.set('options', '-c lock_timeout=0');
    const opened = openSession(poolOf({ databaseUrl: url.href }));
    await expect(opened).rejects.toThrow(SessionRefused);
    await expect(opened).rejects.toMatchObject({ exitCode: 78 });
    await expect(opened).rejects.toThrow(/lock_timeout is 0, expected 1s/);
    await expect(opened).rejects.toThrow(/^alter role "postgres" in database "session_\w+" set lock_timeout = '1s';$/m);
  });

  it('begins a transaction that sees what was committed meanwhile, whatever the isolation by default', async () => {
    await alterDatabase(`default_transaction_isolation = 'repeatable read'`);
    await db.pool.query('create table note (id int)');
    const pool = poolOf();
    pool.options.options = undefined;
    const seen = await transaction(pool, async (tx) => {
      await tx.query('select 1');
      await db.pool.query('insert into note values (7)');
      return (await tx.query('select id from note')).rows;
    });
    expect(seen).toEqual([{ id: 7 }]);
  });
});

describe('readiness', () => {
  it('says why not, for as long as it is so', async () => {
    const pool = poolOf({ max: 1 });
    expect(await whyUnready(pool)).toBeNull();
    await pool.query('set default_transaction_read_only = on');
    expect(await whyUnready(pool)).toBe('25006: the database is read-only');
    await pool.query('set default_transaction_read_only = off');
    await pool.query('set lock_timeout = 0');
    expect(await whyUnready(pool)).toBe('the connection is without lock_timeout, which it asked for');
    await pool.query(`set lock_timeout = '1s'`);
    expect(await whyUnready(pool)).toBeNull();
  });
});
