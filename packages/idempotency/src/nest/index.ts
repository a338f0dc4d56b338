/*
 * `Idempotency-Key` for NestJS: `const idempotent = idempotency({ pool, tenantOf })`, then `@UseInterceptors(idempotent())` on a method of
 * a controller, and `@Idempotent()` for its transaction.
 *
 * H1, H20  Guards run before the claim. Pipes run after it: what they throw is rolled back and leaves the key free.
 * K1  Interceptors that stand before this one (global ones, or earlier in the list) get the bytes of the answer.
 */

import type { Transaction } from '@holdfast/postgres';
import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  type NestInterceptor,
  StreamableFile,
} from '@nestjs/common';
import { firstValueFrom, type Observable, of } from 'rxjs';
import { type AdapterOptions, type AdapterRouteOptions, edgeCall } from '../http/edge-call.ts';
import { done, type HandlerAnswer, type IdempotentCall, isHandlerAnswer } from '../http/handler-answer.ts';
import { IdempotencyHandler, writtenReply } from '../http/idempotency-handler.ts';
import { keyedRoutes } from '../http/keyed-route.ts';
import { parsedBody } from '../http/request-members.ts';

export { done, type HandlerAnswer, type IdempotentCall, refused } from '../http/handler-answer.ts';

/** A request as Express and Fastify both have it. */
export interface NestRequest {
  method: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  params: unknown;
  query: unknown;
  body: unknown;
  baseUrl?: string;
  route?: { path?: string };
  routeOptions?: { url?: string };
}

interface NestResponse {
  statusCode: number;
  status(code: number): unknown;
  header(name: string, value: string): unknown;
}

export type IdempotencyOptions = AdapterOptions<NestRequest>;
export type KeyedRouteOptions = AdapterRouteOptions<NestRequest>;
/** What a keyed method gets by `@Idempotent()`: write through `tx` and nothing else. */
export type Idempotent = { tx: Transaction } & (IdempotentCall | { [Name in keyof IdempotentCall]?: undefined });

const calls = new WeakMap<object, Idempotent>();

/** A parameter's decorator. @throws Error in a method without the interceptor */
export const Idempotent = createParamDecorator((_data: unknown, context: ExecutionContext): Idempotent => {
  const found = calls.get(context.switchToHttp().getRequest<object>());
  if (found === undefined) throw new Error('this method has no transaction: put @UseInterceptors(idempotent()) on it');
  return found;
});

/** @returns what makes the interceptor of one method, which answers with a body, or with `done()` or `refused()` */
export function idempotency({ tenantOf, ...options }: IdempotencyOptions) {
  const edge = new IdempotencyHandler(options);
  return ({ current, ...routeOptions }: KeyedRouteOptions = {}): NestInterceptor => {
    const routeAt = keyedRoutes(routeOptions);
    return {
      async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
        const request = context.switchToHttp().getRequest<NestRequest>();
        const response = context.switchToHttp().getResponse<NestResponse>();
        const handler = async (_request: NestRequest, tx: Transaction, inHand: IdempotentCall | undefined) => {
          calls.set(request, { tx, ...inHand });
          return answerOf(await firstValueFrom(next.handle(), { defaultValue: undefined }), response.statusCode);
        };
        const { method, headers, params, query } = request;
        const route = routeAt(method, pathOf(request));
        const call = edgeCall({ handler, tenantOf, current }, request, headers);
        const parts = () => ({ params, query, body: parsedBody(request.body, headers) });
        const set = (answered: Record<string, string>) =>
          Object.entries(answered).forEach(([name, value]) => void response.header(name, value));
        const reply = writtenReply(await edge.serve(route, call, parts, set));
        response.status(reply.status);
        set(reply.headers);
        if (reply.body.length === 0) return of(undefined);
        // Bytes are sent as they are; Nest would write a Buffer as JSON.
        const type = reply.headers['content-type'] ?? 'application/octet-stream';
        return of(new StreamableFile(reply.body, { type, length: reply.body.length }));
      },
    };
  };
}

/** A method that returns a body was done with the status that its decorators say. */
function answerOf(returned: unknown, status: number): HandlerAnswer {
  return isHandlerAnswer(returned) ? returned : done(status, returned);
}

/** The route's path, or the request's. */
function pathOf({ baseUrl = '', route, routeOptions, url }: NestRequest): string {
  const path = route?.path ?? routeOptions?.url;
  return path === undefined ? (url.split('?')[0] ?? '') : baseUrl + path;
}
