import { createHmac, randomBytes } from 'node:crypto';
import type { WebhookPlan } from './webhook-faults.ts';

/** An event on its way into the statement that makes it true. */
export interface EventDraft {
  intentId: string;
  id: string;
  type: string;
  /** As it is signed and sent. */
  body: string;
  /** How many milliseconds later each copy of it arrives. */
  copies: number[];
  beforeAnswer: boolean;
}

// The version of the API that the objects here have the shape of.
const API_VERSION = '2026-10-28.endive';

/** In Stripe's shape. @param at Unix seconds */
export function draftEvent(type: string, intentId: string, object: object, plan: WebhookPlan, at: number): EventDraft {
  const id = `evt_${randomBytes(12).toString('hex')}`;
  const body = JSON.stringify({
    id,
    object: 'event',
    api_version: API_VERSION,
    created: at,
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  });
  return { intentId, id, type, body, ...plan };
}

/** The header Stripe-Signature. @param at Unix seconds */
export function signatureOf(body: string, secret: string, at: number): string {
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}
