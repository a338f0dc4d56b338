/*
 * What the audit log says: who asked for which change, by which request and why, and what came of it.
 *
 * T4  The entry is durable before the change goes out: with the key's claim, with the refund, or, where no key was sent, by itself.
 *     So no process that dies leaves a change behind that nobody asked for. What came of it is written with the key's answer.
 *     Neither is ever changed: a replay writes no second entry, a retry of what is open writes its outcome once.
 *
 * Neither names nor addresses nor payment methods: what is asked for, and what was there before and after, is picked by each
 * route, never copied from a request.
 */
import type { KeyedOperation } from '@holdfast/contracts';

/** Placing an order is not in the log: the order says who placed it, and when. */
export type AuditedOperation = Exclude<KeyedOperation, 'POST /v1/orders'>;

/** How the log names what was done: the operationId of its route. Stored data: never renamed. */
export const VERB_OF = {
  'POST /v1/orders/{id}/refunds': 'refundOrder',
  'POST /v1/stock/{sku}/adjust': 'adjustStock',
  'POST /v1/accounts/{customerId}/adjust': 'adjustAccount',
  'PUT /v1/stock/{sku}': 'putStock',
  'PUT /v1/accounts/{customerId}': 'putAccount',
  'POST /v1/orders/{id}/cancel': 'cancelOrder',
  'POST /v1/orders/{id}/dispatch': 'dispatchOrder',
  'POST /v1/sagas/{id}/resume': 'resumeSaga',
  'POST /v1/sagas/{id}/retry': 'retrySaga',
  'POST /v1/sagas/{id}/compensate': 'compensateSaga',
  'POST /v1/api-keys': 'makeApiKey',
  'DELETE /v1/api-keys/{id}': 'revokeApiKey',
} as const satisfies Record<AuditedOperation, string>;

export type AuditVerb = (typeof VERB_OF)[AuditedOperation];
export const AUDIT_VERBS: readonly AuditVerb[] = Object.values(VERB_OF);

/** Who asks for a change, by which request and why. */
export interface ChangeOrigin {
  /** The API key, by what may be shown of it. */
  actor: string;
  /** In the words of the one who asks. */
  reason: string | null;
  requestId: string;
  traceId: string;
}

/** Which entry: a change asked for at this instant, under this key or by this attempt. */
export interface AuditId {
  tenantId: string;
  at: Date;
  id: string;
}

/** What an entry says. */
export interface AuditEntry extends ChangeOrigin {
  verb: AuditVerb;
  /** Path of what is changed. */
  target: string;
  /** What is to be set, added or given back. */
  asked: object;
}

/** What a change has made of its target, as far as that is known. */
export interface ChangeEffect {
  before?: object | null;
  after?: object | null;
}

/** What came of a change. */
export type AuditOutcome = ({ kind: 'done' } & ChangeEffect) | { kind: 'refused'; code: string };
