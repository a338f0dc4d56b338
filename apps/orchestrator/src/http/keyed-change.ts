/*
 * A route that changes something, under the key that its request may carry.
 *
 * K8  With a key it is done once and replayed. Without one it is done each time: then only a version keeps it from undoing
 *     what came in between, and the books say that it had neither (BLIND_KEY).
 */
import { randomUUID } from 'node:crypto';
import { Type } from '@fastify/type-provider-typebox';
import { BLIND_KEY, type KeyedOperation } from '@holdfast/contracts';
import { PROBLEM_TYPE } from '@holdfast/idempotency/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  type Change,
  type ChangeAnswer,
  type ChangeAttempt,
  type ChangeDesk,
  changeOnce,
} from '../keys/change-once.ts';
import { keyHeader } from './openapi.ts';
import { answerOfProblem, Problem, type ProblemCode, unanswered } from './problem.ts';

/** Of a route that takes a key and does not need one. */
export const optionalKey = { 'idempotency-key': Type.Optional(keyHeader) };

export interface ChangeRoute extends Pick<Change, 'resource' | 'read'> {
  operation: KeyedOperation;
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
  const { requestKey } = request;
  // @guard K8 the key of a PUT: "requestKey === null" -> "requestKey === null || request.method === 'PUT'"
  if (requestKey === null) {
    const isBlind = ifMatchOf(request).versions.length === 0;
    const attempt = { key: (isBlind ? BLIND_KEY : SEEING_KEY) + randomUUID(), claimedAt: desk.now(), isFirst: true };
    return send(reply, await route.call(attempt));
  }
  const changed = await changeOnce(desk, { ...route, tenantId: request.tenantId, key: requestKey.key });
  if ('claimedAt' in changed) requestKey.claimedAt = changed.claimedAt;
  if (changed.kind !== 'completed') throw unanswered(changed);
  requestKey.replayed = changed.replayed;
  if (route.location !== undefined && changed.status < 400) reply.header('location', route.location);
  const { show = async (body: string) => body } = route;
  return send(reply, { status: changed.status, body: await show(changed.body) });
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
  call: () => Promise<{ body: unknown; status?: number; isOpen?: boolean }>,
  finals: readonly ProblemCode[],
): Promise<ChangeAnswer> {
  try {
    const { body, status = 200, isOpen = false } = await call();
    return { status, body: JSON.stringify(body), replayed: false, isOpen };
  } catch (error) {
    if (!(error instanceof Problem) || !finals.includes(error.code)) throw error;
    return { ...answerOfProblem(error), replayed: false };
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
