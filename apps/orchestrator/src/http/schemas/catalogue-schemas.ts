import { Type } from '@fastify/type-provider-typebox';
import { Currency, CustomerId, closed, MinorUnits, Sku, UnitPrice } from './order-schemas.ts';

// Shapes of what shops and back offices set: stock and accounts.

export const SkuParams = Type.Object({ sku: Sku });
export const CustomerParams = Type.Object({ customerId: CustomerId });

const Version = Type.Integer({ description: 'Rises with every change; the `ETag` is this in quotes' });
const MAX_COUNT = 1_000_000_000_000;
/** Far enough from 2^53 for refunds to be added on top. */
const MAX_BALANCE = 1_000_000_000_000_000;
const Count = Type.Integer({ minimum: 0, maximum: MAX_COUNT });
const Balance = Type.Integer({ minimum: 0, maximum: MAX_BALANCE, description: 'Minor units of the currency' });
const deltaOf = (max: number) => Type.Integer({ minimum: -max, maximum: max, description: 'Below 0 to take' });

export const StockBody = Type.Object(
  {
    onHand: Type.Optional(Count),
    unitPrice: Type.Optional(UnitPrice),
    currency: Type.Optional(Currency),
  },
  {
    ...closed,
    minProperties: 1,
    description: 'What is left out stays as it is. An item that is not listed yet needs `unitPrice` and `currency`',
  },
);
export const AccountBody = Type.Object(
  { balance: Balance, currency: Type.Optional(Currency) },
  { ...closed, description: '`currency` is needed to open an account, and stays' },
);
export const AdjustStockBody = Type.Object({ delta: deltaOf(MAX_COUNT) }, closed);
export const AdjustAccountBody = Type.Object({ delta: deltaOf(MAX_BALANCE) }, closed);

export const Stock = Type.Object({
  sku: Sku,
  onHand: Type.Integer(),
  reserved: Type.Integer({ description: 'Held by orders; 0 <= reserved <= onHand' }),
  unitPrice: MinorUnits,
  currency: Currency,
  version: Version,
});
export const Account = Type.Object({
  customerId: CustomerId,
  balance: MinorUnits,
  currency: Currency,
  version: Version,
});
