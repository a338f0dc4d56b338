import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { sql as drizzleSql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { knex } from 'knex';
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fingerprinter } from '../../core/fingerprint.ts';
import {
  createKeyedRunner,
  createPool,
  idempotencyMigrations,
  type KeyedRunner,
  newKey,
  type Pool,
  type Settlement,
  scopedTransaction,
  type Transaction,
  TransactionControlRefused,
  TransactionEnded,
} from '../../index.ts';
import { loadFingerprinter } from '../fingerprint-secret.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('scoped', [idempotencyMigrations]);
  fingerprinter = await loadFingerprinter(database.pool);
  await database.pool.query('create table payments (key text not null, what text not null)');
});
afterAll(() => database.drop());

const callOf = (key: string) => ({
  tenantId: 'ada',
  key,
  operation: 'pay',
  fingerprint: fingerprinter.of('pay', { amount: 5 }),
  waitMs: 0,
});
const paymentsOf = async (key: string) => {
  const { rows } = await database.pool.query('select what from payments where key = $1 order by what', [key]);
  return rows.map(({ what }) => what as string);
};
const insert = 'insert into payments (key, what) values ($1, $2)';
const settled: Settlement = { kind: 'completed', answer: Buffer.from('paid') };
const paid = { kind: 'completed', answer: Buffer.from('paid') };

/** What an ORM does in one nested transaction; `fails`: it throws inside, after its write. */
type Nested = (tx: Transaction, key: string, what: string, fails?: boolean) => Promise<void>;
class Changed extends Error {}

const drizzleNested: Nested = async (tx, key, what, fails = false) => {
  await drizzle(tx).transaction(async (inner) => {
    await inner.execute(drizzleSql`insert into payments (key, what) values (${key}, ${what})`);
    if (fails) throw new Changed();
  });
};
const knexNested: Nested = async (tx, key, what, fails = false) => {
  await knex({ client: 'pg' }).transaction(
    async (inner) => {
      await inner('payments').insert({ key, what });
      if (fails) throw new Changed();
    },
    { connection: tx },
  );
};
const kyselyNested: Nested = async (tx, key, what, fails = false) => {
  const db = new Kysely<{ payments: { key: string; what: string } }>({
    dialect: new PostgresDialect({ pool: { connect: async () => tx, end: async () => {} } as never }),
  });
  await db.transaction().execute(async (inner) => {
    await inner.insertInto('payments').values({ key, what }).execute();
    await kyselySql`select 1`.execute(inner);
    if (fails) throw new Changed();
  });
};
const rawNested: Nested = async (tx, key, what, fails = false) => {
  await tx.query('begin');
  await tx.query(insert, [key, what]);
  await tx.query(fails ? 'rollback' : 'commit');
  if (fails) throw new Changed();
};
const ORMS: [string, Nested][] = [
  ['drizzle', drizzleNested],
  ['knex', knexNested],
  ['kysely', kyselyNested],
  ['plain SQL', rawNested],
];

