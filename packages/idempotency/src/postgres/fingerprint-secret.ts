/*
 * The secret of a database, and by which rules ids are made with it. Both are the database's own, for ever, whichever
 * release reads them: an id is the primary key that finds out duplicates, so another secret or another rule would turn every
 * retry into a second order (K2).
 *
 * Version 1  Every id is random (an HMAC). Of every database whose secret was made by a release before version 2.
 * Version 2  The id of a key that carries its time begins with it (fingerprint.ts, `idOfKey`).
 *
 * A database has one row, whatever its version: `one_secret_per_database` (sql/004-one-secret.sql). Nobody changes it; whoever
 * starts adds one unless there is one, and goes by what is there. With a process of release 1, which knows nothing of versions:
 *
 * - It was here first: its row is version 1 (whether it came before the migration or after it), and so it stays. Its
 *   own statement, `insert … (1, …) on conflict (version) do nothing`, goes on finding it; so it may be started again
 *   during a rolling upgrade, and afterwards.
 * - We were here first, on a database without any secret: it finds no version 1, its insert runs into the constraint, and
 *   it does not start. It can't have taken a key before, for it reads the secret first.
 * - Both at once on such a database: whoever inserts second waits for the first to commit, and then it is one of the above.
 *
 * The version is neither a setting nor a property of the code: either would be two ids of one key during a rolling
 * upgrade, and of every key of before after it. For the same reason no tool raises it: what older keys stand for can't
 * be known from their ids.
 */
import { randomBytes } from 'node:crypto';
import { type Query, statement } from '@holdfast/postgres';

export interface FingerprintSecret {
  version: number;
  secret: Buffer;
}

/** What a new database gets. */
const NEWEST = 2;
const LOOKS = 5;

// `sole` is named so that a database without the constraint refuses this: the conflict is what keeps versions apart.
const keepOrCreateSecret = statement(
  'idempotency.keep-or-create-secret',
  `with created as (
     insert into fingerprint_secrets (version, secret, sole) values ($1::smallint, $2::bytea, true)
     on conflict do nothing returning version, secret
   )
   select version, secret from created
    union all select version, secret from fingerprint_secrets where sole limit 1`,
);

/**
 * Reads this database's secret; the first process ever to ask makes it.
 * @throws Error when it was made by a release that knows more rules than this one
 */
export async function loadSecret(
  db: Query,
  random: (size: number) => Buffer = randomBytes,
): Promise<FingerprintSecret> {
  // Another process may be inserting it at this very moment: then neither branch sees a row, and the next look does.
  for (let look = 1; look <= LOOKS; look++) {
    const { rows } = await db.query<FingerprintSecret>({ ...keepOrCreateSecret, values: [NEWEST, random(32)] });
    const [found] = rows;
    if (found === undefined) continue;
    if (found.version > NEWEST) {
      throw new Error(
        `ids of this database follow version ${found.version}, this release knows ${NEWEST}: start a newer release`,
      );
    }
    return found;
  }
  throw new Error('the fingerprint secret could not be read: check the table fingerprint_secrets');
}
