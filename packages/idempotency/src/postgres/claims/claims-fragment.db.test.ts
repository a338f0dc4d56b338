import { statement } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { idempotencyMigrations } from '../../index.ts';
import { newClaimsSql, openClaim, settleClaimsSql, settleOpenClaim } from './claims-fragment.ts';
import { readClaims } from './read-claims.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('claims-fragment', [idempotencyMigrations], { keyLookupsOnly: true });
  await database.pool.query('create table tickets (id text primary key)');
});
afterAll(() => database?.drop());
beforeEach(() => database.pool.query('truncate holdfast.claims, tickets'));

const fingerprint = { version: 1, digest: Buffer.from('print'), members: { a: 'x' } };

/** A key, and what is done under it: one statement. */
const issue = statement(
  'test.issue-tickets',
  `with r as (
     select * from unnest($1::text[], $2::text[], $3::text[]) as r(tenant_id, id, answer)
   ), claimed as (${newClaimsSql({
     tenantId: 'r.tenant_id',
     key: 'r.id',
     operation: `'issue'`,
     resource: `'/tickets/' || r.id`,
     fingerprint: `'\\x01'::bytea`,
     fingerprintVersion: '1::smallint',
     answer: `convert_to(r.answer, 'UTF8')`,
     claimedAt: 'clock_timestamp()',
     source: 'r',
   })})
   insert into tickets select key from claimed returning id`,
);

/** @returns the tickets that are new */
async function issued(entries: [tenantId: string, id: string, answer: string | null][]): Promise<string[]> {
  const values = [
    entries.map(([tenantId]) => tenantId),
    entries.map(([, id]) => id),
    entries.map(([, , answer]) => answer),
  ];
  const { rows } = await database.pool.query<{ id: string }>({ ...issue, values });
  return rows.map(({ id }) => id);
}

const end = statement(
  'test.end-tickets',
  settleClaimsSql({
    tenantId: 'w.tenant_id',
    key: 'w.id',
    answer: 'w.answer',
    source: 'unnest($1::text[], $2::text[], $3::bytea[]) as w(tenant_id, id, answer)',
    returning: 'id',
  }),
);

async function settled(tenantId: string, id: string, answer: string | null) {
  const values = [[tenantId], [id], [answer === null ? null : Buffer.from(answer)]];
  return (await database.pool.query<{ id: string }>({ ...end, values })).rows;
}

const readOf = async (tenantId: string, ...keys: string[]) =>
  await readClaims(
    database.pool,
    keys.map((key) => ({ tenantId, key })),
  );

describe('claims that a caller’s own statement writes', () => {
  it('K2: are new once: what a key stands for stays, and nothing is done under it again', async () => {
    expect(await issued([['shop', 'a', null]])).toEqual(['a']);
    const before = await readOf('shop', 'a');
    expect(
      await issued([
        ['shop', 'b', 'done'],
        ['shop', 'a', 'other'],
      ]),
    ).toEqual(['b']);
    expect(await readOf('shop', 'a')).toEqual(before);
    expect(before).toMatchObject([{ operation: 'issue', resource: '/tickets/a', state: 'in_progress', answer: null }]);
    expect(await readOf('shop', 'b')).toMatchObject([{ state: 'completed', answer: Buffer.from('done') }]);
  });

  it('K1: are answered once: by whichever comes first, the statement of the work’s end or a caller that waits no longer', async () => {
    await issued([
      ['shop', 'a', null],
      ['shop', 'b', null],
    ]);
    const [a, b] = [
      { tenantId: 'shop', key: 'a' },
      { tenantId: 'shop', key: 'b' },
    ];
    expect(await settled('shop', 'a', 'ended')).toEqual([{ id: 'a' }]);
    const ended = { state: 'completed', answer: Buffer.from('ended') };
    expect(await settleOpenClaim(database.pool, a, 'refused', Buffer.from('late'))).toEqual(ended);
    const refused = { state: 'refused', answer: Buffer.from('no') };
    expect(await settleOpenClaim(database.pool, b, 'refused', Buffer.from('no'))).toEqual(refused);
    expect(await settled('shop', 'b', 'late')).toEqual([]);
    expect(await readOf('shop', 'a', 'b')).toMatchObject([ended, refused]);
  });

  it('stay open when the end has no answer for them', async () => {
    await issued([['shop', 'a', null]]);
    expect(await settled('shop', 'a', null)).toEqual([]);
    expect(await readOf('shop', 'a')).toMatchObject([{ state: 'in_progress' }]);
  });

  it('H17: of one tenant are nothing to another', async () => {
    const claim = { key: 'a', operation: 'issue', resource: null, fingerprint, claimedAt: new Date() };
    expect(await openClaim(database.pool, { ...claim, tenantId: 'shop' })).toBe(true);
    expect(await openClaim(database.pool, { ...claim, tenantId: 'other' })).toBe(true);
    expect(await settled('other', 'a', 'ended')).toHaveLength(1);
    expect(await readOf('shop', 'a')).toMatchObject([{ tenantId: 'shop', state: 'in_progress', members: { a: 'x' } }]);
    expect(await settleOpenClaim(database.pool, { tenantId: 'third', key: 'a' }, 'completed', Buffer.from('x'))).toBe(
      undefined,
    );
  });

  it('H7: are looked at together, those that are still open left out where only answers are wanted', async () => {
    await issued([
      ['shop', 'a', null],
      ['shop', 'b', 'done'],
    ]);
    const keys = ['a', 'b', 'c'].map((key) => ({ tenantId: 'shop', key }));
    expect((await readClaims(database.pool, keys)).map(({ key }) => key)).toEqual(['a', 'b']);
    expect((await readClaims(database.pool, keys, { onlySettled: true })).map(({ key }) => key)).toEqual(['b']);
  });
});
