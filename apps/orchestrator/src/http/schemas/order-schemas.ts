import { Type } from '@fastify/type-provider-typebox';
import { KEY_PATTERN, SHOP_ID_PATTERN, SHOP_ID_RULE, TEXT_PATTERN } from '@holdfast/contracts';
import type { Static } from 'typebox';
import { Capture, Dispute, NextAction, PaymentRequest } from './payment-schemas.ts';

// Shapes of the HTTP API: what is checked, and what /openapi.json says. Unknown members are refused everywhere.

export const closed = { additionalProperties: false };
export const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const Sku = Type.String({
  pattern: SHOP_ID_PATTERN,
  description: `The shop’s own name of an item. ${SHOP_ID_RULE}`,
});
export const CustomerId = Type.String({
  pattern: SHOP_ID_PATTERN,
  description: `The shop’s own name of a customer. ${SHOP_ID_RULE}`,
});
export const Currency = Type.String({
  pattern: '^[A-Z]{3}$',
  description: 'ISO 4217, one that is in use',
  examples: ['EUR'],
});
export const MinorUnits = Type.Integer({
  description: 'Minor units of the currency: of EUR 1/100, of JPY 1, of KWD 1/1000',
});
export const Instant = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });
// Shows something, and nothing that shipping or the database would refuse later.
const text = (maxLength: number, rest: object = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: TEXT_PATTERN, ...rest });

const ShipTo = Type.Object(
  {
    name: text(100),
    company: Type.Optional(text(100)),
    line1: text(100),
    line2: Type.Optional(text(100)),
    city: text(100),
    region: Type.Optional(text(100, { description: 'State, province, prefecture …' })),
    postalCode: Type.Optional(
      text(20, { description: 'By the country’s rule; left out where it has none (Hong Kong)' }),
    ),
    country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2', examples: ['DE'] }),
    phone: Type.Optional(
      Type.String({
        pattern: '^[+(0-9][0-9 ()./#x-]{2,39}$',
        description: 'For the carrier',
        examples: ['+49 30 123456'],
      }),
    ),
  },
  closed,
);

export const UnitPrice = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Minor units, each. The total of an order stays below 2^53',
});
const Name = text(200, { description: 'For people; carried' });

const Item = Type.Object(
  {
    sku: Sku,
    quantity: Type.Integer({ minimum: 1, maximum: 10_000 }),
    unitPrice: Type.Optional({
      ...UnitPrice,
      description: 'The price that the customer was shown; another one: `PRICE_CHANGED`',
    }),
    name: Type.Optional(Name),
  },
  closed,
);

const MAX_AMOUNT = 1_000_000_000_000;
const Lines = Type.Array(
  Type.Object(
    {
      kind: Type.Enum(['shipping', 'tax', 'discount', 'fee']),
      name: Name,
      amount: Type.Integer({
        minimum: -MAX_AMOUNT,
        maximum: MAX_AMOUNT,
        description: 'Minor units; 0 or below for a discount, 0 or above for all others',
      }),
    },
    closed,
  ),
  { maxItems: 50, description: 'Amounts beside the items, as the shop has worked them out: added up, never computed' },
);
const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: 50,
  propertyNames: { type: 'string', pattern: '^[^\\p{Cc}\\p{Cs}]{1,40}$' },
  additionalProperties: { type: 'string', maxLength: 500, pattern: '^[^\\u0000\\p{Cs}]*$' },
  description: 'Up to 50, of names of 1 to 40 characters and values of up to 500; carried',
});
const Reference = text(200, { description: 'The shop’s own number of the order; carried' });

export const OrderRequest = Type.Object(
  {
    customerId: CustomerId,
    currency: Currency,
    items: Type.Array(Item, { minItems: 1, maxItems: 100, description: 'Every SKU at most once' }),
    payment: PaymentRequest,
    shipTo: ShipTo,
    lines: Type.Optional(Lines),
    expectedTotal: Type.Optional(
      Type.Integer({ minimum: 0, description: 'The total that the customer was shown; another one: `PRICE_CHANGED`' }),
    ),
    metadata: Type.Optional(Metadata),
    reference: Type.Optional(Reference),
  },
  closed,
);

export const OrderStatus = Type.Enum([
  'processing',
  'awaiting_payment',
  'completed',
  'compensating',
  'failed',
  'cancelled',
  'parked',
]);

export const Failure = Type.Object({
  step: Type.String(),
  reason: Type.String({ description: 'One of the failure reasons of docs/errors.md' }),
  message: Type.String(),
});

const ChangedPrices = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        sku: Sku,
        unitPrice: MinorUnits,
        shownUnitPrice: nullable(
          Type.Integer({ description: '`items[].unitPrice` of the request; null: it had none' }),
        ),
      }),
      { description: 'All items, in the order’s order' },
    ),
    total: nullable(
      Type.Integer({
        description:
          'Of the items and the lines beside them; below 0 where the discounts are more; null when it passes 2^53 - 1',
      }),
    ),
    shownTotal: nullable(Type.Integer({ description: '`expectedTotal` of the request; null: it had none' })),
  },
  { description: 'Of `PRICE_CHANGED`: the prices as they were when the order failed, to be shown to the customer' },
);

const OrderFailure = Type.Object({ ...Failure.properties, prices: Type.Optional(ChangedPrices) });

const RefundLine = Type.Object(
  {
    sku: Sku,
    quantity: Type.Integer({ minimum: 1, maximum: 10_000 }),
    restock: Type.Boolean({ description: 'Whether it goes back to stock' }),
  },
  closed,
);

