import { createHmac } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { migrate, type Query } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import canonicalize from 'canonicalize';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadFingerprinter } from '../core/fingerprint.ts';
import { newKey } from '../core/new-key.ts';
import { idempotencyMigrations } from '../index.ts';

const DATED = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
const UNDATED = '7c7b1d5e-8a4b-4b7e-9f0c-2f1d3c4b5a69';

/** What release 1 does when it starts, word for word. */
async function startOfRelease1(db: Query): Promise<Buffer | undefined> {
  const { rows } = await db.query<{ secret: Buffer }>(
    `with created as (
     insert into fingerprint_secrets (version, secret) values ($1::smallint, $2::bytea)
     on conflict (version) do nothing returning secret
   )
   select secret from created union all select secret from fingerprint_secrets where version = $1::smallint limit 1`,
    [1, Buffer.alloc(32, 1)],
  );
  return rows[0]?.secret;
}

/** The id that release 1 gives a key. */
function idOfRelease1(secret: Buffer, key: string): string {
  const digest = createHmac('sha256', secret)
    .update(canonicalize(['id', 'order', 'shop', key]) ?? '')
    .digest();
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x80, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

const idOf = async (db: Query, key: string) => (await loadFingerprinter(db)).idOfKey('order', 'shop', key);
const secretsOf = async (db: Query) =>
  (await db.query<{ version: number; secret: Buffer }>('select version, secret from fingerprint_secrets')).rows;

const REFUSED = { constraint: 'one_secret_per_database', code: '23505' };

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase('secrets', [idempotencyMigrations]);
});
afterEach(() => database.drop());

/** When somebody waits for a lock of somebody else's. */
async function untilBlocked(): Promise<void> {
  const waiting =
    'select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0';
  await expect.poll(async () => (await database.pool.query(waiting)).rowCount).toBe(1);
}

/** `first` in an open transaction, `second` beside it until it has to wait; then the transaction ends. */
async function atOnce<A, B>(
  first: (db: Query) => Promise<A>,
  second: (db: Query) => Promise<B>,
  end: 'commit' | 'rollback',
): Promise<[A, PromiseSettledResult<B>]> {
  const connection = await database.pool.connect();
  try {
    await connection.query('begin');
    const one = await first(connection);
    const other = Promise.allSettled([second(database.pool)]);
    await untilBlocked();
    await connection.query(end);
    return [one, (await other)[0]];
  } finally {
    connection.release();
  }
}

describe('a new database', () => {
  it('K2: gives a key that carries its time an id that begins with it, and every other key a random one', async () => {
    const id = await idOf(database.pool, DATED);
    const [made] = await secretsOf(database.pool);
    expect(made?.version).toBe(2);
    const random = idOfRelease1(made?.secret as Buffer, DATED);
    expect(id).toBe(`017f22e2-79b0${random.slice(13)}`);
    expect(await idOf(database.pool, UNDATED)).toBe(idOfRelease1(made?.secret as Buffer, UNDATED));
  });

  it('orders ids as their keys were made, and tells keys of one millisecond apart', async () => {
    const fingerprinter = await loadFingerprinter(database.pool);
    const at = [0, 1, 255, 65_536, 2 ** 40, 2 ** 48 - 1];
    const ids = at.map((ms) => fingerprinter.idOfKey('order', 'shop', newKey(ms)));
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const same = Array.from({ length: 1_000 }, () => fingerprinter.idOfKey('order', 'shop', newKey(at[4])));
    expect(new Set(same).size).toBe(1_000);
    expect(fingerprinter.idOfKey('order', 'other', DATED)).not.toBe(fingerprinter.idOfKey('order', 'shop', DATED));
  });

  it('K2: is refused to a process of release 1, which would give its keys other ids', async () => {
    const id = await idOf(database.pool, DATED);
    for (let start = 0; start < 2; start++) await expect(startOfRelease1(database.pool)).rejects.toMatchObject(REFUSED);
    expect(await idOf(database.pool, DATED)).toBe(id);
    expect(await secretsOf(database.pool)).toHaveLength(1);
  });

  it('K2: is refused to this release when a later one has made its secret', async () => {
    await database.pool.query('insert into fingerprint_secrets (version, secret) values (3, $1)', [Buffer.alloc(32)]);
    await expect(loadFingerprinter(database.pool)).rejects.toThrow('start a newer release');
  });
});

describe('two processes that start at once on a new database', () => {
  it('K2: of this release agree', async () => {
    const [one, other] = await atOnce(
      (db) => idOf(db, DATED),
      (db) => idOf(db, DATED),
      'commit',
    );
    expect(other).toEqual({ status: 'fulfilled', value: one });
  });

  it('K2: release 1 a moment earlier: this one goes by its rules', async () => {
    const [secret, ours] = await atOnce(startOfRelease1, (db) => idOf(db, DATED), 'commit');
    expect(ours).toEqual({ status: 'fulfilled', value: idOfRelease1(secret as Buffer, DATED) });
  });

  it('K2: release 1 a moment later: it is refused', async () => {
    const [id, theirs] = await atOnce((db) => idOf(db, DATED), startOfRelease1, 'commit');
    expect(theirs).toMatchObject({ status: 'rejected', reason: REFUSED });
    expect(await idOf(database.pool, DATED)).toBe(id);
  });

  it('K2: release 1 a moment later than one that dies: its rules hold for all that come', async () => {
    const [, theirs] = await atOnce((db) => idOf(db, DATED), startOfRelease1, 'rollback');
    expect(theirs.status).toBe('fulfilled');
    const [made] = await secretsOf(database.pool);
    expect(await idOf(database.pool, DATED)).toBe(idOfRelease1(made?.secret as Buffer, DATED));
  });
});

describe('a database of release 1', () => {
  let folder: string;
  let old: TestDatabase;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-release-1-'));
    for (const file of ['001-claims.sql', '002-retention.sql'])
      cpSync(new URL(file, idempotencyMigrations.folder), join(folder, file));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeEach(async () => {
    old = await testDatabase('secrets_of_1', [{ ...idempotencyMigrations, folder: pathToFileURL(`${folder}/`) }]);
  });
  afterEach(() => old.drop());

  it('K2: keeps the ids of its keys for ever, whichever release starts first after the migration, and how often', async () => {
    const secret = (await startOfRelease1(old.pool)) as Buffer;
    expect(await migrate(old.pool, [idempotencyMigrations])).toEqual(['idempotency/004-one-secret.sql']);
    for (let start = 0; start < 3; start++) {
      for (const key of [DATED, UNDATED]) expect(await idOf(old.pool, key)).toBe(idOfRelease1(secret, key));
      expect(await startOfRelease1(old.pool)).toEqual(secret);
    }
    expect(await secretsOf(old.pool)).toEqual([{ version: 1, secret }]);
  });

  it('K2: does so too when release 1 makes its secret only after the migration', async () => {
    await migrate(old.pool, [idempotencyMigrations]);
    const secret = (await startOfRelease1(old.pool)) as Buffer;
    expect(await idOf(old.pool, DATED)).toBe(idOfRelease1(secret, DATED));
  });

  it('K2: gets no second secret from this release before it is migrated', async () => {
    await startOfRelease1(old.pool);
    await expect(loadFingerprinter(old.pool)).rejects.toThrow('sole');
    expect(await secretsOf(old.pool)).toHaveLength(1);
  });
});
