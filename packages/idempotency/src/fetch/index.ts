/*
 * `Idempotency-Key` where a handler is a function of a Request to a Response: Hono, Next.js route handlers, Remix, Bun, Deno.
 *
 * K1, H9  A Response of 200 to 399 is stored with the effect; `refused(response)` is stored without it. Any other Response is as an
 *     error that was thrown: everything is rolled back, it leaves as it is, and the key is free again.
 * H1, H20  Check credentials in tenantOf() or before; a body that is too long, or malformed JSON, is refused before the claim.
 */

import type { Transaction } from '@holdfast/postgres';
import type { IdempotentCall, SerialisedAnswer } from '../http/handler-answer.ts';
import { type EdgeCall, type EdgeOptions, IdempotencyHandler, writtenReply } from '../http/idempotency-handler.ts';
import { REPLAYED_HEADER } from '../http/key-headers.ts';
import { keyedRoutes, type RouteOptions } from '../http/keyed-route.ts';
import { type ProblemAnswer, problemAnswer } from '../http/problem.ts';
import type { StoredAnswer } from '../http/stored-answer.ts';
import { BodyRefused, readBody } from './body.ts';

export type { IdempotentCall } from '../http/handler-answer.ts';

export interface IdempotencyOptions extends EdgeOptions {
  /** Whose key it is, from the credentials: the same key of another tenant is another key (H17). */
  tenantOf: (request: Request) => string | Promise<string>;
  /** The longest body that is read. Default 1 MiB. */
  maxBodyBytes?: number;
}

export interface KeyedRouteOptions<Context extends unknown[]> extends RouteOptions {
  /** The body, where other code has read it before, such as a validator. Default: read from the request. */
  bodyOf?: (request: Request, ...context: Context) => unknown;
  /** The resource as it is now, for a replay past the retention (H15). Without it such a replay gets 410. */
  current?: (request: Request, stored: Omit<StoredAnswer, 'body'>) => Promise<Response>;
}

/** A business refusal, final for this key: what the handler has written is rolled back. Status 400 to 499. */
export function refused(response: Response): Refused {
  if (response.status < 400 || response.status > 499)
    throw new RangeError(`refused(${response.status}): 400 to 499; a 5xx is never stored, return or throw it`);
  return { kind: 'refused', response };
}

export interface Refused {
  kind: 'refused';
  response: Response;
}

/** Runs at most once per key, in the open transaction `tx`. `context`: whatever the framework gives beside the request. */
export type IdempotentHandler<Context extends unknown[]> = (
  request: Request,
  tx: Transaction,
  inHand: IdempotentCall | undefined,
  ...context: Context
) => Promise<Response | Refused>;

/** Carries a response that is not stored out of its transaction. */
class NotStored extends Error {
  readonly response: Response;
  constructor(response: Response) {
    super('answered with a response that is not stored');
    this.response = response;
  }
}

const MAX_BODY_BYTES = 1_024 * 1_024;

/** @returns what makes a handler of a keyed one */
export function idempotency({ tenantOf, maxBodyBytes = MAX_BODY_BYTES, ...options }: IdempotencyOptions) {
  const edge = new IdempotencyHandler(options);
  return <Context extends unknown[]>(
    handler: IdempotentHandler<Context>,
    { bodyOf, current, ...routeOptions }: KeyedRouteOptions<Context> = {},
  ): ((request: Request, ...context: Context) => Promise<Response>) => {
    const routeAt = keyedRoutes(routeOptions);
    return async (request, ...context) => {
      const { pathname, searchParams } = new URL(request.url);
      let made: Response | undefined;
      const call: EdgeCall = {
        headers: Object.fromEntries(request.headers),
        tenantOf: () => tenantOf(request),
        async handle(tx, inHand) {
          const answered = await handler(request, tx, inHand, ...context);
          made = 'kind' in answered ? answered.response : answered;
          if (!('kind' in answered) && made.status >= 400) throw new NotStored(made);
          return await serialised('kind' in answered ? 'refused' : 'completed', made);
        },
        current: current && (async (stored) => await bytesOf(await current(request, stored))),
      };
      const parts = async () => ({
        params: { pathname },
        query: grouped(searchParams),
        body: await (bodyOf ? bodyOf(request, ...context) : readBody(request, maxBodyBytes)),
      });
      let keyed: Record<string, string> = {};
      try {
        const reply = await edge.serve(routeAt(request.method, pathname), call, parts, (headers) => {
          keyed = headers;
        });
        const isFresh = reply.kind === 'answer' && reply.headers[REPLAYED_HEADER] !== 'true';
        return written(writtenReply(reply), isFresh ? made?.headers : undefined);
      } catch (error) {
        if (error instanceof NotStored) return error.response;
        if (error instanceof BodyRefused) return written(withHeaders(problemAnswer(error.problem), keyed));
        throw error;
      }
    };
  };
}

async function serialised(kind: SerialisedAnswer['kind'], response: Response): Promise<SerialisedAnswer> {
  const { status, headers } = response;
  return { kind, status, headers: Object.fromEntries(headers), body: await bytesOf(response) };
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

/** @param own the handler's headers, some of which may stand there more than once */
function written(
  { status, headers, body }: { status: number; headers: Record<string, string>; body: Buffer | string },
  own?: Headers,
): Response {
  const sent = new Headers(own);
  for (const [name, value] of Object.entries(headers))
    if (own?.has(name) !== true || name !== 'set-cookie') sent.set(name, value);
  return new Response(body.length === 0 ? null : body, { status, headers: sent });
}

function withHeaders(answer: ProblemAnswer, keyed: Record<string, string>): ProblemAnswer {
  return { ...answer, headers: { ...answer.headers, ...keyed } };
}

function grouped(search: URLSearchParams): Record<string, string[]> {
  return Object.fromEntries([...new Set(search.keys())].map((name) => [name, search.getAll(name)]));
}