export const RefundRequest = Type.Object(
  {
    amount: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          'Minor units of the order’s currency. With `lines`: the shop’s own number, as of an order with a discount',
      }),
    ),
    lines: Type.Optional(
      Type.Array(RefundLine, {
        minItems: 1,
        maxItems: 100,
        description: 'What comes back, at the prices of the order when there is no `amount`. Every SKU at most once',
      }),
    ),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]*$' })),
  },
  closed,
);

export const Refund = Type.Object({
  id: Type.String(),
  orderId: Type.String(),
  status: Type.Enum(['processing', 'pending', 'succeeded', 'failed', 'parked'], {
    description:
      '`pending`: the provider has taken it on. `failed`: not given back; also where the provider says so later',
  }),
  amount: MinorUnits,
  currency: Currency,
  lines: Type.Array(RefundLine),
  reason: nullable(Type.String()),
  origin: Type.Enum(['api', 'provider'], {
    description: '`provider`: made at the payment provider, and learned from it',
  }),
  failure: nullable(Failure),
  createdAt: Instant,
  updatedAt: Instant,
});

/** As many as an order shows; the list of its refunds has all. */
const REFUNDS_SHOWN = 10;

export const Order = Type.Object({
  id: Type.String(),
  status: OrderStatus,
  customerId: CustomerId,
  currency: Currency,
  items: Type.Array(
    Type.Object({
      sku: Sku,
      quantity: Type.Integer(),
      unitPrice: nullable(MinorUnits),
      name: Type.Optional(Type.String()),
    }),
  ),
  total: nullable(Type.Integer({ description: 'Minor units, of the items and the lines beside them' })),
  reservationId: nullable(Type.String()),
  paymentId: nullable(Type.String()),
  shipmentId: nullable(Type.String()),
  failure: nullable(OrderFailure),
  refunded: Type.Integer({ description: 'Minor units that were given back by now' }),
  refunds: Type.Array(Refund, {
    maxItems: REFUNDS_SHOWN,
    description: 'The newest, newest first; `GET /v1/orders/{id}/refunds` has all',
  }),
  nextAction: nullable(NextAction),
  createdAt: Instant,
  updatedAt: Instant,
  lines: Type.Optional(Lines),
  metadata: Type.Optional(Metadata),
  reference: Type.Optional(Type.String()),
  capture: Type.Optional({ ...Capture, description: 'Only of an order that is captured when it is dispatched' }),
  disputes: Type.Optional(
    Type.Array(Dispute, { maxItems: 10, description: 'Only where there are any: the newest, newest first' }),
  ),
});

export const DispatchRequest = Type.Object(
  {
    amount: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          'Minor units to capture, of an order that is captured when it is dispatched: less than its total where not all of it is sent. The rest of the authorisation is given free. Left out: all of it',
      }),
    ),
  },
  closed,
);

export const Dispatched = Type.Object({
  id: Type.String({ description: 'The order’s' }),
  shipmentId: Type.String(),
  dispatchedAt: Instant,
  captured: Type.Optional(
    Type.Integer({ description: 'Minor units that were captured with it; only where the order was authorised before' }),
  ),
});

export const nextCursor = nullable(
  Type.String({ description: 'Hand it in as `cursor` for the next page; null on the last' }),
);

export const RefundList = Type.Object({ refunds: Type.Array(Refund), nextCursor });

export const OrderList = Type.Object({ orders: Type.Array(Order), nextCursor });

export const PageQuery = Type.Object(
  {
    status: Type.Optional(OrderStatus),
    limit: Type.Optional(Type.String({ pattern: '^([1-9]|[1-9]\\d|100)$', description: '1 to 100; 20 when absent' })),
    cursor: Type.Optional(Type.String({ maxLength: 200 })),
  },
  closed,
);

export const RefundPageQuery = Type.Object(
  { limit: PageQuery.properties.limit, cursor: PageQuery.properties.cursor },
  closed,
);

/** Nothing that a database would refuse. */
const Id = Type.String({ maxLength: 100, pattern: '^[^\\p{Cc}\\p{Cs}]*$' });
export const IdParams = Type.Object({ id: Id });
export const RefundParams = Type.Object({ id: Id, refundId: Id });

export const KeyParams = Type.Object({
  key: Type.String({ pattern: KEY_PATTERN.source, description: '16 to 128 of `[A-Za-z0-9._~:-]`' }),
});
export const KeyState = Type.Object({
  state: Type.Enum(['in_progress', 'answered', 'expired'], {
    description: '`expired`: a retry gets the resource as it is now instead of the first answer; nothing runs',
  }),
  operation: Type.String({ description: 'Method and path template', examples: ['POST /v1/orders'] }),
  createdAt: Instant,
  expiresAt: Instant,
  resource: Type.String({ description: 'Path of what the operation made or changed' }),
});
export const KeyConfig = Type.Object({
  idempotencyKeyGrammar: Type.String({ description: 'A regular expression' }),
  idempotencyKeyLifetime: Type.String({
    description: 'How long the first answer is replayed; ISO 8601',
    examples: ['P1D'],
  }),
  tombstoneLifetime: Type.String({
    description:
      'How long a key is remembered at least; ISO 8601. An older UUIDv7 or ULID that is not known is refused',
    examples: ['P30D'],
  }),
});

export const ProblemSchema = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String({ description: 'One of the codes of docs/errors.md' }),
  retryable: Type.Boolean({ description: 'The same request under the same key may succeed later' }),
  errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
});

export type PageQueryValue = Static<typeof PageQuery>;
