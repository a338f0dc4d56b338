import type Stripe from 'stripe';
import { expect, it } from 'vitest';
import { readEvent } from './provider-event.ts';

it.each(['du_1Nv0', 'dp_1Nv0'])('a dispute is heard of under its id, of the older shape and the newer: %s', (id) => {
  const object = { id, payment_intent: 'pi_1' };
  const event = { id: 'evt_1', type: 'charge.dispute.created', data: { object } } as unknown as Stripe.Event;
  expect(readEvent(event)).toEqual({ kind: 'told', id: 'evt_1', about: 'dispute', intentId: 'pi_1', disputeId: id });
});
