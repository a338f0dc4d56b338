import { idempotencyMigrations, purge } from '@holdfast/idempotency';
import { transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetMessages, inboxRetention, type Message, takeNew } from './inbox.ts';
import { inboxMigrations } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('inbox', [idempotencyMigrations, inboxMigrations], { max: 8 });
  await database.pool.query('create table effects (tenant_id text not null, message_id text not null)');
});
afterAll(() => database.drop());

/** A consumer whose effect is a row per message. */
async function consume(messages: Message[], { consumer = 'stock', dies = false } = {}): Promise<string[]> {
  return await transaction(database.pool, async (tx) => {
    const fresh = await takeNew(tx, consumer, messages);
    for (const { tenantId, id } of fresh) await tx.query('insert into effects values ($1, $2)', [tenantId, id]);
    if (dies) throw new Error('killed before the commit');
    return fresh.map(({ id }) => id);
  });
}

const message = (id: string, tenantId = 'shop'): Message => ({ tenantId, scope: id.slice(0, 1), id });

async function effectsOf(prefix: string): Promise<number> {
  const { rowCount } = await database.pool.query('select from effects where message_id like $1', [`${prefix}%`]);
  return rowCount ?? 0;
}

describe('the effect of a message', () => {
  it('happens once, however often it comes, in one batch or in several', async () => {
    expect(await consume([message('a2'), message('a1'), message('a2')])).toEqual(['a2', 'a1']);
    expect(await consume([message('a1'), message('a3'), message('a2')])).toEqual(['a3']);
    expect(await effectsOf('a')).toBe(3);
  });

  it('happens once when it comes to several processes at once, in different orders', async () => {
    const ids = Array.from({ length: 30 }, (_, n) => message(`b${n}`));
    const rounds = [ids, ids.toReversed(), ids, ids.toReversed()].map((messages) => consume(messages));
    expect((await Promise.all(rounds)).flat()).toHaveLength(30);
    expect(await effectsOf('b')).toBe(30);
  });

  it('K1: is not lost by a consumer that dies before it has committed', async () => {
    await expect(consume([message('c1')], { dies: true })).rejects.toThrow('killed');
    expect(await effectsOf('c')).toBe(0);
    expect(await consume([message('c1')])).toEqual(['c1']);
  });

  it('is each tenant’s and each consumer’s own', async () => {
    expect(await consume([message('d1'), message('d1', 'other')])).toEqual(['d1', 'd1']);
    expect(await consume([message('d1')], { consumer: 'mail' })).toEqual(['d1']);
    expect(await consume([message('d1')], { consumer: 'mail' })).toEqual([]);
  });

  it('is forgotten after its time, in bounded batches', async () => {
    await database.pool.query(
      `update holdfast.inbox set received_at = clock_timestamp() - interval '31 days' where message_id like 'a%'`,
    );
    expect(await forgetMessages(database.pool, 30 * 86_400_000, 2)).toBe(2);
    expect(await forgetMessages(database.pool, 30 * 86_400_000, 2)).toBe(1);
    expect(await consume([message('b1'), message('a1')])).toEqual(['a1']);
  });

  it('K5: is recognised for as long as an outbox may publish it again', async () => {
    const messages = ['old', 'young'].map((id) => ({ tenantId: 'shop', scope: id, id }));
    const take = () => transaction(database.pool, (tx) => takeNew(tx, 'stock', messages));
    expect(await take()).toHaveLength(2);
    const ageOf = `update holdfast.inbox set received_at = received_at - $2::integer * interval '1 day' where scope = $1`;
    await database.pool.query(ageOf, ['old', 46]);
    await database.pool.query(ageOf, ['young', 44]);
    expect(await purge({ pool: database.pool, others: [inboxRetention] })).toMatchObject({ others: 1 });
    expect((await take()).map(({ id }) => id)).toEqual(['old']);
  });
});
