/*
 * The form of an API key that was made at run time: `hf_<cell>_<id>_<secret><checksum>`. A scanner for secrets finds it, an edge
 * can route by its cell, and what was mistyped or made up is refused without asking a database.
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Of this set of services and databases. */
const CELL = 'main';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Digits for 128, 256 and 32 bits. */
const ID_LENGTH = 22;
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
export const SECRET_BYTES = 32;
export const API_KEY_ID = `[0-9A-Za-z]{${ID_LENGTH}}`;
const FORM = new RegExp(`^hf_${CELL}_(${API_KEY_ID})_[0-9A-Za-z]{${SECRET_LENGTH}}([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`);

/** @param bytes 16 of them */
export function apiKeyIdOf(bytes: Buffer): string {
  return digitsOf(bytes, ID_LENGTH);
}

/** @param secret SECRET_BYTES of a good random source */
export function apiKeyOf(id: string, secret: Buffer): string {
  const unchecked = `${apiKeyPrefix(id)}_${digitsOf(secret, SECRET_LENGTH)}`;
  return unchecked + checksumOf(unchecked);
}

/** What of a key may be shown: it tells keys apart and opens nothing. */
export function apiKeyPrefix(id: string): string {
  return `hf_${CELL}_${id}`;
}

/** @returns undefined for what is no key of this cell: nobody needs to be asked about it */
export function idOfApiKey(key: string): string | undefined {
  const [, id, checksum] = FORM.exec(key) ?? [];
  return id !== undefined && checksumOf(key.slice(0, -CHECKSUM_LENGTH)) === checksum ? id : undefined;
}

/** What is kept of a key. */
export function digestOf(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** Of every request with such a key: without the big numbers of digitsOf(). */
function checksumOf(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (; digits.length < CHECKSUM_LENGTH; rest = Math.floor(rest / 62)) digits = DIGITS[rest % 62] + digits;
  return digits;
}

function digitsOf(bytes: Buffer, length: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let digits = '';
  for (; digits.length < length; rest /= 62n) digits = DIGITS[Number(rest % 62n)] + digits;
  return digits;
}
