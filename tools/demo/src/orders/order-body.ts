export type OrderStatus =
  | 'processing'
  | 'awaiting_payment'
  | 'completed'
  | 'compensating'
  | 'failed'
  | 'cancelled'
  | 'parked';

export interface OrderBody {
  id: string;
  total: number | null;
  status: OrderStatus;
  failure: { reason: string } | null;
  nextAction: { type: string; clientSecret?: string } | null;
}
