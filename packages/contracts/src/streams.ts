/** Names of the streams of events. Stored data: never renamed. */
export const ORDER_EVENTS = 'order-events';
export const SHIPMENT_EVENTS = 'shipment-events';
export const PAYMENT_EVENTS = 'payment-events';

/** The key of a stream in Redis. One hash tag: on a Cluster, all keys that begin with it are on one node. */
export function streamKeyOf(name: string): string {
  return `{holdfast:${name}}`;
}
