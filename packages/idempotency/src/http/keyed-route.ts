/* What is said once of a keyed route, with everything that was left out filled in. */
import { pointerTokens } from './request-members.ts';
import { replayedHeaders } from './stored-answer.ts';

/** Of one route, in every framework. */
export interface RouteOptions {
  /** Whether a request without a key is refused (the default) or runs without one. */
  required?: boolean;
  /** Stored with the key and part of the fingerprint; never rename it. Default: the method and the route's path. */
  operation?: string;
  /** How long the answer's body is kept for replays. Default 24 hours. */
  retentionMs?: number;
  /** JSON pointers of body members that are left out of the fingerprint, such as `/card/cvc`. */
  redact?: string[];
  /** Names of headers that are stored and replayed. Default Content-Type, Location, ETag, Link. */
  headers?: string[];
}

export interface KeyedRoute {
  required: boolean;
  operation: string;
  retentionMs: number;
  redact: readonly string[];
  headers: ReadonlySet<string>;
}

const RETENTION_MS = 24 * 60 * 60 * 1_000;
const CHANGES_NOTHING = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

export function changesNothing(method: string): boolean {
  return CHANGES_NOTHING.includes(method.toUpperCase());
}

/** @param name the method and the route's path. @throws Error that names a route whose keys could not be kept */
export function keyedRoute(name: string, options: RouteOptions = {}): KeyedRoute {
  const { required = true, operation = name, retentionMs = RETENTION_MS, redact = [] } = options;
  for (const pointer of redact) pointerTokens(pointer);
  try {
    return { required, operation, retentionMs, redact, headers: replayedHeaders(options.headers) };
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}
