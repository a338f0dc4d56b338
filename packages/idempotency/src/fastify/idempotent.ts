import type { Transaction } from '@holdfast/postgres';
import type { FastifyRequest, RouteGenericInterface, RouteHandlerMethod } from 'fastify';

/** What a keyed handler answers with. Both kinds are stored and replayed; an error that is thrown never is. */
export type HandlerAnswer =
  /** `status` 200 to 399. */
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
export type IdempotentHandler<R extends RouteGenericInterface> = (
  request: FastifyRequest<R>,
  tx: Transaction,
  inHand: IdempotentCall | undefined,
) => Promise<HandlerAnswer>;

/** The body is serialised as Fastify does it (by the route's response schema); strings and buffers leave as they are. */
export function done(status: number, body?: unknown, headers: Record<string, string> = {}): HandlerAnswer {
  if (status < 200 || status > 399)
    throw new RangeError(`done(${status}): refused() is for 400 to 499; throw the rest`);
  return { kind: 'completed', status, body, headers };
}

export function refused(status: number, body?: unknown, headers: Record<string, string> = {}): HandlerAnswer {
  if (status < 400 || status > 499)
    throw new RangeError(`refused(${status}): 400 to 499; a 5xx is never stored, throw it`);
  return { kind: 'refused', status, body, headers };
}

const handlers = new WeakMap<RouteHandlerMethod, IdempotentHandler<RouteGenericInterface>>();

/** Makes a route's handler of a keyed handler; the plugin finds it there. */
export function idempotent<R extends RouteGenericInterface>(handler: IdempotentHandler<R>): RouteHandlerMethod {
  const marker: RouteHandlerMethod = async () => {
    throw new Error('register the idempotency plugin before the routes: await app.register(idempotency, …)');
  };
  handlers.set(marker, handler as unknown as IdempotentHandler<RouteGenericInterface>);
  return marker;
}

/** The keyed handler behind a route's handler; undefined for every other route. */
export function idempotentHandlerOf(handler: RouteHandlerMethod): IdempotentHandler<RouteGenericInterface> | undefined {
  return handlers.get(handler);
}
