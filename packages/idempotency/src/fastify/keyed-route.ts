import type { RouteOptions } from 'fastify';
import { replayedHeaders } from '../http/stored-answer.ts';
import { type IdempotentHandler, idempotentHandlerOf } from './idempotent.ts';
import type { KeyedRouteOptions } from './options.ts';
import { pointerTokens } from './request-members.ts';

/** A route's options with everything that was left out filled in. */
export interface KeyedRoute {
  handler: IdempotentHandler<object>;
  required: boolean;
  operation: string;
  retentionMs: number;
  redact: readonly string[];
  headers: ReadonlySet<string>;
  current: KeyedRouteOptions['current'];
}

const RETENTION_MS = 24 * 60 * 60 * 1_000;
const CHANGES_NOTHING = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** @returns undefined for a route without a key. @throws Error for one whose keys could not be kept */
export function keyedRouteOf(route: RouteOptions): KeyedRoute | undefined {
  const handler = idempotentHandlerOf(route.handler);
  const options = route.config?.idempotency;
  const name = `${[route.method].flat().join(',')} ${route.url}`;
  if (handler === undefined) {
    if (options === undefined) return undefined;
    throw new Error(`${name}: wrap its handler, idempotent(async (request, tx) => done(201, …))`);
  }
  if ([route.method].flat().some((method) => CHANGES_NOTHING.includes(method.toUpperCase()))) {
    throw new Error(`${name}: a request that changes nothing needs no key, give it a plain handler`);
  }
  const { required = true, operation = name, retentionMs = RETENTION_MS, redact = [], current } = options ?? {};
  for (const pointer of redact) pointerTokens(pointer);
  return {
    handler,
    required,
    operation,
    retentionMs,
    redact,
    headers: replayedHeadersOf(name, options?.headers),
    current,
  };
}

/** @throws Error that names the route */
function replayedHeadersOf(route: string, names: string[] | undefined): ReadonlySet<string> {
  try {
    return replayedHeaders(names);
  } catch (error) {
    throw new Error(`${route}: ${(error as Error).message}`);
  }
}
