import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orchestratorMigrations } from '../run-orchestrator.ts';
import type { AuditEntry, AuditVerb } from './audit-entry.ts';
import { readAuditLog, writeEntry, writeOutcome } from './audit-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('audit-log', orchestratorMigrations);
});
afterAll(() => database?.drop());

const START_MS = Date.parse('2026-11-30T08:00:00.000Z');
const atMinute = (minute: number) => new Date(START_MS + minute * 60_000);

async function enter(tenantId: string, minute: number, own: Partial<AuditEntry> = {}) {
  const id = { tenantId, at: atMinute(minute), id: `change-${minute}` };
  await writeEntry(database.pool, id, {
    ...{ actor: 'key:ann', reason: null, requestId: `request-${minute}`, traceId: 'trace' },
    ...{ verb: 'adjustStock', target: '/v1/stock/tea', asked: { delta: minute } },
    ...own,
  });
  return id;
}

type Filter = Omit<Parameters<typeof readAuditLog>[2], 'limit'>;

/** What is asked for of every entry that the filter leaves, read in pages of two. */
async function minutesOf(tenantId: string, filter: Filter): Promise<unknown[]> {
  const minutes: unknown[] = [];
  let cursor: string | null = null;
  do {
    const after: Filter['after'] =
      cursor === null ? undefined : { createdAt: placeOf(cursor)[0] ?? '', id: placeOf(cursor)[1] ?? '' };
    const page = await readAuditLog(database.pool, tenantId, { ...filter, after, limit: 2 });
    expect(page.rows.length).toBeLessThanOrEqual(2);
    minutes.push(...page.rows.map(({ asked }) => (asked as { delta: number }).delta));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return minutes;
}

const placeOf = (cursor: string) => Buffer.from(cursor, 'base64url').toString().split(' ');

describe('the audit log', () => {
  it('T4: is read newest first, page by page, by tenant and by every filter', async () => {
    const owners: Partial<AuditEntry>[] = [
      {},
      { actor: 'key:bob' },
      { target: '/v1/stock/jam' },
      { verb: 'putStock' },
      { actor: 'key:bob', target: '/v1/stock/jam', verb: 'putStock' },
    ];
    for (const [minute, own] of owners.entries()) await enter('shop', minute, own);
    await enter('other', 1);
    const all = { actor: undefined, verb: undefined, target: undefined };
    expect(await minutesOf('shop', all)).toEqual([4, 3, 2, 1, 0]);
    expect(await minutesOf('other', all)).toEqual([1]);
    expect(await minutesOf('shop', { actor: 'key:bob' })).toEqual([4, 1]);
    expect(await minutesOf('shop', { target: '/v1/stock/jam' })).toEqual([4, 2]);
    expect(await minutesOf('shop', { verb: 'putStock' as AuditVerb })).toEqual([4, 3]);
    expect(await minutesOf('shop', { target: '/v1/stock/jam', actor: 'key:bob' })).toEqual([4]);
    expect(await minutesOf('shop', { from: atMinute(1), to: atMinute(4) })).toEqual([3, 2, 1]);
    expect(await minutesOf('shop', { actor: 'key:ann', to: atMinute(3) })).toEqual([2, 0]);
  });

  it('T4: keeps the first outcome of an entry, whoever brings another', async () => {
    const id = await enter('decided', 7);
    await writeOutcome(database.pool, id, { kind: 'refused', code: 'conflict' });
    await writeOutcome(database.pool, id, { kind: 'done', after: { onHand: 1 } });
    const { rows } = await readAuditLog(database.pool, 'decided', { limit: 5 });
    expect(rows).toEqual([
      {
        ...{ id: 'change-7', at: atMinute(7).toISOString(), actor: 'key:ann', verb: 'adjustStock' },
        ...{ target: '/v1/stock/tea', asked: { delta: 7 }, reason: null, requestId: 'request-7', traceId: 'trace' },
        ...{ outcome: 'refused', code: 'conflict', before: null, after: null, decidedAt: expect.any(String) },
      },
    ]);
  });
});
