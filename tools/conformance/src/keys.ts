import { randomBytes } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A UUIDv7 (RFC 9562) that says it was made then. */
export function uuidV7(madeAtMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(madeAtMs, 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** A ULID that says it was made then. */
export function ulid(madeAtMs: number): string {
  let time = '';
  for (let rest = madeAtMs; time.length < 10; rest = Math.floor(rest / 32)) time = CROCKFORD[rest % 32] + time;
  return time + [...randomBytes(16)].map((byte) => CROCKFORD[byte % 32]).join('');
}

const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/;

/** ISO 8601, days and smaller; in milliseconds. @throws Error for anything else */
export function durationMs(text: string): number {
  const found = DURATION.exec(text);
  if (found === null || text === 'P') throw new Error(`${text} is no ISO 8601 duration of days or less`);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}
