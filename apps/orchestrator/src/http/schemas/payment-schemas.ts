import { Type } from '@fastify/type-provider-typebox';
import { RETURN_URL_PATTERN } from '@holdfast/contracts';

// How an order is paid, and what its customer has to do for it.

export const PaymentRequest = Type.Object(
  {
    method: Type.Optional(
      Type.String({
        pattern: '^(balance|card|pm_[A-Za-z0-9_]{1,200})$',
        description:
          '`balance` for the customer’s account, a Stripe payment method, or `card` (also when left out): the customer gives one on the shop’s page, which confirms the payment with the order’s `nextAction.clientSecret`',
        examples: ['balance', 'pm_card_visa', 'card'],
      }),
    ),
    customer: Type.Optional(
      Type.String({
        pattern: '^cus_[A-Za-z0-9]{1,200}$',
        description: 'Stripe’s customer, whose payment method it is',
      }),
    ),
    offSession: Type.Optional(
      Type.Boolean({
        description: 'The customer is not there: a bank that wants to be asked makes the order fail at once',
      }),
    ),
    returnUrl: Type.Optional(
      Type.String({
        pattern: RETURN_URL_PATTERN,
        description: 'Where the bank sends the customer back to',
      }),
    ),
    capture: Type.Optional(
      Type.Enum(['on_order', 'on_dispatch'], {
        description:
          '`on_dispatch`, by card: the amount is only authorised, and captured by `POST /v1/orders/{id}/dispatch`. `on_order` when left out',
      }),
    ),
  },
  { additionalProperties: false },
);

export const Capture = Type.Object({
  status: Type.Enum(['pending', 'authorized', 'capturing', 'captured', 'expired', 'releasing', 'released'], {
    description:
      '`expired`: it can’t be captured any more: cancel the order. `released`: nothing was taken, and the order is turned back',
  }),
  amount: Type.Integer({ description: 'Minor units that were captured' }),
  expiresAt: Type.Union([
    Type.String({ format: 'date-time', description: 'RFC 3339, UTC: until when it can be captured' }),
    Type.Null(),
  ]),
});

export const Dispute = Type.Object({
  id: Type.String(),
  amount: Type.Integer({ description: 'Minor units' }),
  currency: Type.String(),
  reason: Type.String({ description: 'The provider’s word, as is `status`', examples: ['fraudulent'] }),
  status: Type.String({ examples: ['needs_response', 'won', 'lost'] }),
  openedAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
});

export const NextAction = Type.Object({
  type: Type.Enum(['confirm', 'authenticate', 'redirect', 'processing'], {
    description:
      '`confirm`: pay on the shop’s page. `authenticate`: let the page ask for the bank. `redirect`: send the customer to `redirectUrl`. `processing`: nothing is to be done, the bank decides',
  }),
  clientSecret: Type.Optional(Type.String({ description: 'For Stripe.js on the shop’s page' })),
  redirectUrl: Type.Optional(Type.String({ description: 'The bank’s page' })),
  expiresAt: Type.Optional(
    Type.String({ format: 'date-time', description: 'RFC 3339, UTC: until when the customer can act' }),
  ),
});
