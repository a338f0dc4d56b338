import type { Fingerprint } from './fingerprint.ts';

/** One keyed call, as the border hands it in. */
export interface IdempotentCall {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  /** The order and the caller's epoch for it. Without them the call is not fenced (it belongs to no saga). */
  fence?: { orderId: string; epoch: number };
  /** How long a duplicate may wait for the running one (G5). */
  waitMs: number;
}

/** How an effect ended, for good. Both are stored and replayed. */
export type Settlement = { kind: 'completed' | 'refused'; answer: Buffer };

/** The outcome of a step's call. */
export type ActOutcome =
  | { kind: 'completed'; answer: Buffer; replayed: boolean }
  | { kind: 'refused'; answer: Buffer; replayed: boolean }
  | { kind: 'sealed' }
  /** It completed, and its answer is past its last day. */
  | { kind: 'answer_expired' }
  /** `epoch`: the highest seen for its order. */
  | { kind: 'fenced'; epoch: number }
  /** Its epoch is too far above the fence for one call: it raised the fence a step, and did nothing else. */
  | { kind: 'fence_rising' }
  /** `differing`: names of top-level members, where they are known. */
  | { kind: 'reused'; differing: string[] }
  | { kind: 'in_progress' }
  | { kind: 'unknown'; detail: string };
