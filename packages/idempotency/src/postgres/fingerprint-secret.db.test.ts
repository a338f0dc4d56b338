import { createHmac } from 'node:crypto';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import canonicalize from 'canonicalize';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fingerprinter } from '../core/fingerprint.ts';
import { idempotencyMigrations } from '../index.ts';
import { loadFingerprinter } from './fingerprint-secret.ts';

let database: TestDatabase;
let all: Fingerprinter[];
let one: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('fingerprints', [idempotencyMigrations]);
  all = await Promise.all(Array.from({ length: 10 }, () => loadFingerprinter(database.pool)));
  [one] = all as [Fingerprinter];
});
afterAll(() => database.drop());

const hex = (operation: string, request: object) => one.of(operation, request).digest.toString('hex');

describe('a fingerprint', () => {
  it('K2: is the same in ten processes that start at once on an empty database: else a retry would be another order', () => {
    expect(new Set(all.map((fingerprinter) => fingerprinter.derivedId('order', 'shop', 'key'))).size).toBe(1);
  });

  it('H8: does not depend on the order of members', () => {
    expect(hex('x', { a: 1, b: { c: 2, d: 3 } })).toBe(hex('x', { b: { d: 3, c: 2 }, a: 1 }));
  });

  it('K2: differs for another value, another list order, another operation', () => {
    const base = hex('x', { a: [1, 2] });
    expect(new Set([base, hex('x', { a: [2, 1] }), hex('x', { a: [1, 2, null] }), hex('y', { a: [1, 2] })]).size).toBe(
      4,
    );
  });

  it('K2: is what the release before made of the same request: a stored print outlives the code that made it', async () => {
    const { rows } = await database.pool.query('select secret from holdfast.fingerprint_secrets');
    const sha = (parts: unknown[]) =>
      createHmac('sha256', rows[0].secret)
        .update(canonicalize(parts) ?? '')
        .digest();
    const bodies = [
      {},
      [1, { b: 2, a: [] }],
      { b: 1, a: { d: null, c: [true, 'é"\\'] }, '\u{1f600}': 1, '\ufb33': 2, no: undefined },
      new Date(0),
      { nested: { at: new Date(0) } },
      { long: 'é'.repeat(20_000), short: 'after a long one' },
    ];
    for (const body of bodies) {
      expect(one.of('x', body).digest).toEqual(sha(['request', 1, 'x', body]));
    }
    const { members } = one.of('x', { b: { c: 1 } }, { nameMembers: true });
    expect(members).toEqual({
      b: sha(['member', 1, 'x', 'b', { c: 1 }])
        .subarray(0, 9)
        .toString('base64url'),
    });
  });

  it('H6: names members by digests that say nothing about their values', () => {
    const { members } = one.of('x', { a: 'secret', b: 1 }, { nameMembers: true });
    const other = one.of('x', { a: 'other', b: 1 }, { nameMembers: true }).members;
    expect(members?.b).toBe(other?.b);
    expect(members?.a).not.toBe(other?.a);
    expect(JSON.stringify(members)).not.toContain('secret');
  });

  it('K2: is keyed by the secret of whoever made it first, even when that one commits while we look', async () => {
    const second = await testDatabase('fingerprints', [idempotencyMigrations]);
    const first = await second.pool.connect();
    try {
      await first.query('begin');
      const theirs = await loadFingerprinter(first);
      const loading = loadFingerprinter(second.pool);
      const waiting =
        'select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0';
      await expect.poll(async () => (await second.pool.query(waiting)).rowCount).toBe(1);
      await first.query('commit');
      const ours = await loading;
      expect(ours.derivedId('order')).toBe(theirs.derivedId('order'));
    } finally {
      first.release();
      await second.drop();
    }
  });

  it('K2: has one secret to a database: a second one is refused', async () => {
    const adding = database.pool.query('insert into holdfast.fingerprint_secrets (secret) values ($1)', [
      Buffer.alloc(32),
    ]);
    await expect(adding).rejects.toMatchObject({ code: '23505', constraint: 'fingerprint_secrets_pkey' });
  });

  it('is keyed: another database gives another print for the same request', async () => {
    const second = await testDatabase('fingerprints', [idempotencyMigrations]);
    try {
      const other = await loadFingerprinter(second.pool);
      expect(other.of('x', { a: 1 }).digest.equals(one.of('x', { a: 1 }).digest)).toBe(false);
    } finally {
      await second.drop();
    }
  });
});

describe('a derived id', () => {
  it('is a UUID of version 8, stable, and keeps its parts apart', async () => {
    const id = one.derivedId('order', 'shop', 'key');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect((await loadFingerprinter(database.pool)).derivedId('order', 'shop', 'key')).toBe(id);
    expect(one.derivedId('order', 'shopk', 'ey')).not.toBe(id);
  });
});
