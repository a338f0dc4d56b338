/* How an adapter hands a request and its handler to the edge, where handlers return `done()` or `refused()`. */
import { type IdempotentHandlerOf, serialised } from './handler-answer.ts';
import type { EdgeCall, EdgeOptions } from './idempotency-handler.ts';
import type { RouteOptions } from './keyed-route.ts';
import type { StoredAnswer } from './stored-answer.ts';

/** Of an adapter whose framework calls a request this. */
export interface AdapterOptions<Request> extends EdgeOptions {
  /** Whose key it is, from the credentials: the same key of another tenant is another key (H17). */
  tenantOf: (request: Request) => string | Promise<string>;
}

export interface AdapterRouteOptions<Request> extends RouteOptions {
  /** The resource as it is now, for a replay past the retention (H15). Without it such a replay gets 410. */
  current?: ((request: Request, stored: Omit<StoredAnswer, 'body'>) => Promise<unknown>) | undefined;
}

export interface AdaptedHandler<Request> {
  handler: IdempotentHandlerOf<Request>;
  tenantOf: AdapterOptions<Request>['tenantOf'];
  current: AdapterRouteOptions<Request>['current'];
  /** How the framework writes an object. Default: JSON.stringify. */
  toJson?: (status: number, body: unknown) => string;
}

export function edgeCall<Request>(
  { handler, tenantOf, current, toJson = (_status, body) => JSON.stringify(body) }: AdaptedHandler<Request>,
  request: Request,
  headers: EdgeCall['headers'],
): EdgeCall {
  const bytesOf = (answer: Parameters<typeof serialised>[0]) =>
    serialised(answer, (body) => toJson(answer.status, body));
  return {
    headers,
    tenantOf: () => tenantOf(request),
    handle: async (tx, inHand) => bytesOf(await handler(request, tx, inHand)),
    current:
      current &&
      (async (stored) => bytesOf({ ...stored, kind: 'completed', body: await current(request, stored) }).body),
  };
}
