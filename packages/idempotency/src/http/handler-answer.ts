/* What a keyed handler returns, whatever framework calls it, and what it knows of its key. */
import type { Transaction } from '@holdfast/postgres';

/** What a keyed handler answers with. Both kinds are stored and replayed; an error that is thrown never is. */
export type HandlerAnswer =
  /** It was done: `status` 200 to 399. */
  | { kind: 'completed'; status: number; body: unknown; headers: Record<string, string> }
  /** A business refusal, final for this key: `status` 400 to 499. What the handler has written is rolled back. */
  | { kind: 'refused'; status: number; body: unknown; headers: Record<string, string> };

/** What a handler knows about the key it runs under; undefined where a key is optional and none was sent. */
export interface IdempotentCall {
  key: string;
  tenantId: string;
  /** A key derived from this one, for a call to another service: the same name gives the same key at every retry. */
  childKey(name: string): string;
}

/**
 * Runs at most once per key. `tx` is the open transaction that the key's claim and the stored answer are in: write through
 * it and nothing else, don't call the network meanwhile, and throw to roll everything back (the key is free again then).
 */
export type IdempotentHandlerOf<Request> = (
  request: Request,
  tx: Transaction,
  inHand: IdempotentCall | undefined,
) => Promise<HandlerAnswer>;

const answers = new WeakSet<object>();

/** Whether a handler has said how it ended, and not only returned a body. */
export function isHandlerAnswer(value: unknown): value is HandlerAnswer {
  return typeof value === 'object' && value !== null && answers.has(value);
}

function said(answer: HandlerAnswer): HandlerAnswer {
  answers.add(answer);
  return answer;
}

/** The body is serialised as the framework does it, as JSON by default; strings and buffers leave as they are. */
export function done(status: number, body?: unknown, headers: Record<string, string> = {}): HandlerAnswer {
  if (status < 200 || status > 399)
    throw new RangeError(`done(${status}): refused() is for 400 to 499; throw the rest`);
  return said({ kind: 'completed', status, body, headers });
}

export function refused(status: number, body?: unknown, headers: Record<string, string> = {}): HandlerAnswer {
  if (status < 400 || status > 499)
    throw new RangeError(`refused(${status}): 400 to 499; a 5xx is never stored, throw it`);
  return said({ kind: 'refused', status, body, headers });
}

/** An answer whose body is the bytes that leave; names of headers in lower case. */
export interface SerialisedAnswer {
  kind: HandlerAnswer['kind'];
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** @param toJson as the framework writes objects */
export function serialised(
  { kind, status, body, headers }: HandlerAnswer,
  toJson: (body: unknown) => string = JSON.stringify,
): SerialisedAnswer {
  const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const typed = sent['content-type'] ?? contentTypeOf(body);
  if (typed !== undefined) sent['content-type'] = typed;
  return { kind, status, headers: sent, body: bytesOf(body, toJson) };
}

function contentTypeOf(body: unknown): string | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'string') return 'text/plain; charset=utf-8';
  return Buffer.isBuffer(body) ? 'application/octet-stream' : JSON_TYPE;
}

function bytesOf(body: unknown, toJson: (body: unknown) => string): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : toJson(body));
}
