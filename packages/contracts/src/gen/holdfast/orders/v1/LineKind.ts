// Original file: protos/holdfast/orders/v1/orders.proto

export const LineKind = {
  LINE_KIND_UNSPECIFIED: 'LINE_KIND_UNSPECIFIED',
  LINE_KIND_SHIPPING: 'LINE_KIND_SHIPPING',
  LINE_KIND_TAX: 'LINE_KIND_TAX',
  LINE_KIND_DISCOUNT: 'LINE_KIND_DISCOUNT',
  LINE_KIND_FEE: 'LINE_KIND_FEE',
} as const;

export type LineKindInput =
  | 'LINE_KIND_UNSPECIFIED'
  | 0
  | 'LINE_KIND_SHIPPING'
  | 1
  | 'LINE_KIND_TAX'
  | 2
  | 'LINE_KIND_DISCOUNT'
  | 3
  | 'LINE_KIND_FEE'
  | 4

export type LineKind = typeof LineKind[keyof typeof LineKind]
