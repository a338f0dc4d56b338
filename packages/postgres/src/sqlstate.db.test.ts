import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres, type TestDatabase, testDatabase } from '@holdfast/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPool, type Pool } from './pool.ts';
import { whyUnready } from './session.ts';
import { classifyPostgresError, faultLine, isSessionFault, isUniqueViolation, sqlstateOf } from './sqlstate.ts';
import { transaction } from './transaction.ts';

async function faultOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error,
  );
}

const kindOf = async (work: Promise<unknown>) => classifyPostgresError(await faultOf(work));

describe('an error of a living server', () => {
  let db: TestDatabase;

  beforeEach(async () => {
    db = await testDatabase('sqlstate', [], { lockTimeoutMs: 100, idleInTransactionTimeoutMs: 200 });
    await db.pool.query('create table note (id int constraint note_key primary key, body text)');
    await db.pool.query(`insert into note values (1, 'a'), (2, 'b')`);
  });

  afterEach(() => db.drop());

  it('is contended when another transaction holds the row for too long', async () => {
    // Two connections, open: the holder is ended when it idles for as long as connecting may take.
    await Promise.all([db.pool.query('select pg_sleep(0.05)'), db.pool.query('select pg_sleep(0.05)')]);
    await transaction(db.pool, async (holder) => {
      await holder.query('select from note where id = 1 for update');
      expect(await kindOf(db.pool.query(`update note set body = 'c' where id = 1`))).toBe('contended');
    });
  });

  it('is contended in a deadlock', async () => {
    const patient = createPool({ databaseUrl: db.databaseUrl, applicationName: 'patient', lockTimeoutMs: 10_000 });
    const bothHold = Promise.withResolvers<void>();
    let holding = 0;
    const lockInTurn = (first: number, second: number) =>
      transaction(patient, async (tx) => {
        await tx.query('select from note where id = $1::int for update', [first]);
        holding += 1;
        if (holding === 2) bothHold.resolve();
        await bothHold.promise;
        await tx.query('select from note where id = $1::int for update', [second]);
      });
    try {
      const outcomes = await Promise.allSettled([lockInTurn(1, 2), lockInTurn(2, 1)]);
      const faults = outcomes.flatMap((o) => (o.status === 'rejected' ? [o.reason as unknown] : []));
      expect(faults).toMatchObject([{ code: '40P01' }]);
      expect(faults.map(classifyPostgresError)).toEqual(['contended']);
    } finally {
      await patient.end();
    }
  });

  it('is contended when a repeatable-read transaction loses a conflict', async () => {
    const failed = transaction(db.pool, async (tx) => {
      await tx.query('set transaction isolation level repeatable read');
      await tx.query('select from note');
      await db.pool.query(`update note set body = 'c' where id = 1`);
      await tx.query(`update note set body = 'd' where id = 1`);
    });
    expect(await kindOf(failed)).toBe('contended');
  });

  const ask = (...texts: string[]) =>
    transaction(db.pool, async (tx) => {
      for (const text of texts) await tx.query(text);
    });
  const named = (text: string) => ({ name: 'test.named', text });
  const other = async (change: (url: URL) => void, text = 'select 1') => {
    const url = new URL(db.databaseUrl);
    change(url);
    const client = new pg.Client(url.href);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(text);
    } finally {
      await client.end();
    }
  };
  const name = () => new URL(db.databaseUrl).pathname.slice(1);
  /** What says nothing about the data, and how a living server comes to say it. */
  const PROVOKED: [sqlstate: string, session: boolean, provoke: () => Promise<unknown>][] = [
    ['25006', true, () => ask('set transaction read only', `insert into note values (3)`)],
    ['42P05', true, () => ask('prepare twice as select 1', 'prepare twice as select 2')],
    ['26000', true, () => ask('execute nothing')],
    [
      '0A000',
      true,
      () =>
        transaction(db.pool, async (tx) => {
          await tx.query(named('select * from note'));
          await tx.query('alter table note add column title text');
          await tx.query(named('select * from note'));
        }),
    ],
    ['57P01', false, () => ask('select pg_terminate_backend(pg_backend_pid())')],
    ['57014', false, () => ask('select pg_cancel_backend(pg_backend_pid())')],
    ['25P04', false, () => ask(`set local transaction_timeout = '20ms'`, 'select pg_sleep(5)')],
    ['53400', false, () => ask(`set local temp_file_limit = '64kB'`, `set local work_mem = '64kB'`, SORT)],
    // No disk is filled for a test: the server says here what it would say then.
    ['53100', false, () => ask(`do $$ begin raise exception 'no space left' using errcode = '53100'; end $$`)],
    ['42501', false, () => ask('set local role pg_monitor', 'insert into note values (3)')],
    ['28P01', false, () => other((url) => (url.password = 'guess'))],
    ['3D000', false, () => other((url) => (url.pathname = '/nowhere'))],
    [
      '55000',
      false,
      async () => {
        const allow = (whether: boolean) =>
          other((url) => (url.pathname = '/postgres'), `alter database ${name()} allow_connections ${whether}`);
        await allow(false);
        await other(() => {}).finally(() => allow(true));
      },
    ],
  ];
  const SORT = 'select g from generate_series(1, 200000) g order by md5(g::text)';

  it.each(PROVOKED)('%s is unavailable, whatever the data', async (sqlstate, session, provoke) => {
    const error = await faultOf(provoke());
    expect(sqlstateOf(error)).toBe(sqlstate);
    expect([classifyPostgresError(error), isSessionFault(error)]).toEqual(['unavailable', session]);
    expect(faultLine(error)).toMatch(new RegExp(`^${sqlstate}: `));
    // Another session can.
    expect((await db.pool.query('select count(*)::int as n from note')).rows).toEqual([{ n: 2 }]);
  });

  it('makes a service not ready for a while when its disk is full, and counts no other so', async () => {
    await ask(`do $$ begin raise exception 'no memory' using errcode = '53200'; end $$`).catch(() => {});
    expect(await whyUnready(db.pool)).toBeNull();
    await ask(`do $$ begin raise exception 'no space left' using errcode = '53100'; end $$`).catch(() => {});
    expect(await whyUnready(db.pool)).toMatch(/^53100: /);
  });

  it('is unavailable when the statement takes too long', async () => {
    const hasty = createPool({ databaseUrl: db.databaseUrl, applicationName: 'hasty', statementTimeoutMs: 50 });
    try {
      expect(await kindOf(hasty.query('select pg_sleep(5)'))).toBe('unavailable');
    } finally {
      await hasty.end();
    }
  });

  it('is unavailable when the transaction sat idle for too long, and its rows are free again', async () => {
    const failed = transaction(db.pool, async (tx) => {
      await tx.query('select from note where id = 1 for update');
      // Another connection sees the row free only once the server has ended the idle transaction.
      await vi.waitUntil(async () => {
        const freed = await db.pool.query(`update note set body = 'c' where id = 1`).catch(classifyPostgresError);
        return freed !== 'contended';
      });
      await tx.query(`update note set body = 'd' where id = 1`);
    });
    expect(await kindOf(failed)).toBe('unavailable');
    expect((await db.pool.query('select body from note where id = 1')).rows).toEqual([{ body: 'c' }]);
  });

  it('is unavailable when no connection of the pool comes free in time', async () => {
    const small = createPool({ databaseUrl: db.databaseUrl, applicationName: 'small', max: 1 });
    const client = await small.connect();
    // Only now: the first connection takes as long as the machine needs to make it.
    small.options.connectionTimeoutMillis = 50;
    try {
      expect(await kindOf(small.query('select 1'))).toBe('unavailable');
    } finally {
      client.release();
      await small.end();
    }
  });

  it('is a unique violation of its own constraint, and of no other', async () => {
    const error = await faultOf(db.pool.query('insert into note values (1)'));
    expect(classifyPostgresError(error)).toBe('other');
    expect(isUniqueViolation(error, 'note_key')).toBe(true);
    expect(isUniqueViolation(error, 'page_key')).toBe(false);
    const check = await faultOf(db.pool.query('insert into note values (null)'));
    expect(isUniqueViolation(check, 'note_key')).toBe(false);
  });

  it('is other when the statement is wrong, and when a number would be rounded', async () => {
    expect(await kindOf(db.pool.query('selec 1'))).toBe('other');
    const rounded = await faultOf(db.pool.query('select 9007199254740993::bigint as n'));
    expect(rounded).toBeInstanceOf(RangeError);
    expect(classifyPostgresError(rounded)).toBe('other');
    expect((await db.pool.query('select 9007199254740991::bigint as n')).rows).toEqual([{ n: 9007199254740991 }]);
  });
});

