/*
 * The secret of a database, which its fingerprints and its ids are made with.
 *
 * K2  An id is the primary key that finds duplicates, so a second secret would turn every retry into a second order. The table
 *     has one row at most: the first process ever to ask makes it, and each later one reads it.
 */
import { randomBytes } from 'node:crypto';
import { type Query, statement } from '@holdfast/postgres';
import { createFingerprinter, type Fingerprinter } from '../core/fingerprint.ts';

const LOOKS = 5;

const keepOrCreateSecret = statement(
  'idempotency.keep-or-create-secret',
  // @guard K2 the one secret of a database: "on conflict (sole) do" -> "on conflict do"
  `with created as (
     insert into holdfast.fingerprint_secrets (secret) values ($1::bytea) on conflict (sole) do nothing returning secret
   )
   select secret from created union all select secret from holdfast.fingerprint_secrets where sole limit 1`,
);

/** With this database's secret. @throws pg errors; Error when the secret can't be read */
export async function loadFingerprinter(
  db: Query,
  random: (size: number) => Buffer = randomBytes,
): Promise<Fingerprinter> {
  // Another process may be inserting it at this very moment: then neither branch sees a row, and the next look does.
  for (let look = 1; look <= LOOKS; look++) {
    const { rows } = await db.query<{ secret: Buffer }>({ ...keepOrCreateSecret, values: [random(32)] });
    const [found] = rows;
    if (found !== undefined) return createFingerprinter(found.secret);
  }
  throw new Error('the fingerprint secret could not be read: check the table fingerprint_secrets');
}
