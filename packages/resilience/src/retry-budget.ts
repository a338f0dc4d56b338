/** Decides for all calls of a client together whether retries still help (gRPC proposal A6, retry throttling). */
export interface RetryBudget {
  succeeded(): void;
  /** @returns whether a retry is in the budget */
  failed(): boolean;
}

export interface RetryBudgetOptions {
  /** Half of them are failures in a row that are retried. Default 10. */
  maxTokens?: number;
  /** What a success gives back of the token that a failure takes. Default 0.1. */
  tokenRatio?: number;
}

/**
 * A bucket of tokens: each failure takes one, each success gives `tokenRatio` of one back. Retries are made while more than
 * half of it is full, so that a server that is down gets the calls once, not five times.
 */
export function createRetryBudget({ maxTokens = 10, tokenRatio = 0.1 }: RetryBudgetOptions = {}): RetryBudget {
  let tokens = maxTokens;
  return {
    succeeded() {
      tokens = Math.min(tokens + tokenRatio, maxTokens);
    },
    failed() {
      tokens = Math.max(tokens - 1, 0);
      return tokens > maxTokens / 2;
    },
  };
}
