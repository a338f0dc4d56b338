/*
 * A new API key, sealed under the credential of the caller who had it made.
 *
 * K2  The answer to making a key is stored and replayed like every other, and a stored answer must not give a key away. So it
 *     holds the key sealed: whoever shows that very credential again gets the same bytes again. Another credential of the
 *     tenant, and whoever reads the database or a copy of it, gets everything but the key.
 *
 * Nothing else has to be kept secret for it: a secret of the server would have to be the same everywhere and for ever, and who
 * has it would have every key. The sealed key goes with the stored answer (KEY_LIFETIME_MS). Until then a copy of the database
 * lets its thief try guesses at the credential, which people may have chosen (`API_KEYS`): so the function that makes the sealing
 * key is a slow one.
 */
import { createCipheriv, createDecipheriv, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { promisify } from 'node:util';

const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';
/** 8 MiB and some 20 ms for each guess. */
const COST: ScryptOptions = { N: 2 ** 13, r: 8, p: 1, maxmem: 2 ** 24 };
const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** @param of what the key is bound to: sealed for one id, it can't be opened under another */
export async function sealKey(key: string, credential: string, of: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, await derive(credential, salt, KEY_BYTES, COST), iv);
  cipher.setAAD(Buffer.from(of));
  const sealed = Buffer.concat([cipher.update(key, 'utf8'), cipher.final()]);
  return Buffer.concat([salt, iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** @returns undefined when it was sealed under another credential, or for another id */
export async function openKey(sealedText: string, credential: string, of: string): Promise<string | undefined> {
  const bytes = Buffer.from(sealedText, 'base64url');
  const take = (from: number, length?: number) => bytes.subarray(from, length && from + length);
  const salt = take(0, SALT_BYTES);
  const secret = await derive(credential, salt, KEY_BYTES, COST);
  const decipher = createDecipheriv(CIPHER, secret, take(SALT_BYTES, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(of));
  decipher.setAuthTag(take(SALT_BYTES + IV_BYTES, TAG_BYTES));
  const opened = decipher.update(take(SALT_BYTES + IV_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch {
    // The tag is wrong, which is the only thing that final() of this cipher can find.
    return undefined;
  }
}
