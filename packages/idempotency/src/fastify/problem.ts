import type { FastifyReply } from 'fastify';
import { OUTCOME_REASONS } from '../core/outcome-reasons.ts';
import { differingFaults, type IdempotencyProblem, problemAnswer, problemFor } from '../http/problem.ts';
import type { KeyedOutcome } from '../postgres/keyed-runner.ts';
import { storeFaultReason } from '../postgres/store-fault.ts';

/** The one place where an outcome without an answer becomes a problem. */
export function problemOfOutcome(
  outcome: Exclude<KeyedOutcome, { kind: 'completed' | 'refused' }>,
): IdempotencyProblem {
  const errors = outcome.kind === 'reused' ? differingFaults(outcome.differing) : undefined;
  return problemFor(OUTCOME_REASONS[outcome.kind], { errors });
}

/** What a failed run means to the caller; undefined for what is the application's own to answer. */
export function problemOfError(error: unknown): IdempotencyProblem | undefined {
  const reason = storeFaultReason(error);
  return reason && problemFor(reason);
}

/** The default way to send one: `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: IdempotencyProblem): FastifyReply {
  const { status, headers, body } = problemAnswer(problem);
  return reply.code(status).headers(headers).send(body);
}
