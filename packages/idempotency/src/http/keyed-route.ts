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

/**
 * @param methods one, or all that the route stands for
 * @param path the route's, with the names of its parameters
 * @throws Error that names a route whose keys could not be kept
 */
export function keyedRoute(methods: string | string[], path: string, options: RouteOptions = {}): KeyedRoute {
  const name = `${[methods].flat().join(',')} ${path}`;
  if ([methods].flat().some((method) => CHANGES_NOTHING.includes(method.toUpperCase()))) {
    throw new Error(`${name}: a request that changes nothing needs no key, give it a plain handler`);
  }
  const { required = true, operation = name, retentionMs = RETENTION_MS, redact = [] } = options;
  for (const pointer of redact) pointerTokens(pointer);
  try {
    return { required, operation, retentionMs, redact, headers: replayedHeaders(options.headers) };
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** The routes of one handler, which may stand at several paths. @throws Error for options that no route could have */
export function keyedRoutes(options: RouteOptions = {}): (method: string, path: string) => KeyedRoute {
  keyedRoute('POST', '…', options);
  const routes = new Map<string, KeyedRoute>();
  return (method, path) => {
    const name = `${method} ${path}`;
    const route = routes.get(name) ?? keyedRoute(method, path, options);
    // Paths with parameters in them are as many as there are requests.
    if (routes.size < MOST_ROUTES) routes.set(name, route);
    return route;
  };
}

const MOST_ROUTES = 1_000;
