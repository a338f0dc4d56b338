/*
 * A route that changes something, under the key that its request may carry.
 *
 * K8  With a key it is done once and replayed. Without one it is done each time: then only a version keeps it from undoing
 *     what came in between, and the books say that it had neither (BLIND_KEY).
 * T4  Without a key there is no claim that could say who asked: the entry is a statement of its own, before the change.
 */
import { randomUUID } from 'node:crypto';
import { Type } from '@fastify/type-provider-typebox';
import { BLIND_KEY } from '@holdfast/contracts';
import { PROBLEM_TYPE } from '@holdfast/idempotency/http';
import { newTraceparent, traceIdOf } from '@holdfast/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChangeEffect, ChangeOrigin } from '../audit/audit-entry.ts';
import { writeEntry, writeOutcome } from '../audit/audit-store.ts';
import { actorOf } from '../auth.ts';
import {
  type AskedChange,
  type Change,
  type ChangeAnswer,
  type ChangeAttempt,
  type ChangeDesk,
  changeOnce,
  entryOf,
  outcomeOf,
} from '../keys/change-once.ts';
import { keyHeader } from './openapi.ts';
import { answerOfProblem, Problem, type ProblemCode, problems, unanswered } from './problem.ts';

/** Of every route that is in the audit log. */
const auditReason = {
  'audit-reason': Type.Optional(
    Type.String({
      pattern: '^[ -~]{1,200}$',
      description:
        'Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person',
      examples: ['stocktaking of 2026-11-30'],
    }),
  ),
};

/** Of a change that needs a key, and of one that takes a key and does not need one. */
export const changeHeaders = { 'idempotency-key': keyHeader, ...auditReason };
export const optionalKey = { 'idempotency-key': Type.Optional(keyHeader), ...auditReason };

export interface ChangeRoute extends Pick<Change, 'read'>, Omit<AskedChange, 'origin'> {
  /** Path parameters, conditions and body: what makes it the same request. */
  request: object;
  /** Where what was made can be read. */
  location?: string;
  /** What this caller is shown of an answer that was stored; left out: the answer itself. */
  show?: (body: string) => Promise<string>;
  call: (attempt: ChangeAttempt) => Promise<ChangeAnswer>;
}

/** Of a write that names the version that it was decided by. */
const SEEING_KEY = 'seeing~';

export async function sendChange(
  desk: ChangeDesk,
  request: FastifyRequest,
  reply: FastifyReply,
  route: ChangeRoute,
): Promise<FastifyReply> {
  const { requestKey, tenantId } = request;
  // @guard K8 the key of a PUT: "requestKey === null" -> "requestKey === null || request.method === 'PUT'"
  if (requestKey === null) {
    const prefix = ifMatchOf(request).versions.length === 0 ? BLIND_KEY : SEEING_KEY;
    return send(reply, await changeUnkeyed(desk, { ...route, origin: originOf(request) }, { tenantId, prefix }));
  }
  const changed = await changeOnce(desk, { ...route, origin: originOf(request), tenantId, key: requestKey.key });
  if ('claimedAt' in changed) requestKey.claimedAt = changed.claimedAt;
  if (changed.kind !== 'completed') throw unanswered(changed);
  requestKey.replayed = changed.replayed;
  if (route.location !== undefined && changed.status < 400) reply.header('location', route.location);
  const { show = async (body: string) => body } = route;
  return send(reply, { status: changed.status, body: await show(changed.body) });
}

/** Who asks, as far as the log may say it. */
export function originOf(request: FastifyRequest): ChangeOrigin {
  const { 'audit-reason': reason } = request.headers as { 'audit-reason'?: string };
  const traceId = traceIdOf(traceparentOf(request)) ?? '';
  const actor = actorOf(request.caller ?? noCaller(), request.headers.authorization);
  return { actor, reason: reason ?? null, requestId: request.id, traceId };
}

