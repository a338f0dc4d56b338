import type { IdempotentCall } from '@holdfast/idempotency';
import { type Transaction, transaction } from '@holdfast/postgres';
import { type Answer, checkIdentifier, type ServerCall } from '@holdfast/rpc';
import type { Participant } from '../run-participant.ts';
import { type EffectOutcome, type OrderId, settlementOf } from './effect.ts';
import { keyedCall, stepAnswer } from './step-call.ts';
import { createStepRunner, type StepSpec } from './step-runner.ts';

/**
 * The method of an act or an undo: checks the request, runs the step under the call's key, and answers with what is stored.
 * @param check of everything but the order. @throws InvalidRequest
 * @param sagaOf the id of the saga whose step it is: the key begins with it, and its fence is passed. The order's own id, unless
 *   the order has other sagas beside the one that placed it
 */
export function stepMethod<Sent extends { orderId: string }, Checked, Plan, Result>(
  { pool, singleFlight, fingerprinter, reach }: Participant,
  spec: StepSpec<Checked & OrderId, Plan, Result>,
  check: (request: Sent) => Checked,
  sagaOf: (request: NoInfer<Sent>) => string = (request) => request.orderId,
): (request: Sent, call: ServerCall) => Promise<Answer<never>> {
  const run = createStepRunner(pool, singleFlight, spec, reach);
  return async (request, call) => {
    const orderId = checkIdentifier('order_id', request.orderId);
    const checked = check(request);
    const operation = { name: spec.operation, undo: spec.undoes !== undefined, sagaId: sagaOf(request) };
    const keyed = keyedCall(call, operation, request, fingerprinter);
    return stepAnswer(await run(keyed, { ...checked, tenantId: keyed.tenantId, orderId }));
  };
}

/**
 * Runs an effect that belongs to no saga, under the key of its call.
 * @param effect its rows carry the call's key (K5), so that past its answer's last day it finds what it has done
 */
export async function runAlone<Result>(
  { pool, keyedRunner }: Participant,
  call: IdempotentCall,
  effect: (tx: Transaction) => Promise<EffectOutcome<Result>>,
  encode: (result: Result) => Buffer,
): Promise<Answer<never>> {
  const settle = async (tx: Transaction) => settlementOf(await effect(tx), encode);
  const outcome = await keyedRunner.run(call, settle);
  if (outcome.kind !== 'answer_expired') return stepAnswer(outcome);
  const { kind, answer } = await transaction(pool, settle);
  return stepAnswer({ kind, answer, replayed: true });
}
