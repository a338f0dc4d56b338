import { isRetryable, type Reason, reasons } from '@holdfast/contracts/reasons';

/** The call was not run, and its key has no value for it. Nothing was done. */
export class IdempotencyError extends Error {
  override name = 'IdempotencyError';
  readonly reason: Reason;
  /** Whether the same call, under the same key, may succeed later. */
  readonly retryable: boolean;
  /** Members of the request that differ from the first one's, where they are known; never their values. */
  readonly differing: readonly string[];

  constructor(reason: Reason, differing: readonly string[] = []) {
    const names = differing.length === 0 ? '' : ` These members differ: ${differing.join(', ')}.`;
    super(reasons[reason].detail + names);
    this.reason = reason;
    this.retryable = isRetryable(reason);
    this.differing = differing;
  }
}
