/** ISO 4217, those in use: what an order, an item or an account can be in. Amounts are in minor units: of JPY 1, of KWD 1/1000. */
export const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));
