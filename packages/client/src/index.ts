export { newKey } from '@holdfast/idempotency/key';
export {
  type Account,
  type AuditFilter,
  type AuditPage,
  type CallOptions,
  type ChangeOptions,
  type ClientOptions,
  createClient,
  type Dispatched,
  type DispatchOptions,
  HoldfastClient,
  type KeyConfig,
  type Keyed,
  type KeyedOptions,
  type KeyState,
  type Order,
  type OrderPage,
  type OrderRequest,
  type Refund,
  type RefundPage,
  type RefundRequest,
  type Saga,
  type SetOptions,
  type Stock,
  type Waited,
} from './client.ts';
export type { operations, paths } from './gen/api.ts';
export type { Problem } from './problem.ts';
export type { RetryOptions, Sent } from './send.ts';
