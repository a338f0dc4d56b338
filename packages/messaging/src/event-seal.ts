/*
 * The MAC of an event: what a stream says counts only if the service that publishes to it has said it.
 *
 * E8  Whoever can write to Redis has none of the keys: an entry without a right MAC changes nothing and is set aside. The MAC
 *     covers the stream and every member, so an event of one stream is none in another, and nothing can be added. Sent again,
 *     a genuine event is the same event, which finds its note (E4).
 *
 * Several keys may be given while one is exchanged: the first signs, all are believed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface EventKey {
  /** Stands in clear text in each event that was signed with it. */
  id: string;
  secret: string;
}

export interface EventSeal {
  /** The value of the member `mac`, for an event with these other members. */
  macOf(stream: string, members: Readonly<Record<string, string>>): string;
  /** Whether the member `mac` is that of the others. */
  isGenuine(stream: string, members: Readonly<Record<string, string>>): boolean;
}

/** @throws RangeError without a key, or when two have the same id */
export function createEventSeal(keys: readonly EventKey[]): EventSeal {
  const [signing] = keys;
  if (signing === undefined) throw new RangeError('keys: give one at least');
  const secretOf = new Map(keys.map(({ id, secret }) => [id, secret]));
  if (secretOf.size !== keys.length) throw new RangeError('keys: give each an id of its own');
  return {
    macOf: (stream, members) => `${signing.id}:${digestOf(signing.secret, stream, members)}`,
    isGenuine(stream, { mac = '', ...members }) {
      const [, id = '', digest = ''] = /^([^:]*):(.*)$/s.exec(mac) ?? [];
      const secret = secretOf.get(id);
      if (secret === undefined) return false;
      // @guard E8 the MAC of an event: "return isSame(" -> "return true || isSame("
      return isSame(digest, digestOf(secret, stream, members));
    },
  };
}

function digestOf(secret: string, stream: string, members: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', secret)
    .update(JSON.stringify(['holdfast event 1', stream, sorted]))
    .digest('base64url');
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
