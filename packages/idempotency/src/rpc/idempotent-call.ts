import type { Transaction } from '@holdfast/postgres';

/** What a handler knows about the key it runs under. */
export interface IdempotentCall {
  /** Write through it and nothing else, and don't call the network meanwhile. */
  tx: Transaction;
  key: string;
  tenantId: string;
  /** A key derived from this one, for a call to another service: the same name gives the same key at every retry. */
  childKey(name: string): string;
}
