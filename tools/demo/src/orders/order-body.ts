export type OrderStatus = 'processing' | 'completed' | 'compensating' | 'failed' | 'cancelled' | 'parked';

export interface OrderBody {
  id: string;
  status: OrderStatus;
  failure: { reason: string } | null;
}
