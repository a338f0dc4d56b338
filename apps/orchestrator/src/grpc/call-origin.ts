import { randomUUID } from 'node:crypto';
import { InvalidRequest, type ServerCall } from '@holdfast/rpc';
import { traceIdOf } from '@holdfast/service';
import type { ChangeOrigin } from '../audit/audit-entry.ts';
import { actorOf, type Caller } from '../auth.ts';

const REASON = /^[ -~]{1,200}$/;
const REQUEST_ID = /^[\w.:-]{1,64}$/;

/** Who asks over gRPC, as far as the audit log may say it: the same headers as over HTTP. @throws InvalidRequest */
export function originOf(call: ServerCall, caller: Caller, traceparent: string): ChangeOrigin {
  const reason = call.header('audit-reason') ?? null;
  if (reason !== null && !REASON.test(reason)) {
    throw new InvalidRequest('audit-reason', 'send up to 200 printable ASCII characters');
  }
  const requestId = call.header('x-request-id');
  return {
    actor: actorOf(caller, call.authorization()),
    reason,
    requestId: requestId !== undefined && REQUEST_ID.test(requestId) ? requestId : randomUUID(),
    traceId: traceIdOf(traceparent) ?? '',
  };
}