function noCaller(): never {
  throw new Error('a route that is in the audit log needs an API key');
}

/** The same for all that one request does. */
export function traceparentOf(request: FastifyRequest): string {
  request.traceparent ??= newTraceparent(request.headers.traceparent as string | undefined);
  return request.traceparent;
}

/** Done each time that it is asked for; over gRPC too. @throws what `call` throws */
export async function changeUnkeyed(
  desk: Pick<ChangeDesk, 'pool' | 'now'>,
  { call, ...asked }: AskedChange & Pick<ChangeRoute, 'call'>,
  { tenantId, prefix = BLIND_KEY }: { tenantId: string; prefix?: string },
): Promise<ChangeAnswer> {
  const attempt = { key: prefix + randomUUID(), claimedAt: desk.now(), isFirst: true };
  const id = { tenantId, at: attempt.claimedAt, id: attempt.key };
  await writeEntry(desk.pool, id, entryOf(asked));
  // crash here, or after the call: the entry says who may have done it.
  const answer = await call(attempt).catch(async (error: unknown) => {
    // Nothing asks again under this key: a no is final, and what else is thrown says nothing of what was done.
    if (error instanceof Problem && problems[error.code].status < 500) {
      await writeOutcome(desk.pool, id, { kind: 'refused', code: error.code });
    }
    throw error;
  });
  if (!answer.isOpen) await writeOutcome(desk.pool, id, outcomeOf(answer));
  return answer;
}

function send(reply: FastifyReply, { status, body }: Pick<ChangeAnswer, 'status' | 'body'>): FastifyReply {
  if (status >= 400) return reply.code(status).type(PROBLEM_TYPE).send(body);
  const { version } = JSON.parse(body) as { version?: number };
  if (version !== undefined) reply.header('etag', etagOf(version));
  return reply.code(status).type('application/json; charset=utf-8').send(body);
}

/**
 * What a call of our own comes to: a refusal that is final is an answer, stored like any other.
 * @param finals the codes of refusals that nothing can change any more; what else is thrown stays thrown
 */
export async function answerOf(
  call: () => Promise<{ body: unknown; status?: number; isOpen?: boolean; effect?: ChangeEffect }>,
  finals: readonly ProblemCode[],
): Promise<ChangeAnswer> {
  try {
    const { body, status = 200, isOpen = false, effect = {} } = await call();
    return { status, body: JSON.stringify(body), replayed: false, isOpen, effect };
  } catch (error) {
    if (!(error instanceof Problem) || !finals.includes(error.code)) throw error;
    return { ...answerOfProblem(error), replayed: false, code: error.code };
  }
}

/** A strong validator: every change of what is shown raises the version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

const ETAG = /^\s*(?:W\/)?"[^"]*"\s*$/;
const OURS = /^\s*"(\d{1,15})"\s*$/;
/** No resource has it. */
const NO_VERSION = -1;

export interface IfMatch {
  /** Empty: any. */
  versions: number[];
  /** There must be such a resource. */
  exists: boolean;
}

/** @throws Problem for a header that is no list of ETags. A weak one, or none of ours, matches nothing (RFC 9110). */
export function ifMatchOf(request: FastifyRequest): IfMatch {
  const sent = request.headers['if-match'];
  if (sent === undefined) return { versions: [], exists: false };
  if (sent.trim() === '*') return { versions: [], exists: true };
  const tags = sent.split(',');
  if (!tags.every((tag) => ETAG.test(tag))) {
    throw new Problem('invalid-request', 'Send in `If-Match` an `ETag` that the API returned, with its quotes.');
  }
  return { versions: tags.map((tag) => Number(OURS.exec(tag)?.[1] ?? NO_VERSION)), exists: true };
}

export const ifMatchHeader = {
  'if-match': Type.Optional(
    Type.String({
      description: 'Do it only if the resource still has the `ETag` that was read; else 412 `version-changed`',
      examples: ['"7"'],
    }),
  ),
};