describe('a server that is', () => {
  let folder: string;
  let server: PostgresServer;
  let pool: Pool;
  const start = async () => {
    server = await startPostgres({ dataDir: join(folder, 'data'), settings: { fsync: 'off' } });
    pool = createPool({ databaseUrl: server.adminUrl, applicationName: 'sqlstate', connectTimeoutMs: 5_000, max: 2 });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-sqlstate-'));
    await chmod(folder, 0o755);
  });
  beforeEach(start);
  afterEach(async () => {
    await pool.end();
    await server.stop();
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A statement that the server is executing; `kind` is what becomes of it. */
  const underWay = async () => {
    const kind = kindOf(pool.query('select pg_sleep(30)'));
    const seen = `select from pg_stat_activity where wait_event = 'PgSleep'`;
    await vi.waitUntil(async () => (await pool.query(seen)).rowCount === 1);
    return { kind };
  };

  it('killed is unavailable, to the statement under way and to the next', async () => {
    const sleeping = await underWay();
    await server.kill();
    expect(await sleeping.kind).toBe('unavailable');
    expect(await kindOf(pool.query('select 1'))).toBe('unavailable');
  });

  it('stopped is unavailable, to the statement under way and to the next', async () => {
    const sleeping = await underWay();
    await server.stop();
    expect(await sleeping.kind).toBe('unavailable');
    expect(await kindOf(pool.query('select 1'))).toBe('unavailable');
  });

  it('without a connection to spare is unavailable, and is back by itself when one is given back', async () => {
    await server.stop();
    server = await startPostgres({
      dataDir: join(folder, 'data'),
      port: server.port,
      settings: { fsync: 'off', max_connections: 2, superuser_reserved_connections: 0, max_wal_senders: 0 },
    });
    const all = [new pg.Client(server.adminUrl), new pg.Client(server.adminUrl)];
    for (const each of all) await each.connect();
    const refused = await faultOf(pool.query('select 1'));
    expect([sqlstateOf(refused), classifyPostgresError(refused)]).toEqual(['53300', 'unavailable']);
    for (const each of all) await each.end();
    await vi.waitUntil(async () => (await pool.query('select 1').catch(() => undefined)) !== undefined);
  });

  it('shutting down is unavailable to a new connection, which hears why', async () => {
    const client = new pg.Client(server.adminUrl);
    client.on('error', () => {});
    await client.connect();
    // Waits for those that are connected, and lets nobody else in.
    process.kill(server.pid, 'SIGTERM');
    const refused: unknown[] = [];
    await vi.waitUntil(async () => {
      const error = await pool.query('select 1').catch((reason: unknown) => reason);
      refused.push(error);
      return sqlstateOf(error) === '57P03';
    });
    expect(classifyPostgresError(refused.at(-1))).toBe('unavailable');
    await client.end();
  });

  it('frozen is unavailable to a new connection', async () => {
    process.kill(server.pid, 'SIGSTOP');
    try {
      expect(await kindOf(pool.query('select 1'))).toBe('unavailable');
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  });
});
