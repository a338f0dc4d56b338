import { createHash } from 'node:crypto';

/** The parts of a request that make it this request and no other. */
export interface RequestParts {
  params: unknown;
  query: unknown;
  /** As it was parsed, before validation changed it. */
  body: unknown;
}

/**
 * The request by its members, as the fingerprint takes them: body members by JSON pointer, the others as `path.name` and
 * `query.name`, so that a differing one can be named.
 *
 * @param redact JSON pointers (RFC 6901) of body members that are left out altogether: no trace of them is stored, and two
 *   requests that differ only there are the same request
 * @throws TypeError when the body has not been parsed
 */
export function requestMembers(
  { params, query, body }: RequestParts,
  redact: readonly string[],
): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(asObject(params))) members[`path.${name}`] = value;
  for (const [name, value] of Object.entries(asObject(query))) members[`query.${name}`] = value;
  const shown = redact.reduce<unknown>((rest, pointer) => without(rest, pointerTokens(pointer)), comparable(body));
  if (isPlainObject(shown)) {
    for (const [name, value] of Object.entries(shown)) members[`/${escapeToken(name)}`] = value;
  } else {
    members[''] = shown;
  }
  return members;
}

/**
 * The body, which the application's parser has read before.
 * @throws TypeError (415) when there is a body that it has not read: two requests would seem the same
 */
export function parsedBody(body: unknown, headers: Readonly<Record<string, unknown>>): unknown {
  const isSent = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
  if (body !== undefined || !isSent) return body;
  const message = 'a keyed handler needs a parsed body: put a parser for this content type before it';
  throw Object.assign(new TypeError(message), { status: 415, statusCode: 415, expose: true });
}

/** @throws RangeError when it is no JSON pointer to a member */
export function pointerTokens(pointer: string): string[] {
  if (!pointer.startsWith('/')) throw new RangeError(`${pointer}: give a JSON pointer, such as /card/number`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function comparable(body: unknown): unknown {
  if (body === undefined) return null;
  if (Buffer.isBuffer(body))
    return { bytes: body.length, sha256: createHash('sha256').update(body).digest('base64url') };
  if (typeof body === 'object' && body !== null && typeof (body as { pipe?: unknown }).pipe === 'function') {
    throw new TypeError('a keyed route needs a parsed body: this content type is handed to the route as a stream');
  }
  return body;
}

/** A copy of `value` without the member that the tokens lead to; the same value when there is none. */
function without(value: unknown, tokens: string[]): unknown {
  const [token, ...rest] = tokens;
  if (token === undefined || typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return value;
  if (Array.isArray(value)) {
    // An element keeps its place, so that the others keep theirs.
    return value.map((item, at) => (String(at) === token ? (rest.length === 0 ? null : without(item, rest)) : item));
  }
  const { [token]: found, ...others } = value as Record<string, unknown>;
  return rest.length === 0 ? others : { ...others, [token]: without(found, rest) };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