describe.each([false, true])('K9: a scoped transaction, pipelined: %s', (pipeline) => {
  let pool: Pool;
  let runner: KeyedRunner;
  beforeAll(() => {
    pool = createPool({ databaseUrl: database.databaseUrl, applicationName: 'scoped', pipeline, max: 2 });
  });
  beforeEach(() => {
    runner = createKeyedRunner({ pool });
  });
  afterAll(() => pool.end());

  const run = (key: string, effect: (tx: Transaction) => Promise<unknown>) =>
    runner.run(callOf(key), async (tx) => {
      await effect(tx);
      return settled;
    });

  describe.each(ORMS)('%s', (_name, nested) => {
    it('commits its nested transaction with the claim: a failure after it leaves nothing, and the retry one effect', async () => {
      const key = newKey();
      const failing = run(key, async (tx) => {
        await nested(tx, key, 'paid');
        throw new Error('the network was gone');
      });
      await expect(failing).rejects.toThrow('the network was gone');
      expect(await paymentsOf(key)).toEqual([]);
      expect(await run(key, (tx) => nested(tx, key, 'paid'))).toEqual({ ...paid, replayed: false });
      expect(await run(key, () => Promise.reject(new Error('it ran again')))).toEqual({ ...paid, replayed: true });
      expect(await paymentsOf(key)).toEqual(['paid']);
    });

    it('rolls its nested transaction back alone, and the one around it goes on', async () => {
      const key = newKey();
      const effect = async (tx: Transaction) => {
        await nested(tx, key, 'a: first');
        await expect(nested(tx, key, 'b: inner', true)).rejects.toThrow(Changed);
        await nested(tx, key, 'c: last');
      };
      expect(await run(key, effect)).toEqual({ ...paid, replayed: false });
      expect(await paymentsOf(key)).toEqual(['a: first', 'c: last']);
    });
  });

  it('nests to any depth, and a failed statement costs the nested transaction only', async () => {
    const key = newKey();
    await run(key, async (tx) => {
      await tx.query('BEGIN');
      await tx.query(insert, [key, 'a']);
      await tx.query('start transaction;');
      await tx.query(insert, [key, 'b']);
      await tx.query('savepoint mine');
      await expect(tx.query('select 1 / 0')).rejects.toThrow('division by zero');
      await tx.query('rollback to savepoint mine');
      await tx.query('begin');
      await expect(tx.query('select 1 / 0')).rejects.toThrow('division by zero');
      await expect(tx.query('commit')).rejects.toMatchObject({ code: '25P02' });
      await tx.query('rollback');
      await tx.query('end');
      await tx.query('/* done */ COMMIT;');
    });
    expect(await paymentsOf(key)).toEqual(['a', 'b']);
  });

  it.each<[string, (tx: Transaction, text: string) => Promise<unknown>]>([
    ['a text', (tx, text) => tx.query(text)],
    ['settings', (tx, text) => tx.query({ text, values: [] })],
    ['a prepared statement', (tx, text) => tx.query({ name: `named ${text}`, text })],
    ['a callback', (tx, text) => called((done) => tx.query(text, done))],
    ['values and a callback', (tx, text) => called((done) => tx.query(text, [], done))],
    ['settings and a callback', (tx, text) => called((done) => tx.query({ text } as never, done as never))],
    ['settings with their callback', (tx, text) => called((callback) => tx.query({ text, callback } as never))],
    ['a query with its callback', (tx, text) => called((done) => tx.query(new pg.Query(text, done as never)))],
    ['a query that emits', (tx, text) => emitted(tx.query(new pg.Query(text)))],
  ])('is guarded when it is asked by %s', async (_form, ask) => {
    const key = newKey();
    await run(key, async (tx) => {
      await ask(tx, 'begin');
      await tx.query(insert, [key, 'gone']);
      await ask(tx, 'rollback');
      await ask(tx, 'begin');
      await tx.query(insert, [key, 'kept']);
      await ask(tx, 'commit');
    });
    expect(await paymentsOf(key)).toEqual(['kept']);
    const failing = run(newKey(), (tx) => ask(tx, 'commit'));
    await expect(failing).rejects.toThrow('return to commit it, throw to roll it back');
  });

  it.each([
    'commit',
    'rollback',
    'begin isolation level serializable',
    'set transaction read only',
    'commit and chain',
    "prepare transaction 'one'",
    "insert into payments values ('multi', 'x'); commit",
  ])('refuses %j after the write, unsent, and the retry is the one effect', async (text) => {
    const key = newKey();
    const effect = (ends: boolean) => async (tx: Transaction) => {
      await tx.query(insert, [key, 'paid']);
      if (ends) await tx.query(text);
    };
    await expect(run(key, effect(true))).rejects.toThrow(TransactionControlRefused);
    expect(await paymentsOf(key)).toEqual([]);
    await run(key, effect(false));
    expect(await paymentsOf(key)).toEqual(['paid']);
    expect(await paymentsOf('multi')).toEqual([]);
  });

  it('can’t be ended by a block or a procedure: the server refuses, and the retry is the one effect', async () => {
    const key = newKey();
    const effect = async (tx: Transaction) => {
      await tx.query(insert, [key, 'paid']);
      await tx.query('do $$ begin commit; end $$');
    };
    await expect(run(key, effect)).rejects.toMatchObject({ code: '2D000' });
    expect(await paymentsOf(key)).toEqual([]);
    await run(key, (tx) => tx.query(insert, [key, 'paid']));
    expect(await paymentsOf(key)).toEqual(['paid']);
  });

  it('that is left with a nested transaction open is rolled back', async () => {
    const key = newKey();
    const effect = async (tx: Transaction) => {
      await tx.query('begin');
      await tx.query(insert, [key, 'paid']);
    };
    await expect(run(key, effect)).rejects.toThrow('a nested transaction was open');
    expect(await paymentsOf(key)).toEqual([]);
  });

  it('keeps what is set on it from the pool’s connection, and lends itself when it is chained', async () => {
    await run(newKey(), async (tx) => {
      Object.assign(tx, { query: () => 'patched', mark: 'mine' });
      expect([tx.query('select 1'), Reflect.get(tx, 'mark')]).toEqual(['patched', 'mine']);
      expect(tx.on('notice', () => {})).toBe(tx);
      tx.release();
      await expect(tx.end()).rejects.toThrow(TransactionControlRefused);
    });
    await run(newKey(), async (tx) => {
      expect(Reflect.get(tx, 'mark')).toBeUndefined();
      await tx.query('select 1');
    });
  });

  /** Past the guard: on the pool’s own client. */
  const endUnguarded = (tx: Transaction, text: string) =>
    called((done) => Reflect.apply(pg.Client.prototype.query, tx, [text, done]));
  const ESCAPES = ['commit', 'commit; begin', 'rollback', 'rollback; begin', 'commit; begin; select 1 / 0'];

  describe.each(ESCAPES)('that is ended past the guard by %j', (text) => {
    const once = async (key: string, attempt: (tx: Transaction) => Promise<unknown>) => {
      await expect(run(key, attempt)).rejects.toThrow(TransactionEnded);
      const before = await paymentsOf(key);
      expect(before.length).toBeLessThanOrEqual(1);
      // In another process too.
      for (const retrying of [runner, createKeyedRunner({ pool })]) {
        const retried = retrying.run(callOf(key), () => Promise.reject(new Error('it ran again')));
        await expect(retried).rejects.toMatchObject({ name: 'TransactionEnded', when: 'earlier' });
      }
      expect(await paymentsOf(key)).toEqual(before);
    };

    it('fails the call, and no retry runs it again', async () => {
      const key = newKey();
      await once(key, async (tx) => {
        await tx.query(insert, [key, 'paid']);
        await endUnguarded(tx, text).catch(() => {});
      });
    });

    it('fails the call that throws after it, and no retry runs it again', async () => {
      const key = newKey();
      await once(key, async (tx) => {
        await tx.query(insert, [key, 'paid']);
        await endUnguarded(tx, text).catch(() => {});
        throw new Error('the network was gone');
      });
    });

    it('fails a transaction without a key', async () => {
      const ending = scopedTransaction(pool, (tx) => endUnguarded(tx, text).catch(() => {}));
      await expect(ending).rejects.toThrow(TransactionEnded);
    });
  });

  // A transaction that has failed can't settle anything, and shows no other sign.
  it.each(ESCAPES.filter((text) => !text.includes('1 / 0')))(
    'that is ended by %j, unseen in the driver, fails by its settling statement',
    async (text) => {
      const effect = (key: string) => async (tx: Transaction) => {
        await tx.query(insert, [key, 'paid']);
        deafen((tx as unknown as { connection: NodeJS.EventEmitter }).connection);
        await endUnguarded(tx, text);
        return settled;
      };
      const key = newKey();
      await expect(runner.run(callOf(key), effect(key))).rejects.toThrow(TransactionEnded);
      const again: () => Promise<Settlement> = () => Promise.reject(new Error('it ran again'));
      await expect(runner.run(callOf(key), again)).rejects.toMatchObject({ when: 'earlier' });
    },
  );

  it('that is ended on the pool’s only connection still marks its key', async () => {
    const one = createPool({ databaseUrl: database.databaseUrl, applicationName: 'one', pipeline, max: 1 });
    const key = newKey();
    const ended = createKeyedRunner({ pool: one }).run(callOf(key), async (tx) => {
      await tx.query(insert, [key, 'paid']);
      await endUnguarded(tx, 'commit');
      return settled;
    });
    await expect(ended).rejects.toThrow(TransactionEnded);
    await expect(run(key, () => Promise.reject(new Error('it ran again')))).rejects.toMatchObject({ when: 'earlier' });
    await one.end();
  });
});

/** A call that answers by a callback. */
function called(ask: (done: (error: Error | null, result?: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    ask((error, result) => (error ? reject(error) : resolve(result)));
  });
}

function emitted(query: pg.Query): Promise<unknown> {
  return new Promise((resolve, reject) => query.on('end', resolve).on('error', reject));
}

/** Takes away what listens to the connection beside the driver itself: the last listener of each kind. */
function deafen(connection: NodeJS.EventEmitter): void {
  for (const event of ['commandComplete', 'readyForQuery']) {
    connection.off(event, connection.listeners(event).at(-1) as () => void);
  }
}
