import { type TestDatabase, testDatabase } from '@holdfast/testing';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenedTransaction, ORMS, type Orm } from '../../../test/orm-transactions.ts';
import { idempotencyMigrations, newKey, once, runOnce, type TransactionPort } from '../../index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('once', [idempotencyMigrations], { max: 6 });
  await database.pool.query('create table payments (key text not null, what text not null)');
});
afterAll(() => database.drop());

const paymentsOf = async (key: string) => {
  const { rows } = await database.pool.query('select what from payments where key = $1 order by what', [key]);
  return rows.map(({ what }) => what as string);
};
const request = { operation: 'pay', body: { amount: 5, note: 'x' } };
const pay = (port: TransactionPort, key: string, what = 'paid') =>
  port.query('insert into payments (key, what) values ($1::text, $2::text)', [key, what]);
const never = () => Promise.reject(new Error('it ran again'));

describe.each(ORMS)('once() in a transaction of %s', (_name, connect) => {
  let orm: Orm;
  beforeAll(async () => {
    orm = await connect(database.databaseUrl);
  });
  afterAll(() => orm.close());
  const payOnce = (
    key: string,
    effect: (opened: OpenedTransaction) => Promise<unknown> = ({ port }) => pay(port, key),
  ) =>
    orm.transaction((opened) =>
      once(opened.port, key, request, async () => {
        await effect(opened);
        return { paid: key };
      }),
    );

  it('K1, K2: is one effect, and every later call gets its value', async () => {
    const key = newKey();
    expect(await payOnce(key)).toEqual({ value: { paid: key }, replayed: false });
    for (const _again of [1, 2]) expect(await payOnce(key, never)).toEqual({ value: { paid: key }, replayed: true });
    expect(await paymentsOf(key)).toEqual(['paid']);
  });

  it('K2: refuses another request under the key, and names what differs', async () => {
    const key = newKey();
    await payOnce(key);
    const other = { operation: 'pay', body: { amount: 6, note: 'x' } };
    const refused = orm.transaction(({ port }) => once(port, key, other, never));
    await expect(refused).rejects.toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED', differing: ['amount'] });
  });

  it('an error after the write leaves nothing, and the retry is the one effect', async () => {
    const key = newKey();
    const failing = payOnce(key, async ({ port }) => {
      await pay(port, key);
      throw new Error('the network was gone');
    });
    await expect(failing).rejects.toThrow('the network was gone');
    expect(await paymentsOf(key)).toEqual([]);
    expect((await payOnce(key)).replayed).toBe(false);
    expect(await paymentsOf(key)).toEqual(['paid']);
  });

  it('goes with nested transactions, and a nested rollback costs only what is in it', async () => {
    const key = newKey();
    await payOnce(key, async ({ port, nested }) => {
      await pay(port, key, 'a');
      await nested((inner) => pay(inner, key, 'b').then(() => undefined));
      const undone = nested(async (inner) => {
        await pay(inner, key, 'gone');
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
    });
    expect(await paymentsOf(key)).toEqual(['a', 'b']);
    expect((await payOnce(key, never)).replayed).toBe(true);
  });

  it.each(['commit', 'rollback'])('K9: a raw %s after the write gets an error, and no second effect', async (end) => {
    const key = newKey();
    const ending = payOnce(key, async ({ port }) => {
      await pay(port, key, 'before');
      await port.query(end, []);
      await pay(port, key, 'after');
    });
    await expect(ending).rejects.toMatchObject({ name: 'TransactionEnded', when: 'now' });
    const effects = await paymentsOf(key);
    expect(effects).toEqual(end === 'commit' ? ['after', 'before'] : ['after']);
    await expect(payOnce(key)).rejects.toMatchObject({ name: 'TransactionEnded', when: 'earlier' });
    expect(await paymentsOf(key)).toEqual(effects);
  });

  it('K7: a duplicate of a running call knows at once', async () => {
    const key = newKey();
    await payOnce(key, async ({ port }) => {
      await pay(port, key);
      await expect(payOnce(key, never)).rejects.toMatchObject({ reason: 'REQUEST_IN_PROGRESS', retryable: true });
    });
    expect(await paymentsOf(key)).toEqual(['paid']);
  });
});

describe('once()', () => {
  const transaction = async <T>(work: (client: pg.PoolClient) => Promise<T>, begin = 'begin'): Promise<T> => {
    const client = await database.pool.connect();
    try {
      await client.query(begin);
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback');
      throw error;
    } finally {
      client.release();
    }
  };

  it('K9: an error after a raw rollback, and a write that commits by itself, is no second effect either', async () => {
    const key = newKey();
    const ending = transaction((client) =>
      once(client, key, request, async () => {
        await client.query('rollback');
        await pay(client, key);
        throw new Error('the network was gone');
      }),
    );
    await expect(ending).rejects.toMatchObject({ name: 'TransactionEnded', when: 'now' });
    await expect(transaction((client) => once(client, key, request, never))).rejects.toMatchObject({ when: 'earlier' });
    expect(await paymentsOf(key)).toEqual(['paid']);
  });

  it('K9: a pool, or a client without a transaction, gets an error', async () => {
    const key = newKey();
    await expect(once(database.pool, key, request, never)).rejects.toThrow('runOnce');
    const client = await database.pool.connect();
    await expect(once(client, key, request, async () => 1)).rejects.toMatchObject({ name: 'TransactionEnded' });
    client.release();
    await expect(transaction((tx) => once(tx, key, request, never))).rejects.toMatchObject({ when: 'earlier' });
  });

  it.each(['read committed', 'repeatable read', 'serializable'])(
    'K2: 20 at once in %s are one effect',
    async (level) => {
      const key = newKey();
      const attempts = Array.from({ length: 20 }, () =>
        transaction(
          (tx) => once(tx, key, request, async () => void (await pay(tx, key))),
          `begin isolation level ${level}`,
        ).then(
          ({ replayed }) => String(replayed),
          (error) => error.reason ?? error.code,
        ),
      );
      const ended = await Promise.all(attempts);
      expect(ended.filter((one) => one === 'false')).toHaveLength(1);
      expect(ended.filter((one) => !['false', 'true', 'REQUEST_IN_PROGRESS', '40001'].includes(one))).toEqual([]);
      expect(await paymentsOf(key)).toEqual(['paid']);
    },
  );

  it('keeps long values, and values of every kind, apart by tenant', async () => {
    for (const value of ['x'.repeat(5_000), null, 0, [1, { a: 'é' }], undefined]) {
      const key = newKey();
      const at = (tenantId: string) => ({ ...request, tenantId });
      expect((await transaction((tx) => once(tx, key, at('ada'), async () => value))).value).toEqual(value);
      expect((await transaction((tx) => once(tx, key, at('ada'), never))).value).toEqual(value);
      expect((await transaction((tx) => once(tx, key, at('bob'), async () => 'his'))).value).toBe('his');
    }
  });

  it('H2, H16: refuses a malformed key, and one that is too old to be remembered', async () => {
    const run = (key: string) => transaction((tx) => once(tx, key, request, never));
    await expect(run('short')).rejects.toMatchObject({ reason: 'IDEMPOTENCY_KEY_INVALID' });
    await expect(run(newKey(Date.now() - 40 * 86_400_000))).rejects.toMatchObject({
      reason: 'IDEMPOTENCY_KEY_EXPIRED',
    });
  });

  it('finds the secret that another transaction made, and makes one where there is none', async () => {
    const fresh = await testDatabase('once_fresh', [idempotencyMigrations]);
    const [key, client] = [newKey(), await fresh.pool.connect()];
    await client.query('begin');
    await once(client, key, request, async () => 1);
    await client.query('rollback');
    await client.query('begin');
    expect(await once(client, key, request, async () => 2)).toEqual({ value: 2, replayed: false });
    await client.query('commit');
    client.release();
    expect(await runOnce(fresh.pool, key, request, never)).toEqual({ value: 2, replayed: true });
    await fresh.drop();
  });
});

describe('runOnce()', () => {
  it('K1, K2: is one effect in a transaction of its own; an error rolls it back; duplicates wait for it', async () => {
    const key = newKey();
    const failing = runOnce(database.pool, key, request, async (tx) => {
      await pay(tx, key);
      throw new Error('the network was gone');
    });
    await expect(failing).rejects.toThrow('the network was gone');
    const run = () => runOnce(database.pool, key, request, async (tx) => void (await pay(tx, key)));
    const all = await Promise.all(Array.from({ length: 10 }, run));
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await paymentsOf(key)).toEqual(['paid']);
  });

  it('K2, K9: refuses another request under the key, a raw commit, and an effect that takes too long', async () => {
    const key = newKey();
    await runOnce(database.pool, key, request, async () => 1);
    const other = runOnce(database.pool, key, { operation: 'pay', body: { amount: 6, note: 'x' } }, never);
    await expect(other).rejects.toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED', differing: ['amount'] });
    await expect(runOnce(database.pool, newKey(), request, (tx) => tx.query('commit'))).rejects.toThrow(
      'return to commit',
    );
    const slow = runOnce(database.pool, newKey(), { ...request, timeoutMs: 50 }, () => new Promise(() => {}));
    await expect(slow).rejects.toMatchObject({ name: 'EffectTimeout' });
  });

  it('H16: refuses a key that is too old to be remembered, unless it is', async () => {
    const old = newKey(Date.now() - 40 * 86_400_000);
    await expect(runOnce(database.pool, old, request, never)).rejects.toMatchObject({
      reason: 'IDEMPOTENCY_KEY_EXPIRED',
    });
  });
});
