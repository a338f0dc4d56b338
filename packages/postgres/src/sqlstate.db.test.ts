import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres, type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPool, type Pool } from './pool.ts';
import { classifyPostgresError, isUniqueViolation } from './sqlstate.ts';
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
    pool = createPool({ databaseUrl: server.adminUrl, applicationName: 'sqlstate', connectTimeoutMs: 500, max: 2 });
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
