// Keys that say when they were made. One that is older than every key we remember may have run and been forgotten since,
// so it can't be run as new (H16).

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID_TIME_LENGTH = 10;

/** When a UUIDv7 or a ULID was made; undefined for any other key. */
export function datedAt(key: string): Date | undefined {
  const [, high, low] = UUID_V7.exec(key) ?? [];
  if (high !== undefined && low !== undefined) return new Date(Number.parseInt(high + low, 16));
  if (!ULID.test(key)) return undefined;
  let ms = 0;
  for (const digit of key.slice(0, ULID_TIME_LENGTH).toUpperCase()) ms = ms * 32 + CROCKFORD.indexOf(digit);
  return new Date(ms);
}
